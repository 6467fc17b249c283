// Package schema is what editors check Wukongs and WukongNetworks by: the schema of their definitions as JSON Schema, draft 7, with every
// description. It is strict: a field that the definition does not have is refused, where the API server would drop it, unless the
// definition keeps unknown fields. What only the definition's rules in CEL say, it does not say.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/deploy"
)

const draft = "http://json-schema.org/draft-07/schema#"

// object is a JSON object. encoding/json writes it in the order of its keys.
type object = map[string]any

// definition is one of the kinds that people write.
type definition struct {
	kind, plural string
	apiVersion   string
	body         object
}

// Names are the kinds that there is a schema of, as it is asked for by.
func Names() ([]string, error) {
	all, err := definitions()
	var names []string
	for _, d := range all {
		names = append(names, strings.ToLower(d.kind))
	}
	return names, err
}

// Of is the schema of a kind by its name, in whatever case; the empty name is all kinds in one, for files that hold several objects: an
// object of somebody else's kind is then let pass.
func Of(name string) ([]byte, error) {
	all, err := definitions()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return encode(together(all))
	}
	for _, d := range all {
		if strings.EqualFold(name, d.kind) || strings.EqualFold(name, d.plural) {
			d.body["$schema"] = draft
			return encode(d.body)
		}
	}
	return nil, fmt.Errorf("there is no schema of %q", name)
}

// together is a schema that takes each object by its kind.
func together(all []definition) object {
	kinds, bodies, apiVersion := []any{}, object{}, ""
	var each []any
	for _, d := range all {
		kinds = append(kinds, d.kind)
		bodies[d.kind] = d.body
		apiVersion = d.apiVersion
		is := object{"required": []any{"kind"}, "properties": object{"kind": object{"const": d.kind}}}
		each = append(each, object{"if": is, "then": object{"$ref": "#/definitions/" + d.kind}})
	}
	ours := object{"required": []any{"apiVersion"}, "properties": object{"apiVersion": object{"pattern": "^" + strings.ReplaceAll(group(apiVersion), ".", `\.`) + "/"}}}
	each = append(each, object{"if": ours, "then": object{"properties": object{"kind": object{"enum": kinds}}}})
	return object{
		"$schema": draft, "title": "Wukong and WukongNetwork", "type": "object", "required": []any{"apiVersion", "kind"},
		"properties": object{
			"apiVersion": object{"type": "string", "examples": []any{apiVersion}},
			"kind":       object{"type": "string", "examples": kinds},
		},
		"allOf": each, "definitions": bodies,
	}
}

func group(apiVersion string) string {
	name, _, _ := strings.Cut(apiVersion, "/")
	return name
}

func encode(schema object) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(schema)
	return out.Bytes(), err
}

// definitions reads the definitions.
func definitions() ([]definition, error) {
	var all []definition
	for _, text := range deploy.Definitions() {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &crd); err != nil {
			return nil, fmt.Errorf("reading a definition: %w", err)
		}
		version := crd.Spec.Versions[0]
		d := definition{kind: crd.Spec.Names.Kind, plural: crd.Spec.Names.Plural, apiVersion: crd.Spec.Group + "/" + version.Name}
		root := *version.Schema.OpenAPIV3Schema
		var err error
		if d.body, err = convert(root); err != nil {
			return nil, fmt.Errorf("%s: %w", crd.Name, err)
		}
		properties := d.body["properties"].(object)
		properties["apiVersion"] = object{"const": d.apiVersion, "description": root.Properties["apiVersion"].Description}
		properties["kind"] = object{"const": d.kind, "description": root.Properties["kind"].Description}
		properties["metadata"] = metadata(root.Properties["metadata"])
		properties["status"].(object)["readOnly"] = true
		d.body["required"] = union([]string{"apiVersion", "kind", "metadata"}, root.Required)
		all = append(all, d)
	}
	return all, nil
}

func union(a, b []string) []any {
	var all []any
	seen := map[string]bool{}
	for _, name := range append(a, b...) {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	return all
}

// metadata is what an object of a kind without namespaces says of itself. namespace is refused: kubectl would drop it. What the API server
// writes is let pass, because people edit what they have fetched.
func metadata(root apiextensionsv1.JSONSchemaProps) object {
	texts := object{"type": "object", "additionalProperties": object{"type": "string"}}
	properties := object{
		"name":         object{"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
		"generateName": object{"type": "string", "description": "For kubectl create only: kubectl apply needs a name."},
		"labels":       texts, "annotations": texts,
		"finalizers":      object{"type": "array", "items": object{"type": "string"}},
		"ownerReferences": object{"type": "array", "items": object{"type": "object"}},
	}
	for _, name := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"} {
		properties[name] = object{"readOnly": true}
	}
	either := []any{object{"required": []any{"name"}}, object{"required": []any{"generateName"}}}
	return object{"type": "object", "description": root.Description, "properties": properties, "additionalProperties": false, "anyOf": either}
}

// foreign reports whether a schema says what is written otherwise in JSON Schema, or means something else there.
func foreign(s apiextensionsv1.JSONSchemaProps) bool {
	return s.Not != nil || len(s.AllOf) > 0 || len(s.OneOf) > 0 || s.ExclusiveMinimum || s.ExclusiveMaximum || s.XEmbeddedResource
}

// convert is a schema of a definition as JSON Schema. What a schema of a definition may say and ours do not is an error, so that
// nothing is left out without a word.
func convert(s apiextensionsv1.JSONSchemaProps) (object, error) {
	if foreign(s) {
		return nil, fmt.Errorf("not, allOf, oneOf, exclusive limits and embedded objects are not converted: extend package schema")
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var out object
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, err
	}
	for name := range out {
		if strings.HasPrefix(name, "x-kubernetes-") {
			delete(out, name)
		}
	}
	delete(out, "nullable")
	switch {
	case s.XIntOrString:
		delete(out, "anyOf")
		out["type"] = []any{"integer", "string"}
	case s.Nullable && s.Type != "":
		out["type"] = []any{s.Type, "null"}
	}
	if s.XListType != nil && *s.XListType == "set" {
		out["uniqueItems"] = true
	}
	return out, below(s, out)
}

// below converts what a schema has below it.
func below(s apiextensionsv1.JSONSchemaProps, out object) error {
	if s.Items != nil && s.Items.Schema != nil {
		items, err := convert(*s.Items.Schema)
		if err != nil {
			return err
		}
		out["items"] = items
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		values, err := convert(*s.AdditionalProperties.Schema)
		if err != nil {
			return err
		}
		out["additionalProperties"] = values
	}
	if len(s.Properties) > 0 {
		properties := object{}
		for name, property := range s.Properties {
			converted, err := convert(property)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			properties[name] = converted
		}
		out["properties"] = properties
	}
	open := s.XPreserveUnknownFields != nil && *s.XPreserveUnknownFields
	if s.Type == "object" && s.AdditionalProperties == nil && !open {
		out["additionalProperties"] = false
	}
	return nil
}
