// Package manifest reads what people write: files of YAML or JSON with Wukongs, WukongNetworks and what else they apply with them.
// It says what is wrong in their words, with the line, the value and a way out; what an API server would drop without a word; and what
// is allowed but seldom meant. It opens no file: it is given names and contents.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	kjson "sigs.k8s.io/json"
	kyaml "sigs.k8s.io/yaml"
)

// Source is an object that was read, and where it stands.
type Source struct {
	// Place is the file, with the document in it where there are several, or the item of a List.
	Place string

	Object map[string]any

	file string
	node *yaml.Node // nil where lines are not known
}

// Problem is one thing that is wrong with what was read.
type Problem struct {
	// Place is the file, and Line the line in it. Where the line is not known it is 0, and Place is as in Source.
	Place string
	Line  int

	// Object is what it is about, such as "Wukong a", and Field the path of the field in it. Both may be empty.
	Object, Field string

	// Message says what is wrong, and a way out.
	Message string
}

// Error is the problem in one line, which begins as editors and terminals like it: file:line.
func (p *Problem) Error() string {
	text := p.Place
	if p.Line > 0 {
		text = fmt.Sprintf("%s:%d", p.Place, p.Line)
	}
	for _, part := range []string{p.Object, p.Field} {
		if part != "" {
			text += ": " + part
		}
	}
	return text + ": " + p.Message
}

// Says is a problem with a field of the object, or with the object where the field is empty.
func (s Source) Says(field, message string) *Problem {
	p := &Problem{Place: s.Place, Line: line(s.node, field), Object: title(s.Object), Field: field, Message: message}
	if p.Line > 0 {
		p.Place = s.file
	}
	return p
}

// title is an object's name in messages: its kind and its name.
func title(object map[string]any) string {
	kind, _ := object["kind"].(string)
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return strings.TrimSpace(kind + " " + name)
}

// Read is the objects in a file; a List counts as its items. The error is about the documents that cannot be read, and the other
// documents are returned beside it.
func Read(file string, content []byte) ([]Source, error) {
	documents := split(content)
	var sources []Source
	var errs []error
	for i, text := range documents {
		place := file
		if len(documents) > 1 {
			place = fmt.Sprintf("%s: document %d", file, i+1)
		}
		object, err := decode(file, text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		sources = append(sources, listed(Source{place, object, file, nodes(text)})...)
	}
	if len(sources) == 0 && len(errs) == 0 {
		return nil, fmt.Errorf("%s: there is nothing in it", file)
	}
	return sources, errors.Join(errs...)
}

// listed is the object, or its items where it is a List.
func listed(s Source) []Source {
	items, ok := s.Object["items"].([]any)
	if kind, _ := s.Object["kind"].(string); !ok || !strings.HasSuffix(kind, "List") {
		return []Source{s}
	}
	var sources []Source
	for i, item := range items {
		object, _ := item.(map[string]any)
		sources = append(sources, Source{fmt.Sprintf("%s: items[%d]", s.Place, i), object, s.file, at(s.node, fmt.Sprintf("items[%d]", i))})
	}
	return sources
}

// split is the documents in a file that have more than comments. Each document begins with as many empty lines as there
// are lines before it in the file, so that the parser's errors have the right line numbers.
func split(content []byte) [][]byte {
	var documents [][]byte
	var document []byte
	empty := true
	end := func(line int) {
		if !empty {
			documents = append(documents, document)
		}
		document, empty = bytes.Repeat([]byte("\n"), line), true
	}
	n := 0
	for line := range bytes.Lines(bytes.TrimPrefix(content, []byte("\ufeff"))) {
		if marker := string(bytes.TrimRight(line[:min(len(line), 4)], " \t\r\n")); marker == "---" || marker == "..." {
			end(n)
			line = line[3:] // what follows the marker on its line belongs to the document
		}
		text := bytes.TrimSpace(line)
		empty = empty && (len(text) == 0 || text[0] == '#')
		document = append(document, line...)
		n++
	}
	end(n)
	return documents
}

// decode is the object in a document. A field that is written twice is an error: kubectl would take the last one
// without a word, while a reader may see the first.
func decode(file string, text []byte) (map[string]any, error) {
	document := text
	if !json.Valid(document) {
		var err error
		if document, err = kyaml.YAMLToJSONStrict(document); err != nil {
			return nil, unreadable(file, text, err)
		}
	}
	var object map[string]any
	twice, err := kjson.UnmarshalStrict(document, &object)
	switch {
	case err != nil || object == nil:
		return nil, &Problem{Place: file, Line: first(text), Message: "this is no object: one begins with lines such as apiVersion: vm.novasphere.dev/v1alpha1 and kind: Wukong"}
	case len(twice) > 0:
		return nil, fmt.Errorf("%s: %w", file, twice[0])
	}
	return object, nil
}

// first is the line at which a document begins.
func first(document []byte) int {
	return 1 + len(document) - len(bytes.TrimLeft(document, "\n"))
}
