package manifest

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// nodes is a document with its lines; nil where they cannot be told.
func nodes(document []byte) *yaml.Node {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil || len(root.Content) == 0 {
		return nil
	}
	return root.Content[0]
}

// line is the line of a field, or of the nearest thing around it that exists; 0 where it is not known. The line of a field is that of
// its name.
func line(node *yaml.Node, path string) int {
	if node == nil {
		return 0
	}
	found := node.Line
	for _, step := range steps(path) {
		key, value := member(node, step)
		if value == nil {
			break
		}
		node, found = value, value.Line
		if key != nil {
			found = key.Line
		}
	}
	return found
}

// at is the node of a field; nil where there is none.
func at(node *yaml.Node, path string) *yaml.Node {
	for _, step := range steps(path) {
		_, node = member(node, step)
	}
	return node
}

// member is a member of a map, with its key, or an item of a list; nil where there is none.
func member(node *yaml.Node, step string) (key, value *yaml.Node) {
	if node == nil {
		return nil, nil
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if i, err := strconv.Atoi(step); err == nil && node.Kind == yaml.SequenceNode && i < len(node.Content) {
		return nil, node.Content[i]
	}
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == step {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

// steps are the members that a path such as spec.networks[0].name leads through.
func steps(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

// value is the value at a path in an object; nil where there is none.
func value(object any, path string) any {
	for _, step := range steps(path) {
		switch in := object.(type) {
		case map[string]any:
			object = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return nil
			}
			object = in[i]
		default:
			return nil
		}
	}
	return object
}
