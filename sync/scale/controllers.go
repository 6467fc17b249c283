package scale

// controllers are the names of the CompositeControllers, by the kind of their parents.
var controllers = map[string]string{wukong: "wukong", shared: "wukong-networks"}

// decorator is the name of the DecoratorController that makes WukongNodes.
const decorator = "wukong-nodes"

// compositeController is the CompositeController that calls the hook for parents of a kind.
func compositeController(kind string) object {
	prefix, resource := "", "wukongs"
	children := list{child("nmstate.io/v1", "nodenetworkconfigurationpolicies")}
	if kind == shared {
		prefix, resource = "network/", "wukongnetworks"
	} else {
		children = append(children, child("k8s.cni.cncf.io/v1", "network-attachment-definitions"), child("kubevirt.io/v1", "virtualmachines"))
	}
	return controller("CompositeController", controllers[kind], object{
		"childResources":   children,
		"generateSelector": true,
		"hooks": object{
			"customize": webhook(prefix + "customize"), "finalize": webhook(prefix + "finalize"), "sync": webhook(prefix + "sync"),
		},
		"parentResource": object{"apiVersion": apiVersion, "resource": resource},
	})
}

// decoratorController is the DecoratorController that calls the hook for Nodes.
func decoratorController() object {
	return controller("DecoratorController", decorator, object{
		"attachments": list{child(apiVersion, "wukongnodes")},
		"hooks":       object{"customize": webhook("node/customize"), "sync": webhook("node/sync")},
		"resources":   list{object{"apiVersion": "v1", "resource": "nodes"}},
	})
}

// controller is an object of Metacontroller's as it is in the cluster.
func controller(kind, name string, spec object) object {
	o := object{
		"apiVersion": "metacontroller.k8s.io/v1alpha1", "kind": kind, "metadata": object{"name": name}, "spec": spec, "status": object{},
	}
	metadata := at(o, "metadata")
	metadata["annotations"] = object{"kubectl.kubernetes.io/last-applied-configuration": string(mustEncode(o)) + "\n"}
	metadata["managedFields"] = list{writer{"kubectl-client-side-apply", "", bootTime}.wrote(o, "spec")}
	metadata["creationTimestamp"], metadata["generation"] = bootTime, 1
	metadata["resourceVersion"], metadata["uid"] = "1417", uid(kind+" "+name)
	return o
}

func child(apiVersion, resource string) object {
	return object{"apiVersion": apiVersion, "resource": resource, "updateStrategy": object{"method": "InPlace", "statusChecks": object{}}}
}

func webhook(path string) object {
	return object{"version": "v2", "webhook": object{"url": "http://wukong.wukong-system:8080/" + path, "timeout": "10s"}}
}
