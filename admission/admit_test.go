package admission_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/admission"
)

// creates are what becomes of an object that is created, or why it is not.
func creates() []struct{ says, sent, got, refusal string } {
	return []struct{ says, sent, got, refusal string }{
		{
			says: "defaults are filled in, and a status cannot be sent",
			sent: `{spec: {label: a}, status: {seen: 7}}`,
			got:  `{spec: {label: a, size: 3}, status: {seen: -1}}`,
		},
		{
			says: "a namespaced object without a namespace is in default",
			sent: `{metadata: {name: g}}`,
			got:  `{metadata: {name: g, namespace: default}, status: {seen: -1}}`,
		},
		{
			says: "a null stays where it is allowed, becomes the default where there is one, and is dropped elsewhere",
			sent: `{spec: {note: null, size: null, label: null}}`,
			got:  `{spec: {note: null, size: 3}, status: {seen: -1}}`,
		},
		{
			says: "what the API server stamps is not taken from a client",
			sent: `{metadata: {name: g, namespace: lab, uid: a-b, generation: 7, creationTimestamp: "2026-01-01T00:00:00Z", selfLink: /x, labels: {a: b}}}`,
			got:  `{metadata: {name: g, namespace: lab, labels: {a: b}}, status: {seen: -1}}`,
		},
		{
			says: "unknown fields are kept where the schema says so",
			sent: `{spec: {size: 1, config: {a: {b: [1, 1.5, null]}}}}`,
			got:  `{spec: {size: 1, config: {a: {b: [1, 1.5, null]}}}, status: {seen: -1}}`,
		},
		{
			says: "an embedded object has metadata of its own",
			sent: `{spec: {size: 1, template: {apiVersion: v1, kind: Pod, metadata: {labels: {a: b}}, spec: {x: 1}}}}`,
			got:  `{spec: {size: 1, template: {apiVersion: v1, kind: Pod, metadata: {labels: {a: b}}, spec: {x: 1}}}, status: {seen: -1}}`,
		},
		{
			says: "what another version sends is stored in the one that is stored, which may not know all of it",
			sent: `{apiVersion: adm.novasphere.dev/v1beta1, kind: Gadget, metadata: {name: g, namespace: lab}, spec: {old: x}}`,
			got:  `{apiVersion: adm.novasphere.dev/v1beta1, kind: Gadget, metadata: {name: g, namespace: lab}, spec: {size: 5}}`,
		},
		{
			says:    "unknown fields are refused, all at once",
			sent:    `{metadata: {name: g, namespace: lab, nickname: x}, spec: {sise: 1, parts: [{name: a, wait: 1}], template: {apiVersion: v1, kind: Pod, metadata: {x: z}}}}`,
			refusal: `Gadget in version "v1" cannot be handled as a Gadget: strict decoding error: unknown field "metadata.nickname", unknown field "spec.parts[0].wait", unknown field "spec.sise", unknown field "spec.template.metadata.x"`,
		},
		{
			says:    "metadata that does not decode is refused",
			sent:    `{metadata: {name: g, namespace: lab, labels: {a: 1}}}`,
			refusal: `Gadget in version "v1" cannot be handled as a Gadget: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string`,
		},
		{
			says:    "an embedded object's metadata that does not decode is refused",
			sent:    `{spec: {template: {apiVersion: v1, kind: Pod, metadata: {labels: {a: 1}}}}}`,
			refusal: `Gadget in version "v1" cannot be handled as a Gadget: spec.template.metadata: Invalid value: {"labels":{"a":1}}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string`,
		},
		{
			says:    "an embedded object has a kind",
			sent:    `{spec: {template: {apiVersion: v1}}}`,
			refusal: `Gadget.adm.novasphere.dev "g" is invalid: [spec.template.kind: Required value, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:    "an object has a name",
			sent:    `{metadata: {namespace: lab}}`,
			refusal: `Gadget.adm.novasphere.dev "" is invalid: [metadata.name: Required value: name or generateName is required, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:    "a set has each member once",
			sent:    `{spec: {tags: [a, b, a]}}`,
			refusal: `Gadget.adm.novasphere.dev "g" is invalid: spec.tags[2]: Duplicate value: "a"`,
		},
		{
			says:    "rules that an invalid object would break are left for later",
			sent:    `{spec: {tags: [abcdef]}}`,
			refusal: `Gadget.adm.novasphere.dev "g" is invalid: [spec.tags[0]: Too long: may not be more than 5 bytes, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
	}
}

func TestCreate(t *testing.T) {
	schema, err := admission.New([]byte(gadgets))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range creates() {
		t.Run(test.says, func(t *testing.T) {
			check(t, test.got, test.refusal, func() (*unstructured.Unstructured, error) {
				return schema.Admit(gadget(t, test.sent))
			})
		})
	}
}

// updates are what becomes of an object that replaces another, wholly or only its status.
func updates() []struct{ says, old, sent, status, got, refusal string } {
	return []struct{ says, old, sent, status, got, refusal string }{
		{
			says: "an update leaves the status and the stamps alone",
			old:  `{metadata: {name: g, namespace: lab, uid: u, resourceVersion: "5", generation: 2}, spec: {size: 1}, status: {seen: 2}}`,
			sent: `{metadata: {name: g, namespace: lab, labels: {a: b}}, spec: {}, status: {seen: 7}}`,
			got:  `{metadata: {name: g, namespace: lab, labels: {a: b}, uid: u, resourceVersion: "5", generation: 2}, spec: {size: 3}, status: {seen: 2}}`,
		},
		{
			says: "an object that was never in a cluster can be updated, too",
			old:  `{metadata: {name: g}, spec: {step: 1}}`,
			sent: `{metadata: {name: g}, spec: {step: 2}}`,
			got:  `{metadata: {name: g, namespace: default}, spec: {size: 3, step: 2}, status: {seen: -1}}`,
		},
		{
			says:    "transition rules see what was",
			old:     `{spec: {step: 2}}`,
			sent:    `{spec: {step: 1}}`,
			refusal: `Gadget.adm.novasphere.dev "g" is invalid: spec.step: Invalid value: 1: step never falls`,
		},
		{
			says:    "unknown fields are refused in an update as well",
			old:     `{}`,
			sent:    `{spec: {sise: 2}}`,
			refusal: `Gadget in version "v1" cannot be handled as a Gadget: strict decoding error: unknown field "spec.sise"`,
		},
		{
			says: "what was invalid before and is the same now is let through",
			old:  `{spec: {size: 99, tags: [abcdef], parts: [{name: a, weight: 99}, {name: b}]}}`,
			sent: `{spec: {size: 99, tags: [abcdef], parts: [{name: b, weight: 1}, {name: a, weight: 99}]}}`,
			got:  `{spec: {size: 99, tags: [abcdef], parts: [{name: b, weight: 1}, {name: a, weight: 99}]}, status: {seen: -1}}`,
		},
		{
			says:    "what was invalid before and is invalid in another way is not",
			old:     `{spec: {size: 99}}`,
			sent:    `{spec: {size: 98}}`,
			refusal: `Gadget.adm.novasphere.dev "g" is invalid: spec.size: Invalid value: 98: spec.size in body should be less than or equal to 10`,
		},
		{
			says: "members that were twice in a set may stay",
			old:  `{spec: {tags: [a, a]}}`,
			sent: `{spec: {tags: [a, a, b]}}`,
			got:  `{spec: {size: 3, tags: [a, a, b]}, status: {seen: -1}}`,
		},
		{
			says:    "labels are checked again",
			old:     `{}`,
			sent:    `{metadata: {name: g, namespace: lab, labels: {a: b c}}}`,
			refusal: `Gadget.adm.novasphere.dev "g" is invalid: metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
		},
		{
			says:   "of a status update, only the status counts",
			old:    `{metadata: {name: g, namespace: lab, uid: u}, spec: {size: 99}}`,
			status: `{metadata: {name: g, namespace: lab, labels: {a: b}}, spec: {size: 98}, status: {seen: 1, phase: Up}}`,
			got:    `{metadata: {name: g, namespace: lab, uid: u}, spec: {size: 99}, status: {seen: 1, phase: Up}}`,
		},
		{
			says:   "a status that is taken away comes back with its default",
			old:    `{status: {seen: 3}}`,
			status: `{}`,
			got:    `{status: {seen: -1}}`,
		},
		{
			says:    "a status has a schema",
			old:     `{}`,
			status:  `{status: {phase: Odd}}`,
			refusal: `Gadget.adm.novasphere.dev "g" is invalid: [status.phase: Unsupported value: "Odd": supported values: "Up", "Down", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:    "a status has rules",
			old:     `{}`,
			status:  `{status: {seen: -1, phase: Up}}`,
			refusal: `Gadget.adm.novasphere.dev "g" is invalid: status: Invalid value: what is up was seen`,
		},
		{
			says:    "a status has sets",
			old:     `{}`,
			status:  `{status: {notes: [a, a]}}`,
			refusal: `Gadget.adm.novasphere.dev "g" is invalid: status.notes[1]: Duplicate value: "a"`,
		},
	}
}

func TestUpdate(t *testing.T) {
	schema, err := admission.New([]byte(gadgets))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range updates() {
		t.Run(test.says, func(t *testing.T) {
			check(t, test.got, test.refusal, func() (*unstructured.Unstructured, error) {
				if test.status != "" {
					return schema.AdmitStatus(gadget(t, test.old), gadget(t, test.status))
				}
				return schema.AdmitUpdate(gadget(t, test.old), gadget(t, test.sent))
			})
		})
	}
}

func TestTheNameCannotChange(t *testing.T) {
	schema, err := admission.New([]byte(gadgets))
	if err != nil {
		t.Fatal(err)
	}
	_, err = schema.AdmitUpdate(
		gadget(t, `{metadata: {name: g}}`),
		gadget(t, `{metadata: {name: h}}`))
	want := `Gadget.adm.novasphere.dev "h" is invalid: metadata.name: Invalid value: "h": field is immutable`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAGeneratedNameIsAName(t *testing.T) {
	schema, err := admission.New([]byte(gadgets))
	if err != nil {
		t.Fatal(err)
	}
	got, err := schema.Admit(gadget(t, `{metadata: {generateName: g-}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.GetName() != "g-xxxxx" {
		t.Errorf("the name is %s", got.GetName())
	}
}

// Objects that were built, and not read, have integers of any type.
func TestNumbersMadeByHand(t *testing.T) {
	schema, err := admission.New([]byte(gadgets))
	if err != nil {
		t.Fatal(err)
	}
	sent := gadget(t, `{metadata: {name: g}}`)
	sent.Object["spec"] = map[string]any{"size": int32(2), "tags": []string{"a"}}
	got, err := schema.Admit(sent)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"size": int64(2), "tags": []any{"a"}}
	if diff := cmp.Diff(want, got.Object["spec"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"size": int32(2), "tags": []string{"a"}}, sent.Object["spec"]); diff != "" {
		t.Errorf("the object that was sent has changed:\n%s", diff)
	}
}

func TestAKindThatIsNotServed(t *testing.T) {
	schema, err := admission.New([]byte(gadgets))
	if err != nil {
		t.Fatal(err)
	}
	for sent, want := range map[string]string{
		`{apiVersion: adm.novasphere.dev/v2, kind: Gadget}`:       `no matches for kind "Gadget" in version "adm.novasphere.dev/v2"`,
		`{apiVersion: adm.novasphere.dev/v1alpha1, kind: Gadget}`: `no matches for kind "Gadget" in version "adm.novasphere.dev/v1alpha1"`,
		`{apiVersion: adm.novasphere.dev/v1, kind: Widget}`:       `no matches for kind "Widget" in version "adm.novasphere.dev/v1"`,
		`{apiVersion: apps/v1, kind: Gadget}`:                     `no matches for kind "Gadget" in version "apps/v1"`,
	} {
		if _, err := schema.Admit(object(t, sent)); err == nil || err.Error() != want {
			t.Errorf("%s says %v, want %s", sent, err, want)
		}
	}
}

func TestADefinitionThatIsNone(t *testing.T) {
	for definition, want := range map[string]string{
		"\t":                          `reading the CustomResourceDefinition: error converting YAML to JSON: yaml: found character that cannot start any token`,
		`{}`:                          `reading the CustomResourceDefinition: this is apiVersion "", kind ""`,
		`{apiVersion: v1, kind: Pod}`: `reading the CustomResourceDefinition: this is apiVersion "v1", kind "Pod"`,
		strings.Replace(gadgets, "storage: true", "storage: false", 1): `reading the CustomResourceDefinition gadgets.adm.novasphere.dev: it stores 0 versions, must be 1`,
		strings.ReplaceAll(gadgets, "storage: false", "storage: true"): `reading the CustomResourceDefinition gadgets.adm.novasphere.dev: it stores 3 versions, must be 1`,
	} {
		if _, err := admission.New([]byte(definition)); err == nil || err.Error() != want {
			t.Errorf("says %v\nwant %s\n%s", err, want, definition)
		}
	}
}

func TestASchemaThatDoesNotCompile(t *testing.T) {
	schema, err := admission.New([]byte(strings.Replace(gadgets, "size: {type: integer,", "size: {$ref: other,", 1)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = schema.Admit(gadget(t, `{metadata: {name: g}}`))
	want := `compiling version v1 of gadgets.adm.novasphere.dev: `
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
}

func TestVersionsThatOnlyAWebhookConverts(t *testing.T) {
	schema, err := admission.New([]byte(strings.Replace(gadgets, "  scope:", "  conversion: {strategy: Webhook}\n  scope:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Admit(gadget(t, `{metadata: {name: g}}`)); err != nil {
		t.Errorf("the stored version needs no conversion: %v", err)
	}
	_, err = schema.Admit(object(t, `{apiVersion: adm.novasphere.dev/v1beta1, kind: Gadget, metadata: {name: g}}`))
	want := `converting the Gadget between versions: only its webhook can`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestManyAtOnce(t *testing.T) {
	schema := read(t, wukongs)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			body := fmt.Sprintf(`spec: {networks: [{name: net%d, type: bridge, vlanId: %d}]}`, i, i+1)
			if _, err := schema.Admit(wukong(t, body)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// check compares what an admission answers with the object, or else the refusal, that is wanted.
func check(t *testing.T, want, refusal string, admit func() (*unstructured.Unstructured, error)) {
	t.Helper()
	got, err := admit()
	switch {
	case err != nil && refusal == "":
		t.Errorf("refused: %v", err)
	case err != nil && err.Error() != refusal:
		t.Errorf("says: %v\nwant: %s", err, refusal)
	case err == nil && refusal != "":
		t.Errorf("accepted, want: %s", refusal)
	case err == nil:
		if diff := cmp.Diff(gadget(t, want).Object, got.Object); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// read is the schema of a definition in a file.
func read(t *testing.T, file string) *admission.Schema {
	t.Helper()
	definition, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := admission.New(definition)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return schema
}

// gadget is the Gadget that YAML describes: of version v1, and without metadata lab/g.
func gadget(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := object(t, text)
	if u.GetAPIVersion() == "" {
		u.SetAPIVersion("adm.novasphere.dev/v1")
	}
	u.SetKind("Gadget")
	if _, ok := u.Object["metadata"]; !ok {
		u.SetNamespace("lab")
		u.SetName("g")
	}
	return u
}

// object is the object that YAML describes.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	body, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(body, &u.Object); err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return u
}
