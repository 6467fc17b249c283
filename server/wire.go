package server

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decode reads a request. Names are exact, and integers stay integers. A name that comes twice in one object is refused,
// because two readers might follow different ones; so is text that is not UTF-8. Unknown fields are no error, because
// Metacontroller may add some. Anything behind the request is an error.
func decode(data []byte, req any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("decoding the request: it has no body")
	}
	err := json.Unmarshal(data, req)
	if wrong := new(json.SemanticError); errors.As(err, &wrong) {
		return at(wrong.JSONPointer, mismatch(wrong))
	}
	if wrong := new(jsontext.SyntacticError); errors.As(err, &wrong) {
		return at(wrong.JSONPointer, malformed(wrong))
	}
	if err != nil {
		return at("", err.Error())
	}
	return nil
}

// at is an error in the request, behind the place where it is.
func at(place jsontext.Pointer, text string) error {
	if path := fieldPath(place); path != "" {
		return fmt.Errorf("%s: decoding the request: %s", path, text)
	}
	return errors.New("decoding the request: " + text)
}

// mismatch says why a value does not fit its field.
func mismatch(wrong *json.SemanticError) string {
	is := kindName(wrong.JSONKind)
	if wrong.JSONKind == jsontext.KindNumber && len(wrong.JSONValue) > 0 {
		is += " " + string(wrong.JSONValue) // it may be the right kind, and out of range
	}
	switch {
	case wrong.Err != nil && !errors.Is(wrong.Err, strconv.ErrRange) && !errors.Is(wrong.Err, strconv.ErrSyntax):
		return wrong.Err.Error() // of a type that decodes itself
	case is == "" || wrong.GoType == nil:
		return wrong.Error()
	case wrong.JSONPointer == "":
		return "it must be an object, and is " + is
	}
	return fmt.Sprintf("this must be %s, and is %s", wrong.GoType, is)
}

// malformed says why the text is no JSON.
func malformed(wrong *jsontext.SyntacticError) string {
	switch {
	case errors.Is(wrong.Err, jsontext.ErrDuplicateName):
		return "the name comes twice"
	case errors.Is(wrong.Err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("the text ends too early, after %d bytes", wrong.ByteOffset)
	case wrong.Err != nil:
		return fmt.Sprintf("%v, after %d bytes", wrong.Err, wrong.ByteOffset)
	}
	return wrong.Error()
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindNull:
		return "null"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "bool"
	case jsontext.KindString:
		return "string"
	case jsontext.KindNumber:
		return "number"
	case jsontext.KindBeginObject:
		return "object"
	case jsontext.KindBeginArray:
		return "array"
	}
	return ""
}

// maxPathBytes limits the path in a refusal, so that a name of any length leaves room for what is wrong.
const maxPathBytes = 300

// fieldPath writes a place as Kubernetes does: parent.spec.networks[0].vlanId. Names that are no identifiers, as those of
// observed objects, are quoted in brackets.
func fieldPath(place jsontext.Pointer) string {
	var b strings.Builder
	for token := range place.Tokens() {
		switch {
		case isIndex(token):
			fmt.Fprintf(&b, "[%s]", token)
		case !isIdentifier(token):
			fmt.Fprintf(&b, "[%q]", token)
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
		if b.Len() > maxPathBytes {
			return strings.ToValidUTF8(b.String()[:maxPathBytes], "") + "…"
		}
	}
	return b.String()
}

// isIndex reports whether a token of a pointer looks like the index of an array. A name of digits looks the same.
func isIndex(token string) bool {
	return token != "" && strings.Trim(token, "0123456789") == ""
}

// isIdentifier reports whether a name reads well without quotes.
func isIdentifier(token string) bool {
	return token != "" && strings.IndexFunc(token, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// encode writes an answer, by the rules that the json tags of its fields were written for. Equal answers are equal bytes.
func encode[Resp any](resp *Resp) ([]byte, error) {
	if resp == nil {
		// It would be null on the wire, which Metacontroller reads as: delete every child.
		return nil, errors.New("encoding the answer: there is none")
	}
	var buf bytes.Buffer
	enc := stdjson.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(resp); err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return buf.Bytes(), nil
}
