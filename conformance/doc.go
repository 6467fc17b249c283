// Package conformance asks those who must understand the hook's answers whether they do: KubeVirt's own admission, the
// CNI libraries and plugins, NMState's library, cloud-init in several versions, and the guest's programs that read what it
// writes. It is a module of its own, because their dependencies are not the hook's. go.mod has the oldest KubeVirt that the
// hook works with, and newest.mod the newest.
package conformance
