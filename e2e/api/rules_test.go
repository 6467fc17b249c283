package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/admission"
)

// rule is one thing that may be wrong with an object: as it is right, as it is wrong, and what the user is told. Old is the
// object before, where an update is meant.
type rule struct {
	Says     string          `json:"says"`
	Old      json.RawMessage `json:"old"`
	Accepted json.RawMessage `json:"accepted"`
	Refused  json.RawMessage `json:"refused"`
	Want     string          `json:"want"`

	kind kind
}

// creations are the rules of objects by themselves, which the tests of package admission go by, too.
func creations(t *testing.T) []rule {
	t.Helper()
	return append(rows(t, "creations.yaml", wukongKind), rows(t, "network-creations.yaml", networkKind)...)
}

// changes are the rules of updates.
func changes(t *testing.T) []rule {
	t.Helper()
	return append(rows(t, "changes.yaml", wukongKind), rows(t, "network-changes.yaml", networkKind)...)
}

// rows are the rules in a file, which is about a kind.
func rows(t *testing.T, file string, kind kind) []rule {
	t.Helper()
	file = filepath.Join("..", "..", "testdata", "admission", file)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []rule
	if err := yaml.UnmarshalStrict(content, &rows); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no rows", file)
	}
	for i := range rows {
		rows[i].kind = kind
	}
	return rows
}

func TestWrongObjectsAreRefused(t *testing.T) {
	for _, rule := range creations(t) {
		t.Run(rule.kind.kind+": "+rule.Says, func(t *testing.T) {
			_, err := create(t, rule.kind.object(t, string(rule.Refused)))
			compareRefusal(t, rule, err)
			if _, err := create(t, rule.kind.object(t, string(rule.Accepted))); err != nil {
				t.Errorf("%s\nis refused: %v", rule.Accepted, err)
			}
		})
	}
}

func TestWrongChangesAreRefused(t *testing.T) {
	for _, change := range changes(t) {
		t.Run(change.kind.kind+": "+change.Says, func(t *testing.T) {
			old, err := create(t, change.kind.object(t, string(change.Old)))
			if err != nil {
				t.Fatalf("%s\nis refused: %v", change.Old, err)
			}
			update := func(body json.RawMessage) error {
				u := change.kind.object(t, string(body))
				u.SetResourceVersion(old.GetResourceVersion())
				_, err := change.kind.client().Update(t.Context(), u, metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict})
				return err
			}
			compareRefusal(t, change, update(change.Refused))
			if err := update(change.Accepted); err != nil {
				t.Errorf("%s\nafter %s\nis refused: %v", change.Accepted, change.Old, err)
			}
		})
	}
}

// What package admission says is stored is what is stored.
func TestOfflineAdmissionStoresTheSame(t *testing.T) {
	schemas := map[kind]*admission.Schema{}
	for _, kind := range []kind{wukongKind, networkKind} {
		content, err := os.ReadFile(kind.definition())
		if err != nil {
			t.Fatal(err)
		}
		if schemas[kind], err = admission.New(content); err != nil {
			t.Fatal(err)
		}
	}
	for _, rule := range creations(t) {
		t.Run(rule.kind.kind+": "+rule.Says, func(t *testing.T) {
			offline, err := schemas[rule.kind].Admit(rule.kind.object(t, string(rule.Accepted)))
			if err != nil {
				t.Fatal(err)
			}
			created, err := create(t, rule.kind.object(t, string(rule.Accepted)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(offline.Object, unstamped(t, created)); diff != "" {
				t.Errorf("%s\noffline (-), stored (+):\n%s", rule.Accepted, diff)
			}
		})
	}
}

func compareRefusal(t *testing.T, rule rule, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s\nis accepted, want: %s", rule.Refused, rule.Want)
		return
	}
	var causes []metav1.StatusCause
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		causes = status.Status().Details.Causes
	}
	got := strings.TrimPrefix(err.Error(), fmt.Sprintf("%s.vm.novasphere.dev %q is invalid: ", rule.kind.kind, rule.kind.name))
	if diff := cmp.Diff(anyOrder(rule.Want, causes), anyOrder(got, causes)); diff != "" {
		t.Errorf("%s\nsays: %s\nwant: %s", rule.Refused, got, rule.Want)
	}
}

// anyOrder is a message with its causes at the end: in the API server's own, they have no order.
func anyOrder(message string, causes []metav1.StatusCause) []string {
	var parts []string
	for _, cause := range causes {
		part := cause.Field + ": " + cause.Message
		if rest := strings.Replace(message, part, "", 1); rest != message {
			message = rest
			parts = append(parts, part)
		}
	}
	slices.Sort(parts)
	return append([]string{message}, parts...)
}
