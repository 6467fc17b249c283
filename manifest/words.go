package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"novasphere.dev/wukong/admission"
)

var (
	wrongType = regexp.MustCompile(`must be of type ([a-z0-9,]+): "`)
	index     = regexp.MustCompile(`\[\d+\]`)
	anyOfType = regexp.MustCompile(`must validate one and only one schema|must validate at least one schema`)
	pattern   = regexp.MustCompile(` in body should match '(.*)'$`)
	long      = regexp.MustCompile(`^Too long: may not be more than (\d+) bytes$`)
	few       = regexp.MustCompile(` in body should (?:be at least 1 chars long|have at least 1 (?:items|properties))$`)
	limit     = regexp.MustCompile(` in body should be (greater|less) than or equal to ([0-9.e+]+)$`)
	invalid   = regexp.MustCompile(`^Invalid value: (?:"(?:[^"\\]|\\.)*"|\{.*?\}|[0-9.e+-]+|true|false|null): `)
)

// isTypeError reports whether a message is about the type of a value.
func isTypeError(message string) bool {
	return wrongType.MatchString(message)
}

// words is a cause of a refusal in words that name the value and a way out. What the rules of the CustomResourceDefinition say is in
// such words already.
func (s Source) words(c metav1.StatusCause, k *kind) string {
	given := value(s.Object, c.Field)
	field := k.field(c.Field)
	message := invalid.ReplaceAllString(c.Message, "")
	for _, kind := range []string{"Invalid value: ", "Required value: ", "Forbidden: "} {
		message = strings.TrimPrefix(message, kind)
	}
	switch {
	case c.Type == admission.UnknownField:
		return k.unknown(c.Field)
	case c.Type == metav1.CauseTypeFieldValueRequired && c.Message == "Required value":
		return "is missing: " + example(c.Field, field)
	case isTypeError(c.Message):
		wanted := wrongType.FindStringSubmatch(c.Message)[1]
		if wanted == "boolean" {
			return fmt.Sprintf("is %s, and must be true or false, without quotes", shown(given))
		}
		return fmt.Sprintf("is %s, and must be %s: %s", shown(given), article(wanted), example(c.Field, field))
	case anyOfType.MatchString(c.Message):
		return fmt.Sprintf("is %s: %s", shown(given), example(c.Field, field))
	case c.Type == metav1.CauseTypeFieldValueNotSupported:
		return fmt.Sprintf("is %s, and must be one of %s%s", shown(given), strings.Join(enum(field), ", "), DidYouMean(fmt.Sprint(given), enum(field)))
	case c.Type == metav1.CauseTypeFieldValueDuplicate:
		return "is there twice: give each a name of its own"
	case strings.HasPrefix(c.Field, "metadata.") && strings.Contains(c.Message, "regex used for validation"):
		text, _, _ := strings.Cut(message, ", regex used")
		text, _, _ = strings.Cut(text, " (e.g.")
		return fmt.Sprintf("is %s: %s", shown(given), text)
	}
	if limits := limits(c, shown(given), field); limits != "" {
		return limits
	}
	return message
}

// limits is what a schema's limits of a value say; empty where the message is about something else.
func limits(c metav1.StatusCause, given string, field apiextensionsv1.JSONSchemaProps) string {
	switch {
	case pattern.MatchString(c.Message):
		return fmt.Sprintf("is %s: %s", given, patternWords(pattern.FindStringSubmatch(c.Message)[1]))
	case few.MatchString(c.Message):
		return "is empty: write " + strings.TrimPrefix(example(c.Field, field), "for example ") + ", for example, or remove it"
	case long.MatchString(c.Message):
		return fmt.Sprintf("is %s, and may have %s bytes at most: shorten it", given, long.FindStringSubmatch(c.Message)[1])
	case limit.MatchString(c.Message):
		m := limit.FindStringSubmatch(c.Message)
		return fmt.Sprintf("is %s, and must be %s %s", given, map[string]string{"greater": "at least", "less": "at most"}[m[1]], m[2])
	}
	return ""
}

// unknown says what was probably meant by a field that does not exist.
func (k *kind) unknown(path string) string {
	parent, name := cut(path)
	if list := k.field(parent); list.Type == "array" && !strings.HasSuffix(parent, "]") {
		return fmt.Sprintf("%s is a list, and this is a field of an object: %s", parent, example(parent, list))
	}
	elsewhere := owners("", name, k.fields)
	if place := k.placed(parent, name, elsewhere); place != "" {
		return place
	}
	if meant := DidYouMean(name, k.fieldNames(parent)); meant != "" {
		return "there is no such field" + meant
	}
	if len(elsewhere) > 0 && len(elsewhere) < 3 {
		return "there is no such field here: it is one of " + strings.Join(elsewhere, " and of ")
	}
	if meant := nearest(name, machineFields()); parent == "spec" && meant != "" && k.goesInto(parent, meant) != "" {
		return fmt.Sprintf("there is no such field: did you mean %s? It goes into %s", meant, k.goesInto(parent, meant))
	}
	return "there is no such field: see kubectl explain " + strings.ToLower(k.admission.GroupKind().Kind) + strings.TrimSuffix("."+index.ReplaceAllString(parent, ""), ".")
}

// placed says where a field goes that is right, and in the wrong place: those are its owners elsewhere, or a place in the machine. It is
// empty where the name is rather a word for a field that is there.
func (k *kind) placed(parent, name string, elsewhere []string) string {
	if instead := insteadOf(parent, name); instead != "" {
		return "there is no such field: write " + instead
	}
	if slices.Contains(k.fieldNames(parent), otherWords[strings.ToLower(name)]) {
		return ""
	}
	_, word := machineWords()[plain(name)]
	if len(elsewhere) == 1 && !word && strings.HasPrefix(elsewhere[0], parent+".") {
		return "there is no such field here: it is one of " + elsewhere[0]
	}
	if place := k.goesInto(parent, name); place != "" && (parent != "spec" || word || len(elsewhere) == 0) {
		return "there is no such field here: it goes into " + place
	}
	return ""
}

// owners are the paths of the objects of the spec that have a field of a name.
func owners(path, name string, schema apiextensionsv1.JSONSchemaProps) []string {
	var all []string
	for _, property := range slices.Sorted(maps.Keys(schema.Properties)) {
		below := strings.TrimPrefix(path+"."+property, ".")
		if property == name {
			all = append(all, path)
		}
		if below == "status" || below == "metadata" {
			continue
		}
		in := schema.Properties[property]
		if in.Items != nil && in.Items.Schema != nil {
			in, below = *in.Items.Schema, below+"[]"
		}
		all = append(all, owners(below, name, in)...)
	}
	return all
}

// field is what the definition says of a field; the zero schema where it says nothing.
func (k *kind) field(path string) apiextensionsv1.JSONSchemaProps {
	schema := k.fields
	for _, step := range steps(path) {
		switch property, ok := schema.Properties[step]; {
		case ok:
			schema = property
		case schema.Items != nil && schema.Items.Schema != nil:
			schema = *schema.Items.Schema
		case schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil:
			schema = *schema.AdditionalProperties.Schema
		default:
			return apiextensionsv1.JSONSchemaProps{}
		}
	}
	return schema
}

// fieldNames are the fields that an object at a path may have.
func (k *kind) fieldNames(path string) []string {
	if path == "metadata" {
		return []string{"name", "labels", "annotations", "finalizers", "generateName", "namespace"}
	}
	return slices.Collect(maps.Keys(k.field(path).Properties))
}

// cut is the path of the object that has a field, and the field's name in it.
func cut(path string) (parent, name string) {
	at := strings.LastIndex(path, ".")
	if at < 0 {
		return "", path
	}
	return path[:at], path[at+1:]
}

// enum are the values that a field may have.
func enum(field apiextensionsv1.JSONSchemaProps) []string {
	var all []string
	for _, v := range field.Enum {
		all = append(all, strings.Trim(string(v.Raw), `"`))
	}
	return all
}

// shown is a value as people write it.
func shown(v any) string {
	text, err := json.Marshal(v)
	if err != nil || len(text) > 80 {
		return "a longer value"
	}
	return string(text)
}

func article(kind string) string {
	words := map[string]string{
		"integer": "a whole number", "int32": "a whole number", "int64": "a whole number", "array": "a list",
		"object": "an object", "string": "a text, in quotes where YAML reads it as something else",
	}
	if word, ok := words[kind]; ok {
		return word
	}
	return "of type " + kind
}

// example is a value that a field may have.
func example(path string, field apiextensionsv1.JSONSchemaProps) string {
	_, name := cut(path)
	name, _, _ = strings.Cut(name, "[")
	if given, ok := examples()[name]; ok {
		return "for example " + name + ": " + given
	}
	switch {
	case len(field.Enum) > 0:
		return "one of " + strings.Join(enum(field), ", ")
	case field.Type == "array":
		return "its items begin with - "
	case field.Type == "object":
		return "its fields are " + strings.Join(slices.Sorted(maps.Keys(field.Properties)), ", ")
	case field.Type == "boolean":
		return "true or false"
	case field.Type == "integer":
		return "for example " + name + ": 2"
	}
	return "see kubectl explain wukong." + index.ReplaceAllString(path, "")
}
