//go:build !hook

package command

import (
	"fmt"
	"io"

	"novasphere.dev/wukong/picture"
)

// drawing writes a scene as mermaid or html. What Mermaid would refuse to draw is told.
func (p Process) drawing(s picture.Scene, format string) func(io.Writer) error {
	graph := picture.Draw(s)
	if format == "html" {
		return graph.HTML
	}
	if n := len(graph.Lines); n > picture.MermaidLines {
		_, _ = fmt.Fprintf(p.Stderr, "wukong: the picture has %d lines, and Mermaid draws %d at most unless it is told to draw more: take -o html\n",
			n, picture.MermaidLines)
	}
	return graph.Mermaid
}

// sceneOf is what files would become, as it is drawn. Nobody knows the nodes, so nothing is refused.
func sceneOf(all []rendered) picture.Scene {
	s := picture.Scene{Title: "Wukong render", Summary: "What the files ask for. Nobody has looked at a cluster."}
	for _, r := range all {
		o := picture.Owner{Kind: r.kind, Name: r.name}
		for _, step := range r.stages {
			for _, object := range step.objects {
				o.Add(object, picture.Mark{})
			}
		}
		s.Owners = append(s.Owners, o)
		for _, advice := range r.advice {
			s.Notes = append(s.Notes, picture.Note{About: r.title(), Text: advice})
		}
	}
	return s
}
