// Package node proves Wukong on a real node: a machine of package uml with systemd, NetworkManager and NMState's own program, on a switch
// with VLANs and a gateway that gives addresses, with a guest that boots from the answered cloud-init data.
//
// Everything that is applied there comes from the hook. What NMState shows of the node goes into a request to /node/sync, what comes of that
// into one to /sync, the answered policy is applied by NMState, and its outcome goes into the next request, until the machine is Ready. The roles
// that are played are those around the node: Metacontroller and the API server (cluster.go), of kubernetes-nmstate the handler's calls of
// nmstatectl (worker.go), and of KubeVirt the plugging (kubevirt.go).
//
// It is a package of the module e2e, and adds nothing to what that module needs: the kernel, the file system, nmstatectl and CNI's plugin are built
// by their own tools. What this computer lacks is named, and the tests are skipped.
package node
