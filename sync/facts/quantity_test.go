package facts_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"novasphere.dev/wukong/sync/facts"
)

// TestReadQuantity holds that sizes are read, and that no text is parsed that takes for ever.
func TestReadQuantity(t *testing.T) {
	for text, want := range map[string]string{"10Gi": "10240Mi", "1.5Gi": "1536Mi", "21474836480": "20Gi", "5e9": "5G", "1E": "1000P", "2Ki": "2048"} {
		if q, ok := facts.ReadQuantity(text); !ok || q.Cmp(resource.MustParse(want)) != 0 {
			t.Errorf("%s is %s, %t; want %s", text, q.String(), ok, want)
		}
	}
	for _, text := range []string{"", "1e-2000000000", "1e2000000000", "1e999", "-1Gi", "10 Gi", "10GB", "x", "1e1e1", "1.Gi"} {
		if q, ok := facts.ReadQuantity(text); ok {
			t.Errorf("%q is read as %s", text, q.String())
		}
	}
}
