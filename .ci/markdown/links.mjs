// What the Markdown files are checked for, offline: links within the repository lead to a file and to a heading there (remark-validate-links),
// and links that leave it are https, have a host and no blank.
import remarkGfm from 'remark-gfm'
import remarkValidateLinks from 'remark-validate-links'

function form() {
  return (tree, file) => {
    const visit = (node) => {
      if (['link', 'image', 'definition'].includes(node.type) && /^[a-z][a-z+.-]*:/i.test(node.url)) {
        const url = URL.canParse(node.url) ? new URL(node.url) : undefined
        const mail = url?.protocol === 'mailto:'
        if (!url || /\s/.test(node.url) || (!mail && (url.protocol !== 'https:' || !url.hostname.includes('.')))) {
          file.message(`${node.url}: not an https address with a host`, {place: node.position, source: 'form', ruleId: 'url'})
        }
      }
      node.children?.forEach(visit)
    }
    visit(tree)
  }
}

export default {plugins: [remarkGfm, [remarkValidateLinks, {repository: false}], form]}
