package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"novasphere.dev/wukong/e2e/cluster"
	"novasphere.dev/wukong/types/v1alpha1"
)

const tenancy = "components/tenancy/validatingadmissionpolicy.yaml"

const (
	policies    = "nodenetworkconfigurationpolicies.nmstate.io"
	attachments = "network-attachment-definitions.k8s.cni.cncf.io"
	machines    = "virtualmachines.kubevirt.io"
)

// What people without the rights are told, word for word.
const (
	askForMachines     = ": ask whoever administers the namespace for a role that allows it, such as kubevirt.io:edit"
	askForNetwork      = ": ask whoever administers the nodes for a WukongNetwork, and name that as networkName in a network without type"
	askForNAD          = ": ask whoever administers the namespace for an attachment, and name that as nadName"
	askForRole         = ": ask whoever administers the namespace for a role that allows it"
	askForSecret       = ", which the guest would show" + askForRole
	secretsOfATemplate = "tenant may not get the Secrets in namespace team-a, of which virtualMachine shows some to the guest: ask whoever administers " +
		"the namespace for a role that allows it, or name the Secret in userDataSecret, networkDataSecret or sshKeySecret"
)

// people are those who write Wukongs. All have wukong-edit, or what stands for it.
type people map[string]user

// newPeople gives each their rights, which the API server knows of when it returns.
func newPeople(t *testing.T, edit func(user)) people {
	t.Helper()
	if err := shared.EnsureNamespace(t.Context(), "team-a"); err != nil {
		t.Fatal(err)
	}
	machine := []right{{verb: "create", resource: machines, namespace: "team-a"}, {verb: "delete", resource: machines, namespace: "team-a"}}
	all := people{}
	for name, rights := range map[string][]right{
		"stranger": nil,
		"tenant": append(machine, right{verb: "get", resource: "secrets", namespace: "team-a", name: "mine"},
			right{verb: "get", resource: "persistentvolumeclaims", namespace: "team-a", name: "mine"}),
		"networker":  append(machine, right{verb: "create", resource: attachments, namespace: "team-a"}),
		"nodesadmin": append(machine, right{verb: "create", resource: policies}, right{verb: "delete", resource: policies}),
	} {
		u := newUser(t, name)
		edit(u)
		u.grant(t, rights...)
		all[name] = u
	}
	// As kubectl auth can-i says it, before the policy does.
	all["stranger"].mustLack(t, machine...)
	all["tenant"].mustLack(t, right{verb: "create", resource: machines}, right{verb: "create", resource: machines, namespace: "default"},
		right{verb: "create", resource: policies}, right{verb: "create", resource: attachments, namespace: "team-a"},
		right{verb: "get", resource: "secrets", namespace: "team-a"}, right{verb: "get", resource: "secrets", namespace: "team-a", name: "theirs"})
	all["networker"].mustLack(t, right{verb: "create", resource: policies}, right{verb: "create", resource: attachments, namespace: "default"})
	all["nodesadmin"].mustLack(t, right{verb: "create", resource: attachments, namespace: "team-a"})
	return all
}

// editors have the role wukong-edit.
func editors(t *testing.T) func(user) {
	t.Helper()
	manifest(t, "base/clusterroles.yaml", "ClusterRole")
	return func(u user) {
		u.bind(t, "ClusterRole", "wukong-edit", "")
		u.mustHave(t, each("create update delete", "wukongs.vm.novasphere.dev")...)
	}
}

// enforced waits until the API server asks the policy: it refuses what stranger creates.
func enforced(t *testing.T, create func() error) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, propagation, true, func(context.Context) (bool, error) {
		return apierrors.IsForbidden(create()), nil
	})
	if err != nil {
		t.Fatal("the API server does not ask the policy")
	}
}

// write is what somebody wants of a Wukong, and what is said to that; nothing where it is let through.
type write struct {
	user, body, want string
}

var writes = []write{
	{"stranger", `{spec: {namespace: team-a}}`, "stranger may not create virtualmachines.kubevirt.io in namespace team-a, where the machine of this Wukong is" + askForMachines},
	{"tenant", `{spec: {namespace: team-a}}`, ""},
	{"tenant", `{spec: {}}`, "tenant may not create virtualmachines.kubevirt.io in namespace default, where the machine of this Wukong is" + askForMachines},
	{"tenant", `{spec: {namespace: team-a, networks: []}}`, ""},
	{"tenant", `{spec: {namespace: team-a, networks: [{name: default}]}}`, ""},
	{"tenant", `{spec: {namespace: team-a, networks: [{name: default, type: pod}]}}`, ""},
	{"tenant", `{spec: {namespace: team-a, networks: [{name: default}, {name: lan, networkName: lan-100}]}}`, ""},
	{"tenant", `{spec: {namespace: team-a, networks: [{name: lan, type: bridge, nadName: lan}, {name: fast, type: macvlan, nadName: other/fast}]}}`, ""},
	{"tenant", `{spec: {namespace: team-a, networks: [{name: default}, {name: lan, type: bridge}]}}`,
		"tenant may not create nodenetworkconfigurationpolicies.nmstate.io, which network lan of type bridge needs, because it configures the nodes" + askForNetwork},
	{"tenant", `{spec: {namespace: team-a, networks: [{name: lan, type: ovs, vlanId: 7}]}}`,
		"tenant may not create nodenetworkconfigurationpolicies.nmstate.io, which network lan of type ovs needs, because it configures the nodes" + askForNetwork},
	{"nodesadmin", `{spec: {namespace: team-a, networks: [{name: lan, type: bridge}]}}`, ""},
	{"tenant", `{spec: {namespace: team-a, networks: [{name: fast, type: macvlan}]}}`,
		"tenant may not create network-attachment-definitions.k8s.cni.cncf.io in namespace team-a, which network fast of type macvlan needs" + askForNAD},
	{"nodesadmin", `{spec: {namespace: team-a, networks: [{name: fast, type: ipvlan}]}}`,
		"nodesadmin may not create network-attachment-definitions.k8s.cni.cncf.io in namespace team-a, which network fast of type ipvlan needs" + askForNAD},
	{"tenant", `{spec: {namespace: team-a, networks: [{name: vf, type: sriov, resourceName: example.com/vf}]}}`,
		"tenant may not create network-attachment-definitions.k8s.cni.cncf.io in namespace team-a, which network vf of type sriov needs" + askForNAD},
	{"networker", `{spec: {namespace: team-a, networks: [{name: fast, type: macvlan}, {name: vf, type: sriov, resourceName: example.com/vf}]}}`, ""},
	{"networker", `{spec: {namespace: team-a, networks: [{name: fast, type: macvlan}, {name: lan, type: bridge, vlanId: 7}]}}`,
		"networker may not create nodenetworkconfigurationpolicies.nmstate.io, which network lan of type bridge needs, because it configures the nodes" + askForNetwork},
	{"tenant", `{spec: {namespace: team-a, userDataSecret: mine, networkDataSecret: mine, sshKeySecret: mine}}`, ""},
	{"tenant", `{spec: {namespace: team-a, userDataSecret: theirs}}`, "tenant may not get the Secret team-a/theirs of userDataSecret" + askForSecret},
	{"tenant", `{spec: {namespace: team-a, userDataSecret: mine, networkDataSecret: theirs}}`, "tenant may not get the Secret team-a/theirs of networkDataSecret" + askForSecret},
	{"tenant", `{spec: {namespace: team-a, sshKeySecret: theirs}}`, "tenant may not get the Secret team-a/theirs of sshKeySecret" + askForSecret},
	{"tenant", `{spec: {namespace: team-a, virtualMachine: {spec: {runStrategy: Halted}}}}`, ""},
	{"tenant", `{spec: {namespace: team-a, virtualMachine: {spec: {template: {spec: {domain: {devices: {tpm: {}}}, volumes: [{name: a, persistentVolumeClaim: {claimName: a}}, {name: cloudinitdisk, cloudInitNoCloud: {userData: a}}]}}}}}}`, ""},
	{"tenant", `{spec: {namespace: team-a, virtualMachine: {spec: {template: {spec: {volumes: [{name: a, secret: {secretName: theirs}}]}}}}}}`, secretsOfATemplate},
	{"tenant", `{spec: {namespace: team-a, virtualMachine: {spec: {template: {spec: {volumes: [{name: a, serviceAccount: {serviceAccountName: default}}]}}}}}}`, secretsOfATemplate},
	{"tenant", `{spec: {namespace: team-a, virtualMachine: {spec: {template: {spec: {volumes: [{name: a, cloudInitNoCloud: {secretRef: {name: theirs}}}]}}}}}}`, secretsOfATemplate},
	{"tenant", `{spec: {namespace: team-a, virtualMachine: {spec: {template: {spec: {accessCredentials: []}}}}}}`, secretsOfATemplate},
	{"tenant", `{spec: {namespace: team-a, imagePullSecret: mine}}`, ""},
	{"tenant", `{spec: {namespace: team-a, imagePullSecret: theirs}}`,
		"tenant may not get the Secret team-a/theirs of imagePullSecret, which the image would be pulled with" + askForRole},
	{"tenant", `{spec: {namespace: team-a, disks: [{name: a, size: 1Gi}, {name: b, size: 1Gi, image: quay.io/x, secretRef: mine}, {name: c, size: 1Gi, image: quay.io/y, secretRef: mine}]}}`, ""},
	{"tenant", `{spec: {namespace: team-a, disks: [{name: a, size: 1Gi, image: quay.io/x, secretRef: theirs}]}}`,
		"tenant may not get the Secret team-a/theirs of secretRef, which a disk would be filled with" + askForRole},
	{"tenant", `{spec: {namespace: team-a, disks: [{name: a, size: 1Gi, image: quay.io/x, secretRef: mine}, {name: b, size: 1Gi, image: quay.io/y, secretRef: theirs}]}}`,
		"tenant may not get Secrets in namespace team-a of secretRef, which a disk would be filled with" + askForRole},
	{"tenant", `{spec: {namespace: team-a, disks: [{name: a, claimName: mine}, {name: b, dataSource: {name: ubuntu, namespace: golden-images}}, {name: c, clone: {name: theirs, namespace: golden-images}}]}}`, ""},
	{"tenant", `{spec: {namespace: team-a, disks: [{name: a, claimName: theirs}]}}`,
		"tenant may not get the PersistentVolumeClaim team-a/theirs of disks, which the guest would have" + askForRole},
	{"tenant", `{spec: {namespace: team-a, disks: [{name: a, claimName: mine}, {name: b, clone: {name: theirs, namespace: team-a}}]}}`,
		"tenant may not get PersistentVolumeClaims in namespace team-a of disks, which the guest would have" + askForRole},
	{"tenant", `{spec: {namespace: team-a, disks: [{name: a, clone: {name: theirs}}]}}`,
		"tenant may not get the PersistentVolumeClaim team-a/theirs of disks, which the guest would have" + askForRole},
}

// Whoever creates a Wukong gets no more by it than they could make by hand.
func TestTenantsCreateWhatTheyMayMakeByHand(t *testing.T) {
	all := newPeople(t, editors(t))
	manifest(t, tenancy, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
	try := func(w write) error {
		_, err := all[w.user].client.Resource(wukongResource).Create(t.Context(), wukong(t, w.body), strictly)
		return err
	}
	enforced(t, func() error { return try(writes[0]) })
	for _, w := range writes {
		compareDenial(t, w, try(w))
	}
	// An administrator is asked the same, and may do it all.
	body := `{spec: {networks: [{name: lan, type: bridge, vlanId: 7}, {name: fast, type: macvlan}], userDataSecret: any}}`
	if _, err := wukongs().Create(t.Context(), wukong(t, body), strictly); err != nil {
		t.Errorf("%s\nof an administrator is refused: %v", body, err)
	}
}

// Whoever changes or deletes a Wukong is asked about what it was, too: to drop a network is to take it off the nodes.
func TestTenantsChangeWhatTheyMayMakeByHand(t *testing.T) {
	const (
		pods    = `{metadata: {name: pods}, spec: {namespace: team-a}}`
		bridge  = `{metadata: {name: bridge}, spec: {namespace: team-a, networks: [{name: lan, type: bridge}]}}`
		devices = `{metadata: {name: devices}, spec: {namespace: team-a, networks: [{name: fast, type: macvlan}], userDataSecret: theirs}}`
	)
	const deletes = "tenant may not delete nodenetworkconfigurationpolicies.nmstate.io, which network lan of type bridge needs, because it configures the nodes"
	all := newPeople(t, editors(t))
	for _, body := range []string{pods, bridge, devices} {
		if _, err := create(t, wukong(t, body)); err != nil {
			t.Fatal(err)
		}
	}
	manifest(t, tenancy, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
	enforced(t, func() error { return updated(t, all["stranger"], `{metadata: {name: pods}, spec: {cpu: 3}}`) })

	for _, w := range []write{
		{"tenant", `{metadata: {name: pods}, spec: {cpu: 2}}`, ""},
		{"stranger", `{metadata: {name: pods}, spec: {cpu: 2}}`, "stranger may not create virtualmachines.kubevirt.io in namespace team-a, where the machine of this Wukong is" + askForMachines},
		{"stranger", `{metadata: {name: pods, labels: {seen: "true"}}}`, ""},
		{"tenant", `{metadata: {name: pods}, spec: {networks: [{name: lan, type: bridge}]}}`,
			"tenant may not create nodenetworkconfigurationpolicies.nmstate.io, which network lan of type bridge needs, because it configures the nodes" + askForNetwork},
		{"tenant", `{metadata: {name: bridge}, spec: {networks: []}}`,
			"tenant may not create nodenetworkconfigurationpolicies.nmstate.io, which network lan of type bridge needs, because it configures the nodes" + askForNetwork},
		{"nodesadmin", `{metadata: {name: bridge}, spec: {networks: []}}`, ""},
		{"networker", `{metadata: {name: devices}, spec: {cpu: 2}}`, "networker may not get the Secret team-a/theirs of userDataSecret" + askForSecret},
		{"networker", `{metadata: {name: devices}, spec: {cpu: 2, userDataSecret: null}}`, ""},
	} {
		compareDenial(t, w, updated(t, all[w.user], w.body))
	}
	for _, w := range []write{
		{"tenant", "pods", ""},
		{"stranger", "pods", "stranger may not delete virtualmachines.kubevirt.io in namespace team-a, where the machine of this Wukong is" + askForMachines},
		{"tenant", "bridge", deletes + ": ask whoever administers the nodes to delete it"},
		{"nodesadmin", "bridge", ""},
	} {
		err := all[w.user].client.Resource(wukongResource).Delete(t.Context(), w.body, metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
		compareDenial(t, w, err)
	}
}

// What docs/operations.md shows: kubectl asks first whether it may, and then prints the whole refusal.
func TestKubectlPrintsTheRefusal(t *testing.T) {
	all := newPeople(t, editors(t))
	manifest(t, tenancy, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
	enforced(t, func() error {
		_, err := all["stranger"].client.Resource(wukongResource).Create(t.Context(), wukong(t, `{spec: {}}`), strictly)
		return err
	})
	for namespace, want := range map[string]string{"team-a": "yes", "default": "no"} {
		// can-i says no by its exit code, too.
		output, _ := kubectl(t, "auth", "can-i", "create", machines, "-n", namespace, "--as=tenant").CombinedOutput()
		if got := strings.TrimSpace(string(output)); got != want {
			t.Errorf("kubectl auth can-i create %s -n %s: %s, want %s", machines, namespace, got, want)
		}
	}
	output, err := kubectl(t, "apply", "-f", "../../examples/vm-with-nmstate.yaml", "--as=tenant").CombinedOutput()
	if want := "tenant may not create " + machines + " in namespace default"; err == nil || !strings.Contains(string(output), want) {
		t.Errorf("kubectl says: %s\nwant: %s", output, want)
	}
}

// Metacontroller may read no Secret, and yet puts its finalizer on, writes the status, and takes the finalizer off.
func TestMetacontrollerWritesWukongsOfTenants(t *testing.T) {
	mc := metacontroller(t)
	manifest(t, "base/clusterroles.yaml", "ClusterRole")
	editor := newUser(t, "stranger")
	editor.bind(t, "ClusterRole", "wukong-edit", "")
	editor.mustHave(t, right{verb: "create", resource: "wukongs.vm.novasphere.dev"})
	manifest(t, tenancy, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
	enforced(t, func() error {
		_, err := editor.client.Resource(wukongResource).Create(t.Context(), wukong(t, `{spec: {}}`), strictly)
		return err
	})
	w, err := create(t, wukong(t, `{spec: {namespace: team-a, networks: [{name: lan, type: bridge, vlanId: 7}, {name: fast, type: macvlan}], userDataSecret: theirs, sshKeySecret: theirs}}`))
	if err != nil {
		t.Fatal(err)
	}

	client := mc.client.Resource(wukongResource)
	const finalizer = "metacontroller.io/compositecontroller-wukong"
	w.SetFinalizers([]string{finalizer})
	if w, err = client.Update(t.Context(), w, metav1.UpdateOptions{}); err != nil {
		t.Fatalf("putting the finalizer on: %v", err)
	}
	w.Object["status"] = map[string]any{"phase": "Pending", "observedGeneration": int64(1)}
	if w, err = client.UpdateStatus(t.Context(), w, metav1.UpdateOptions{}); err != nil {
		t.Errorf("writing the status: %v", err)
	}
	w.SetFinalizers(nil)
	if _, err = client.Update(t.Context(), w, metav1.UpdateOptions{}); err != nil {
		t.Errorf("taking the finalizer off: %v", err)
	}
	// What lets it through is that the spec is the same.
	compareDenial(t, write{mc.name, "one more core", mc.name + " may not get the Secret team-a/theirs of userDataSecret" + askForSecret}, replaced(t, mc, "vm"))
}

// The policy takes whatever is absent, and types that it does not know. The kind Wukong refuses most of these itself, so they
// are asked of a kind without a schema.
func TestTenancyTakesHalfFilledWukongs(t *testing.T) {
	const group = "half-filled.example.com"
	install(t, shapeless(t, group))
	client := schema.GroupVersionResource{Group: group, Version: v1alpha1.Version, Resource: v1alpha1.Resource}
	all := newPeople(t, func(u user) { u.grant(t, right{verb: "create", resource: v1alpha1.Resource + "." + group}) })
	objects, err := cluster.ReadFile("../../deploy/" + tenancy)
	if err != nil {
		t.Fatal(err)
	}
	for _, obj := range objects {
		if rules, ok, _ := unstructured.NestedSlice(obj.Object, "spec", "matchConstraints", "resourceRules"); ok {
			rules[0].(map[string]any)["apiGroups"] = []any{group}
			if err := unstructured.SetNestedSlice(obj.Object, rules, "spec", "matchConstraints", "resourceRules"); err != nil {
				t.Fatal(err)
			}
		}
		install(t, obj)
	}
	try := func(w write) error {
		obj := wukong(t, w.body)
		obj.SetAPIVersion(group + "/" + v1alpha1.Version)
		_, err := all[w.user].client.Resource(client).Create(t.Context(), obj, strictly)
		return err
	}
	const noMachines = "may not create virtualmachines.kubevirt.io in namespace default, where the machine of this Wukong is" + askForMachines
	const noPolicies = "tenant may not create nodenetworkconfigurationpolicies.nmstate.io, which network "
	rows := []write{
		{"stranger", `{}`, "stranger " + noMachines},
		{"tenant", `{spec: {}}`, "tenant " + noMachines},
		{"tenant", `{spec: {networks: []}}`, "tenant " + noMachines},
		{"tenant", `{spec: {namespace: team-a, disks: [{}, {clone: {}}, {clone: {namespace: team-a}}]}}`, ""},
		{"tenant", `{spec: {namespace: team-a, networks: [{}, {name: default}]}}`, ""},
		{"tenant", `{spec: {namespace: team-a, networks: [{name: lan, networkName: lan-100}]}}`, ""},
		{"tenant", `{spec: {namespace: team-a, networks: [{networkName: lan-100}, {nadName: a}, {type: bridge, nadName: b}]}}`, ""},
		{"tenant", `{spec: {namespace: team-a, networks: [{networkName: lan-100}, {type: bridge}]}}`, noPolicies + "without a name of type bridge needs, because it configures the nodes" + askForNetwork},
		{"tenant", `{spec: {namespace: team-a, networks: [{name: new, type: something-new}]}}`, noPolicies + "new of type something-new needs, because it configures the nodes" + askForNetwork},
		{"tenant", `{spec: {namespace: team-a, networks: [{type: macvlan}]}}`,
			"tenant may not create network-attachment-definitions.k8s.cni.cncf.io in namespace team-a, which network without a name of type macvlan needs" + askForNAD},
	}
	enforced(t, func() error { return try(rows[0]) })
	for _, w := range rows {
		compareDenial(t, w, try(w))
	}
}

var wukongResource = schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: v1alpha1.Resource}

// strictly creates nothing, and is asked everything that creating is.
var strictly = metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}

// updated merges a patch into a Wukong, which it names. Nothing of it is stored.
func updated(t *testing.T, u user, body string) error {
	t.Helper()
	w := wukong(t, body)
	patch, err := w.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.client.Resource(wukongResource).Patch(t.Context(), w.GetName(), types.MergePatchType, patch, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

// replaced asks for one more core, as one does who may update and not patch. Nothing of it is stored.
func replaced(t *testing.T, u user, name string) error {
	t.Helper()
	client := u.client.Resource(wukongResource)
	w, err := client.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.Object["spec"].(map[string]any)["cpu"] = int64(2)
	_, err = client.Update(t.Context(), w, metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

// compareDenial holds what was said against what is wanted.
func compareDenial(t *testing.T, w write, err error) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
		if _, reason, ok := strings.Cut(got, "'wukong-tenancy' with binding 'wukong-tenancy' denied request: "); ok && apierrors.IsForbidden(err) {
			got = reason
		}
	}
	if diff := cmp.Diff(w.want, got); diff != "" {
		t.Errorf("%s: %s\nwant (-), got (+):\n%s", w.user, w.body, diff)
	}
}

// shapeless is a definition of Wukong in another group, which takes any object.
func shapeless(t *testing.T, group string) *unstructured.Unstructured {
	t.Helper()
	definitions, err := cluster.ReadFile("../../deploy/base/vm.novasphere.dev_wukongs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := definitions[0]
	d.SetName(v1alpha1.Resource + "." + group)
	d.Object["spec"].(map[string]any)["group"] = group
	versions := d.Object["spec"].(map[string]any)["versions"].([]any)
	version := versions[0].(map[string]any)
	delete(version, "additionalPrinterColumns")
	version["schema"] = map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}
	return d
}
