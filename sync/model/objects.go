package model

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"novasphere.dev/wukong/types/v1alpha1"
)

const (
	policyKind     = "NodeNetworkConfigurationPolicy.nmstate.io/v1"
	enactmentKind  = "NodeNetworkConfigurationEnactment.nmstate.io/v1beta1"
	stateKind      = "NodeNetworkState.nmstate.io/v1beta1"
	attachmentKind = "NetworkAttachmentDefinition.k8s.cni.cncf.io/v1"
	machineKind    = "VirtualMachine.kubevirt.io/v1"
	instanceKind   = "VirtualMachineInstance.kubevirt.io/v1"
	nodeKind       = "Node.v1"
	wukongKind     = "Wukong.vm.novasphere.dev/v1alpha1"
	toldKind       = "WukongNode.vm.novasphere.dev/v1alpha1"
	networkKind    = "WukongNetwork.vm.novasphere.dev/v1alpha1"
)

// kindOf is the kind, as a key of a request, by the name of the resource.
var kindOf = map[string]string{
	"nodenetworkconfigurationpolicies": policyKind, "nodenetworkconfigurationenactments": enactmentKind,
	"nodenetworkstates": stateKind, "network-attachment-definitions": attachmentKind, "virtualmachines": machineKind,
	"virtualmachineinstances": instanceKind, "nodes": nodeKind, "wukongs": wukongKind,
	"wukongnodes": toldKind, "wukongnetworks": networkKind,
}

// objects are objects by kind and key, as in a request.
type objects map[string]map[string]*unstructured.Unstructured

func object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name},
	}}
	o.SetNamespace(namespace)
	return o
}

// keyOf is the key of an object in a request.
func keyOf(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetName()
	}
	return o.GetNamespace() + "/" + o.GetName()
}

// value is the value at a path of an object; nil where there is none.
func value(o map[string]any, path ...string) any {
	var v any = o
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// annotate sets an annotation.
func annotate(o *unstructured.Unstructured, key, text string) {
	a := o.GetAnnotations()
	if a == nil {
		a = map[string]string{}
	}
	a[key] = text
	o.SetAnnotations(a)
}

// condition is the status of a condition of an object; nil where there is none.
func condition(o *unstructured.Unstructured, kind string) any {
	conditions, _ := value(o.Object, "status", "conditions").([]any)
	for _, c := range conditions {
		if c.(map[string]any)["type"] == kind {
			return c.(map[string]any)["status"]
		}
	}
	return nil
}

func conditionIn(w *v1alpha1.Wukong, kind string) metav1.Condition {
	for _, c := range w.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return metav1.Condition{}
}

func toMap(v any) map[string]any {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	m := map[string]any{}
	if err := utiljson.Unmarshal(raw, &m); err != nil {
		panic(err)
	}
	return m
}

func fromMap(m map[string]any, v any) {
	raw, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		panic(err)
	}
}

func compactJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
