package simulator

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"time"

	nmstatev1 "github.com/nmstate/kubernetes-nmstate/api/v1"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// timestampAnnotation is what NMState's webhook notes on every write of a policy, so that no two writes store the same.
const timestampAnnotation = "nmstate.io/webhook-mutating-timestamp"

// webhook is a mutation, and what it is registered with.
type webhook struct {
	name, path string
	mutate     func(*admissionv1.AdmissionRequest) ([]patchOperation, error)
	// failurePolicy is upstream's: NMState's webhook may be away, KubeVirt's may not.
	failurePolicy string

	group               string
	versions, resources []any
}

var webhooks = []webhook{
	{
		name: "nodenetworkconfigurationpolicies-timestamp-mutate.nmstate.io", path: "/nodenetworkconfigurationpolicies-timestamp-mutate",
		mutate: stampPolicy, failurePolicy: "Ignore",
		group: "nmstate.io", versions: []any{"v1alpha1", "v1beta1", "v1"},
		resources: []any{"nodenetworkconfigurationpolicies", "nodenetworkconfigurationpolicies/status"},
	},
	{
		name: "virtualmachines-mutator.kubevirt.io", path: "/virtualmachines-mutate",
		mutate: defaultMachine, failurePolicy: "Fail",
		group: "kubevirt.io", versions: []any{"v1", "v1alpha3"},
		resources: []any{"virtualmachines"},
	},
}

// serveWebhooks serves what changes policies and machines as they are written, over HTTPS with a CA of its own, and
// registers it.
func (s *Simulator) serveWebhooks(ctx context.Context) error {
	own, ca, err := certificate()
	if err != nil {
		return fmt.Errorf("making the webhooks' certificate: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for admission: %w", err)
	}
	mux := http.NewServeMux()
	var registrations []any
	for _, w := range webhooks {
		mux.Handle("POST "+w.path, reviewed(w.mutate))
		registrations = append(registrations, w.registration("https://"+listener.Addr().String(), ca))
	}
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12},
		ErrorLog:  slog.NewLogLogger(s.log.Handler(), slog.LevelInfo),
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	go func() { _ = server.ServeTLS(listener, "", "") }()

	configuration := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
		"metadata": map[string]any{"name": "simulator"},
		"webhooks": registrations,
	}}
	if _, err := s.client.Resource(mutatingWebhooks).Apply(ctx, "simulator", configuration, applied); err != nil {
		return fmt.Errorf("registering the webhooks: %w", err)
	}
	return nil
}

// registration is what the API server is told of a webhook that a server with a certificate of ca serves.
func (w webhook) registration(server string, ca []byte) map[string]any {
	return map[string]any{
		"name": w.name, "clientConfig": map[string]any{"url": server + w.path, "caBundle": base64.StdEncoding.EncodeToString(ca)},
		"rules": []any{map[string]any{
			"operations": []any{"CREATE", "UPDATE"}, "apiGroups": []any{w.group}, "apiVersions": w.versions, "resources": w.resources,
		}},
		"failurePolicy": w.failurePolicy, "sideEffects": "None", "admissionReviewVersions": []any{"v1"}, "timeoutSeconds": int64(10),
	}
}

// patchOperation is one operation of a JSON patch.
type patchOperation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// reviewed serves a mutation as an admission webhook.
func reviewed(mutate func(*admissionv1.AdmissionRequest) ([]patchOperation, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
			http.Error(w, "this is no AdmissionReview", http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		operations, err := mutate(review.Request)
		if err == nil && len(operations) > 0 {
			patchType := admissionv1.PatchTypeJSONPatch
			review.Response.PatchType = &patchType
			review.Response.Patch, err = json.Marshal(operations)
		}
		if err != nil {
			review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Result: &metav1.Status{Message: err.Error()}}
		}
		review.Request = nil
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	}
}

// stampPolicy is NMState's pkg/webhook/nodenetworkconfigurationpolicy/timestamp.go: the policy passes through its Go type,
// which drops what is empty, and gets the time in an annotation. On a write of the status the API server ignores both.
func stampPolicy(request *admissionv1.AdmissionRequest) ([]patchOperation, error) {
	var policy nmstatev1.NodeNetworkConfigurationPolicy
	if err := json.Unmarshal(request.Object.Raw, &policy); err != nil {
		return nil, fmt.Errorf("decoding the policy: %w", err)
	}
	annotations := map[string]string{}
	for key, value := range policy.Annotations {
		annotations[key] = value
	}
	annotations[timestampAnnotation] = strconv.FormatInt(time.Now().UnixNano(), 10)
	return []patchOperation{
		{"add", "/spec", policy.Spec},
		{"add", "/metadata/annotations", annotations},
	}, nil
}

// defaultMachine is KubeVirt's pkg/virt-api/webhooks/mutating-webhook/mutators/vm-mutator.go and pkg/defaults: the machine
// passes through its Go type, which adds what has no omitempty, gets an architecture and a machine type, and at its
// creation a firmware UUID and serial number, here derived from its name. Its whole spec and metadata are replaced. The
// nulls are those of releases whose metadata always wrote a creationTimestamp.
func defaultMachine(request *admissionv1.AdmissionRequest) ([]patchOperation, error) {
	var machine kubevirtv1.VirtualMachine
	if err := json.Unmarshal(request.Object.Raw, &machine); err != nil {
		return nil, fmt.Errorf("decoding the machine: %w", err)
	}
	if machine.DeletionTimestamp != nil || machine.Spec.Template == nil {
		return nil, nil
	}
	template := &machine.Spec.Template.Spec
	if request.Operation == admissionv1.Create {
		defaultNewMachine(&machine)
	}
	if template.Architecture == "" {
		template.Architecture = "amd64"
	}
	if template.Domain.Machine == nil {
		template.Domain.Machine = &kubevirtv1.Machine{}
	}
	if template.Domain.Machine.Type == "" {
		template.Domain.Machine.Type = "q35"
	}

	spec, err := generic(machine.Spec)
	if err != nil {
		return nil, err
	}
	metadata, err := generic(machine.ObjectMeta)
	if err != nil {
		return nil, err
	}
	withNull(spec["template"])
	if templates, ok := spec["dataVolumeTemplates"].([]any); ok {
		for _, t := range templates {
			withNull(t)
		}
	}
	return []patchOperation{{"replace", "/spec", spec}, {"replace", "/metadata", metadata}}, nil
}

// defaultNewMachine gives a machine what is decided once, at its creation: who it is to its guest, and where its devices
// are on the bus. An update must not change either under a guest that knows it.
func defaultNewMachine(machine *kubevirtv1.VirtualMachine) {
	domain := &machine.Spec.Template.Spec.Domain
	if domain.Firmware == nil {
		domain.Firmware = &kubevirtv1.Firmware{}
	}
	if domain.Firmware.UUID == "" {
		domain.Firmware.UUID = types.UID(uuidOf("uuid/" + machine.Namespace + "/" + machine.Name))
	}
	if domain.Firmware.Serial == "" {
		domain.Firmware.Serial = uuidOf("serial/" + machine.Namespace + "/" + machine.Name)
	}
	metadata := &machine.Spec.Template.ObjectMeta
	if metadata.Annotations == nil {
		metadata.Annotations = map[string]string{}
	}
	metadata.Annotations["kubevirt.io/pci-topology-version"] = "v3"
}

// withNull gives an object's metadata the creationTimestamp that it does not have.
func withNull(object any) {
	o, ok := object.(map[string]any)
	if !ok {
		return
	}
	metadata, ok := o["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		o["metadata"] = metadata
	}
	if metadata["creationTimestamp"] == nil {
		metadata["creationTimestamp"] = nil
	}
}

func generic(v any) (map[string]any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding the machine: %w", err)
	}
	object := map[string]any{}
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("encoding the machine: %w", err)
	}
	return object, nil
}

// uuidOf is a UUID that follows from a seed.
func uuidOf(seed string) string {
	sum := sha256.Sum256([]byte(seed))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-5" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
}

// certificate is one for 127.0.0.1, and its authority as PEM.
func certificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "simulator"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, ca, nil
}
