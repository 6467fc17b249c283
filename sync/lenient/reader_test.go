package lenient_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"novasphere.dev/wukong/sync/lenient"
)

func reader(text string) (*lenient.Reader, *jsontext.Decoder) {
	d := jsontext.NewDecoder(strings.NewReader(text))
	return lenient.New(d), d
}

// TestValues holds that each method answers zero for what is of another kind, and passes over it: what comes behind is found.
func TestValues(t *testing.T) {
	text := func(r *lenient.Reader) any { return r.Text() }
	number := func(r *lenient.Reader) any { return r.Int() }
	truth := func(r *lenient.Reader) any { return r.Bool() }
	texts := func(r *lenient.Reader) any { return r.Texts() }
	pairs := func(r *lenient.Reader) any { return r.Map() }
	for _, test := range []struct {
		name, value string
		read        func(*lenient.Reader) any
		want        any
	}{
		{"a text", `"x"`, text, "x"},
		{"a text with escapes", `"\u0078\n\ud83d\ude00\/"`, text, "x\n😀/"},
		{"null is no text", `null`, text, ""},
		{"a number is no text", `1`, text, ""},
		{"an object is no text", `{"a": ["x", {"b": "y"}]}`, text, ""},
		{"an integer", `-7`, number, int64(-7)},
		{"the greatest integer", `9223372036854775807`, number, int64(9223372036854775807)},
		{"the least integer", `-9223372036854775808`, number, int64(-9223372036854775808)},
		{"zero below zero", `-0`, number, int64(0)},
		{"one too great is none", `9223372036854775808`, number, int64(0)},
		{"one too small is none", `-9223372036854775809`, number, int64(0)},
		{"one with a fraction is none", `1500.0`, number, int64(0)},
		{"one with an exponent is none", `1e3`, number, int64(0)},
		{"digits in a text are none", `"1500"`, number, int64(0)},
		{"a truth", `true`, truth, true},
		{"the word for it is none", `"true"`, truth, false},
		{"a list of truths is none", `[true]`, truth, false},
		{"of a list the texts", `["a", 1, null, ["b"], {"c": "d"}, "e"]`, texts, []string{"a", "e"}},
		{"an empty list", `[]`, texts, []string(nil)},
		{"a text is no list", `"a"`, texts, []string(nil)},
		{"of an object the texts", `{"a": "x", "b": 1, "c": null, "d": {"a": "y"}, "\u0065": ""}`, pairs, map[string]string{"a": "x", "e": ""}},
		{"an object without texts is none", `{"a": 1}`, pairs, map[string]string(nil)},
		{"a list is no object", `[{"a": "x"}]`, pairs, map[string]string(nil)},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _ := reader(test.value + `"behind"`)
			if diff := cmp.Diff(test.want, test.read(r)); diff != "" {
				t.Error(diff)
			}
			if behind := r.Text(); behind != "behind" || r.Err() != nil {
				t.Errorf("behind it is %q (%v)", behind, r.Err())
			}
		})
	}
}

func TestObject(t *testing.T) {
	for _, test := range []struct {
		name, value string
		names       []string
		x           string
	}{
		{"what is not read is skipped", `{"a": {"x": "no", "b": [1, 2]}, "x": "yes", "c": [{"x": "no"}]}`, []string{"a", "x", "c"}, "yes"},
		{"a name may be written with escapes", `{"\u0078": "yes"}`, []string{"x"}, "yes"},
		{"an empty name is one", `{"": 1}`, []string{""}, ""},
		{"an object without members", `{}`, nil, ""},
		{"null has no members", `null`, nil, ""},
		{"a list has no members", `["x", {"x": "no"}]`, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _ := reader(test.value + `"behind"`)
			var names []string
			var x string
			r.Object(func(name []byte) {
				names = append(names, string(name))
				if string(name) == "x" {
					x = r.Text()
				}
			})
			if x != test.x || !cmp.Equal(names, test.names) {
				t.Errorf("x is %q of %q, and should be %q of %q", x, names, test.x, test.names)
			}
			if behind := r.Text(); behind != "behind" || r.Err() != nil {
				t.Errorf("behind it is %q (%v)", behind, r.Err())
			}
		})
	}
}

func TestObjectsAreThoseInAList(t *testing.T) {
	r, _ := reader(`[1, {"x": "a"}, null, [{"x": "no"}], {"x": 7}, "x", {"x": "b"}]`)
	var all []string
	r.Objects(func() {
		r.Object(func([]byte) { all = append(all, r.Text()) })
	})
	if want := []string{"a", "", "b"}; !cmp.Equal(all, want) || r.Err() != nil {
		t.Errorf("the objects have %q (%v), and should have %q", all, r.Err(), want)
	}
}

func TestAnErrorStopsTheReader(t *testing.T) {
	for _, test := range []struct{ name, text string }{
		{"the text ends too early", `{"a": "x", "b": [1`},
		{"no JSON", `{"a": "x", b: 1}`},
		{"a name that comes twice", `{"a": "x", "a": "y"}`},
		{"a name that comes twice, once with escapes", `{"a": "x", "\u0061": "y"}`},
		{"a name that comes twice in what is skipped", `{"a": "x", "b": [{"c": 1, "c": 2}]}`},
		{"a text that is not UTF-8", "{\"a\": \"x\", \"b\": \"\xff\"}"},
		{"half a surrogate pair", `{"a": "x", "b": "\ud83d"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, d := reader(test.text + `  "behind"`)
			var a string
			r.Object(func(name []byte) {
				if string(name) == "a" {
					a += r.Text()
				}
			})
			if a != "x" || r.Err() == nil {
				t.Fatalf("a is %q (%v)", a, r.Err())
			}
			before, at := r.Err(), d.InputOffset()
			r.Object(func([]byte) { t.Error("a member is read") })
			r.Objects(func() { t.Error("an item is read") })
			r.Skip()
			r.Fail(errors.New("a later one"))
			if r.Text() != "" || r.Int() != 0 || r.Bool() || r.Raw() != nil || r.Map() != nil || r.Texts() != nil || r.Present() || r.Is('"') {
				t.Error("something is read after the error")
			}
			if !errors.Is(r.Err(), before) || d.InputOffset() != at {
				t.Errorf("after %q the reader goes on, to %q", before, r.Err())
			}
		})
	}
}

func TestPeekingReadsNothing(t *testing.T) {
	r, _ := reader(`{"a": 1}`)
	if !r.Present() || !r.Is('{') || r.Is('[') {
		t.Error("the object is not seen")
	}
	if got := string(r.Raw()); got != `{"a": 1}` || r.Err() != nil {
		t.Errorf("what is left is %q (%v)", got, r.Err())
	}
	if r, _ := reader(`null`); r.Present() {
		t.Error("null is present")
	}
}

func TestWithinReadsAnotherText(t *testing.T) {
	r, _ := reader(`"mine"`)
	var got string
	if err := r.Within([]byte(`{"a": "x"}`), func(r *lenient.Reader) { got = r.Map()["a"] }); err != nil || got != "x" {
		t.Errorf("it reads %q (%v)", got, err)
	}
	for _, text := range []string{`{"a": 1`, `{} {}`, ``} {
		if err := r.Within([]byte(text), (*lenient.Reader).Skip); err == nil {
			t.Errorf("%q has no error", text)
		}
	}
	if got := r.Text(); got != "mine" || r.Err() != nil {
		t.Errorf("the reader itself has %q (%v)", got, r.Err())
	}
}

// TestWordsStayWhole holds that a text that is kept does not change with what is read later, however many there are.
func TestWordsStayWhole(t *testing.T) {
	var b strings.Builder
	var want []string
	for i := range 1000 {
		word := strings.Repeat(string(rune('a'+i%26)), i%40) + string(rune('A'+i/40))
		want = append(want, word)
		b.WriteString(`"` + word + `"`)
	}
	r, _ := reader(b.String())
	var got []string
	for range want {
		got = append(got, r.Text())
	}
	if diff := cmp.Diff(want, got); diff != "" || r.Err() != nil {
		t.Errorf("%v\n%s", r.Err(), diff)
	}
}
