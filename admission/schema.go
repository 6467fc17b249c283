// Package admission answers, offline, what the API server would answer for an object of a CustomResourceDefinition's
// kind: whether it accepts the object, the error message where it does not, and the object that it would store.
//
// The package has no rules of its own. Pruning, defaulting, schema, list types, CEL and ratcheting are the API server's
// own libraries, which it calls in the API server's order. It knows nothing but the definition: no webhooks and
// policies, no quotas, no other objects. It does not check the replicas of a scale subresource.
package admission

import (
	"fmt"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/api/meta"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// Schema is the kind that one CustomResourceDefinition describes. Several goroutines may use it at once.
type Schema struct {
	kind      runtimeschema.GroupKind
	served    map[string]func() (*version, error)
	stored    func() (*version, error)
	byWebhook bool // a webhook converts between versions, and cannot be called from here
}

// version is one version of the kind, compiled.
type version struct {
	kind              runtimeschema.GroupVersionKind
	namespaced        bool
	statusSubresource bool
	structural        *schema.Structural
	values            validation.SchemaValidator
	statusValues      validation.SchemaValidator // nil where the schema has no status: then any status is valid
	rules             *cel.Validator             // nil where the schema has no rules
}

// New reads a CustomResourceDefinition, as YAML or JSON. A version is compiled when it is used for the first time.
func New(definition []byte) (*Schema, error) {
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(definition, &crd); err != nil {
		return nil, fmt.Errorf("reading the CustomResourceDefinition: %w", err)
	}
	if crd.APIVersion != apiextensionsv1.SchemeGroupVersion.String() || crd.Kind != "CustomResourceDefinition" {
		return nil, fmt.Errorf("reading the CustomResourceDefinition: this is apiVersion %q, kind %q", crd.APIVersion, crd.Kind)
	}
	apiextensionsv1.SetDefaults_CustomResourceDefinition(&crd)

	s := &Schema{
		kind:      runtimeschema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind},
		served:    map[string]func() (*version, error){},
		byWebhook: crd.Spec.Conversion.Strategy == apiextensionsv1.WebhookConverter,
	}
	storing := 0
	for _, v := range crd.Spec.Versions {
		compiled := sync.OnceValues(func() (*version, error) {
			compiled, err := compile(&crd.Spec, &v)
			if err != nil {
				return nil, fmt.Errorf("compiling version %s of %s: %w", v.Name, crd.Name, err)
			}
			return compiled, nil
		})
		if v.Served {
			s.served[v.Name] = compiled
		}
		if v.Storage {
			s.stored = compiled
			storing++
		}
	}
	if storing != 1 {
		return nil, fmt.Errorf("reading the CustomResourceDefinition %s: it stores %d versions, must be 1", crd.Name, storing)
	}
	return s, nil
}

// GroupKind is the kind that the definition describes.
func (s *Schema) GroupKind() runtimeschema.GroupKind {
	return s.kind
}

// version is the compiled version of an object. The error is what a client gets for a kind that the API server does not
// serve.
func (s *Schema) version(kind runtimeschema.GroupVersionKind) (*version, error) {
	compiled, ok := s.served[kind.Version]
	if kind.GroupKind() != s.kind || !ok {
		return nil, &meta.NoKindMatchError{GroupKind: kind.GroupKind(), SearchedVersions: []string{kind.Version}}
	}
	return compiled()
}

func compile(spec *apiextensionsv1.CustomResourceDefinitionSpec, v *apiextensionsv1.CustomResourceDefinitionVersion) (*version, error) {
	if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil || spec.PreserveUnknownFields {
		return nil, fmt.Errorf("it has no structural schema")
	}
	var internal apiextensions.CustomResourceValidation
	convert := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation
	if err := convert(v.Schema, &internal, nil); err != nil {
		return nil, err
	}
	structural, err := schema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	structural = structural.DeepCopy() // internal shares the defaults, and the next line changes them
	if err := defaulting.PruneDefaults(structural); err != nil {
		return nil, err
	}

	compiled := &version{
		kind:              runtimeschema.GroupVersionKind{Group: spec.Group, Version: v.Name, Kind: spec.Names.Kind},
		namespaced:        spec.Scope == apiextensionsv1.NamespaceScoped,
		statusSubresource: v.Subresources != nil && v.Subresources.Status != nil,
		structural:        structural,
		rules:             cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}
	if compiled.values, _, err = validation.NewSchemaValidator(internal.OpenAPIV3Schema); err != nil {
		return nil, err
	}
	if status, ok := internal.OpenAPIV3Schema.Properties["status"]; ok {
		if compiled.statusValues, _, err = validation.NewSchemaValidator(&status); err != nil {
			return nil, err
		}
	}
	return compiled, nil
}
