// Package model plays random lives of a small cluster around the hook, in memory and without waiting, and reports what
// broke.
//
// These take part, each in the file of its name:
//
//   - the users, who create, change and delete Wukongs and WukongNetworks: users.go, networks.go
//   - the API server, which admits objects, and collects those whose owner is gone: apiserver.go
//   - Metacontroller, which asks the hook with caches that lag, applies the answer in either of its two ways (package apply),
//     and sometimes crashes in the middle of that: metacontroller.go, writes.go. It has a controller for each kind of parent:
//     Wukongs, WukongNetworks and Nodes: hooks.go
//   - the nodes, which join and report their network: nodes.go; told.go compares that with what their WukongNodes say
//   - NMState, which configures the nodes by the policies, takes its time, or fails: nmstate.go; package nmstate is the
//     effect of one policy on one node
//   - KubeVirt, which runs the machines, and plugs them into the bridges: kubevirt.go
//   - people who delete and edit by hand what is not theirs: hands.go
//
// life.go says in which order they act, and lets them rest in the end. fleet.go adds who has to do with WukongNodes and
// WukongNetworks; some lives have none, and some only from an upgrade on. The files that begin with holds check what must be
// true, whatever they do: holds.go of all and of Wukongs, holdsnetworks.go of WukongNetworks, holdsnodes.go of WukongNodes.
//
// Nothing here is part of the hook, and the linter keeps the hook from importing it.
package model
