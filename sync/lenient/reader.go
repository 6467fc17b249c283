// Package lenient reads JSON that other people's controllers wrote, which may be half-written, or of versions not yet
// known. A value of the wrong kind counts as missing, and the object around it still counts. Text that is no JSON, has
// a name twice in one object, or is not UTF-8 is an error all the same: two readers could understand it in two ways.
package lenient

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Reader reads the values of a decoder, one after the other. After its first error it reads nothing more, and returns
// zero values; Err is that error.
type Reader struct {
	decoder *jsontext.Decoder
	err     error
	shared  *shared
}

// shared is what the Readers of one text have together.
type shared struct {
	words map[string]string
	items int
}

// maxItems is how many items of lists are read. The network of a thousand nodes has fewer. Without a limit a short text such as
// [{},{},…] would take a hundred times its size in memory.
const maxItems = 500_000

// Requests repeat the same short strings: True, veth, nmstate.io/v1. So many of them, of this length at most, are kept once.
const (
	maxWords      = 256
	maxWordLength = 32
)

// New is a Reader of the decoder's next values.
func New(d *jsontext.Decoder) *Reader {
	return &Reader{decoder: d, shared: &shared{words: map[string]string{}}}
}

// Within reads a separate text that holds one value. A Reader must have read the text before, so that no name is in it twice. An
// error in the text is not the Reader's.
func (r *Reader) Within(text []byte, read func(*Reader)) error {
	return json.Unmarshal(text, &readAgain{read: read, shared: r.shared}, jsontext.AllowDuplicateNames(true))
}

// readAgain lets json.Unmarshal do the reading, because json.Unmarshal keeps its decoders for the next call.
type readAgain struct {
	read   func(*Reader)
	shared *shared
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (v *readAgain) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	r := &Reader{decoder: d, shared: v.shared}
	v.read(r)
	return r.err
}

// Err is the first error.
func (r *Reader) Err() error {
	return r.err
}

// Object reads the next value, an object, and calls member with the name of each of its members. A value that member
// does not read is skipped. The name is valid only until the next read. A next value that is no object is skipped.
func (r *Reader) Object(member func(name []byte)) {
	if !r.enters('{') {
		return
	}
	for r.err == nil && r.decoder.PeekKind() == '"' {
		quoted, err := r.decoder.ReadValue()
		if err != nil {
			r.err = err
			return
		}
		before := r.decoder.InputOffset()
		member(unquoted(quoted))
		if r.err == nil && r.decoder.InputOffset() == before {
			r.Skip()
		}
	}
	r.bracket()
}

// Objects reads the next value, a list, and calls item for each item that is an object; item must read the object with
// Object. Other items are skipped.
func (r *Reader) Objects(item func()) {
	r.items('{', item)
}

// Texts are the strings in the next value, a list.
func (r *Reader) Texts() []string {
	var all []string
	r.items('"', func() { all = append(all, r.Text()) })
	return all
}

func (r *Reader) items(kind jsontext.Kind, item func()) {
	if !r.enters('[') {
		return
	}
	for r.err == nil && r.decoder.PeekKind() != ']' {
		if !r.Is(kind) {
			r.Skip()
			continue
		}
		if r.shared.items++; r.shared.items > maxItems {
			r.Fail(errors.New("there are more than 500,000 items in its lists"))
			return
		}
		item()
	}
	r.bracket()
}

// Map is the next value, an object, without the members that are no strings.
func (r *Reader) Map() map[string]string {
	var all map[string]string
	r.Object(func(name []byte) {
		if !r.Is('"') {
			return
		}
		if all == nil {
			all = map[string]string{}
		}
		key := r.word(name)
		all[key] = r.Text()
	})
	return all
}

// Text is the next value, a string; empty where it is none.
func (r *Reader) Text() string {
	if value := r.next(); len(value) > 0 && value[0] == '"' {
		return r.word(unquoted(value))
	}
	return ""
}

// word is a text as a string. Equal short texts are the same string in memory.
func (r *Reader) word(text []byte) string {
	if len(text) > maxWordLength {
		return string(text)
	}
	if word, known := r.shared.words[string(text)]; known {
		return word
	}
	word := string(text)
	if len(r.shared.words) < maxWords {
		r.shared.words[word] = word
	}
	return word
}

// Int is the next value, an integer; 0 where it is none. A number with a fraction or an exponent, or out of range, is
// none.
func (r *Reader) Int() int64 {
	n, err := strconv.ParseInt(string(r.next()), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Bool is the next value, a boolean; false where it is none.
func (r *Reader) Bool() bool {
	return string(r.next()) == "true"
}

// Raw is a copy of the text of the next value.
func (r *Reader) Raw() jsontext.Value {
	return r.next().Clone()
}

// Present reports whether the next value is not null. It reads nothing.
func (r *Reader) Present() bool {
	return r.err == nil && r.decoder.PeekKind() != 'n'
}

// Is reports whether the next value is of a kind. It reads nothing.
func (r *Reader) Is(kind jsontext.Kind) bool {
	return r.err == nil && r.decoder.PeekKind() == kind
}

// Decode reads the next value into v, strictly.
func (r *Reader) Decode(v any) {
	if r.err == nil {
		r.err = json.UnmarshalDecode(r.decoder, v)
	}
}

// DecodeShort reads what comes next into v, strictly, if its text has at most so many bytes, and passes the checks.
func (r *Reader) DecodeShort(v any, limit int, checks ...func(text []byte) error) {
	if r.err != nil {
		return
	}
	text, err := r.decoder.ReadValue()
	switch {
	case err != nil:
		r.err = err
		return
	case len(text) > limit:
		r.err = fmt.Errorf("it has more than %d bytes", limit)
		return
	}
	for _, check := range checks {
		if r.err = check(text); r.err != nil {
			return
		}
	}
	place := r.decoder.StackPointer()
	r.err = json.Unmarshal(text, v, jsontext.AllowDuplicateNames(true)) // the decoder has seen that there are none
	if wrong := new(json.SemanticError); errors.As(r.err, &wrong) {
		wrong.JSONPointer = place + wrong.JSONPointer
	}
}

// Unmarshal reads a text of its own that holds one value.
func Unmarshal(text []byte, read func(*Reader)) error {
	return json.Unmarshal(text, &readAgain{read: read, shared: &shared{words: map[string]string{}}})
}

// Strictly decodes a text that a Reader has read before into v. The error is not the Reader's.
func (r *Reader) Strictly(text []byte, v any) error {
	if r.err != nil {
		return r.err
	}
	return json.Unmarshal(text, v, jsontext.AllowDuplicateNames(true))
}

// Fail makes an error of what was read.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Skip reads the next value and drops it.
func (r *Reader) Skip() {
	r.next()
}

// next is the text of what comes next, good until the next read. It goes over the text once; Decoder.SkipValue and Decoder.ReadToken
// make a token of each part of it.
func (r *Reader) next() jsontext.Value {
	if r.err != nil {
		return nil
	}
	value, err := r.decoder.ReadValue()
	if err != nil {
		r.err = err
		return nil
	}
	return value
}

// enters reads the beginning of the next value, an object or a list, and reports whether it is one. Any other value is
// skipped.
func (r *Reader) enters(kind jsontext.Kind) bool {
	if !r.Is(kind) {
		r.Skip()
		return false
	}
	r.bracket()
	return r.err == nil
}

// bracket passes over the bracket that comes next.
func (r *Reader) bracket() {
	if r.err == nil {
		_, r.err = r.decoder.ReadToken()
	}
}

// unquoted is a string without its quotes. It copies only a string with escapes, which few have.
func unquoted(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return nil // cannot be: the decoder has read the string
	}
	return text
}
