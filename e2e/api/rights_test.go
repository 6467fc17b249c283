package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"novasphere.dev/wukong/e2e/cluster"
)

// propagation is how long the API server may take until it acts on a role or on an admission policy.
const propagation = 30 * time.Second

// right is one thing to be allowed, as `kubectl auth can-i` is asked: create virtualmachines.kubevirt.io -n team-a.
type right struct {
	verb      string
	resource  string // with its group, and a subresource after a slash: wukongs.vm.novasphere.dev/status
	namespace string
	name      string
}

func (r right) String() string {
	text := r.verb + " " + r.resource
	if r.name != "" {
		text += " " + r.name
	}
	if r.namespace != "" {
		text += " -n " + r.namespace
	}
	return text
}

// parts are group, resource and subresource.
func (r right) parts() (group, resource, subresource string) {
	named, subresource, _ := strings.Cut(r.resource, "/")
	gr := schema.ParseGroupResource(named)
	return gr.Group, gr.Resource, subresource
}

// user is somebody whom the administrator speaks for: the API server decides as if the user had sent the request.
type user struct {
	name   string
	client dynamic.Interface
}

// newUser is a user who may do nothing yet.
func newUser(t *testing.T, name string, groups ...string) user {
	t.Helper()
	config := rest.CopyConfig(shared.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: name, Groups: append(groups, "system:authenticated")}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return user{name: name, client: client}
}

// can asks the API server whether the user has the right.
func (u user) can(t *testing.T, r right) bool {
	t.Helper()
	group, resource, subresource := r.parts()
	review := object(t, &authorizationv1.SelfSubjectAccessReview{
		TypeMeta: metav1.TypeMeta{APIVersion: authorizationv1.SchemeGroupVersion.String(), Kind: "SelfSubjectAccessReview"},
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: r.verb, Group: group, Resource: resource, Subresource: subresource, Namespace: r.namespace, Name: r.name,
		}},
	})
	reviews := u.client.Resource(authorizationv1.SchemeGroupVersion.WithResource("selfsubjectaccessreviews"))
	answer, err := reviews.Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	allowed, _, err := unstructured.NestedBool(answer.Object, "status", "allowed")
	if err != nil {
		t.Fatal(err)
	}
	return allowed
}

// mustHave waits until the user has the rights: the API server hears of a role a moment after it is stored.
func (u user) mustHave(t *testing.T, rights ...right) {
	t.Helper()
	for _, r := range rights {
		err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, propagation, true, func(context.Context) (bool, error) {
			return u.can(t, r), nil
		})
		if err != nil {
			t.Fatalf("%s may not %s, and must", u.name, r)
		}
	}
}

// mustLack holds that the user has none of the rights. Ask it after mustHave.
func (u user) mustLack(t *testing.T, rights ...right) {
	t.Helper()
	for _, r := range rights {
		if u.can(t, r) {
			t.Errorf("%s may %s, and must not", u.name, r)
		}
	}
}

// grant gives the user rights of its own, each by a role for one namespace, or for the cluster where it names none.
func (u user) grant(t *testing.T, rights ...right) {
	t.Helper()
	for i, r := range rights {
		name := fmt.Sprintf("%s-%d", u.name, i)
		group, resource, subresource := r.parts()
		if subresource != "" {
			resource += "/" + subresource
		}
		rule := rbacv1.PolicyRule{Verbs: []string{r.verb}, APIGroups: []string{group}, Resources: []string{resource}}
		if r.name != "" {
			rule.ResourceNames = []string{r.name}
		}
		kind := "ClusterRole"
		if r.namespace != "" {
			kind = "Role"
		}
		install(t, object(t, &rbacv1.Role{
			TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind},
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.namespace},
			Rules:      []rbacv1.PolicyRule{rule},
		}))
		u.bind(t, kind, name, r.namespace)
	}
	u.mustHave(t, rights...)
}

// bind gives the user a role that exists, in a namespace, or everywhere where that is empty.
func (u user) bind(t *testing.T, roleKind, role, namespace string) {
	t.Helper()
	kind := "ClusterRoleBinding"
	if namespace != "" {
		kind = "RoleBinding"
	}
	install(t, object(t, &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind},
		ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(u.name, ":", ".") + "." + role, Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: roleKind, Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: u.name}},
	}))
}

// manifest installs the objects of a file in deploy/ that have one of these kinds, for the time of the test.
func manifest(t *testing.T, file string, kinds ...string) {
	t.Helper()
	objects, err := cluster.ReadFile("../../deploy/" + file)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, obj := range objects {
		for _, kind := range kinds {
			if obj.GetKind() == kind {
				install(t, obj)
				found++
			}
		}
	}
	if found < len(kinds) {
		t.Fatalf("%s has %d objects of the kinds %q", file, found, kinds)
	}
}

// install applies an object, and deletes it at the end of the test.
func install(t *testing.T, obj *unstructured.Unstructured) {
	t.Helper()
	if err := shared.Apply(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	client, err := shared.Client(obj)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Delete(context.Background(), obj.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// object is a typed object as dynamic clients take it.
func object(t *testing.T, typed runtime.Object) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: content}
}
