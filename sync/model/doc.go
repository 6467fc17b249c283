// Package model plays random lives of a small cluster around the hook, in memory and without waiting, and says what broke.
//
// The cast, each in the file of its name:
//
//   - the users, who create, change and delete Wukongs: users.go
//   - the API server, which admits, and collects what belongs to nobody: apiserver.go
//   - Metacontroller, which asks the hook by caches that lag, applies the answer in either of its ways (package apply), and
//     ends now and then in the middle of it: metacontroller.go, writes.go
//   - the nodes, which join and report their network: nodes.go
//   - NMState, which configures the nodes by the policies, takes its time, or fails: nmstate.go; what it makes of one policy
//     on one node is package nmstate
//   - KubeVirt, which runs the machines, and plugs them into the bridges: kubevirt.go
//   - hands, which delete and edit what is not theirs: hands.go
//
// life.go says in which order they act, and lets them rest in the end. What must hold, whatever they do, is holds.go.
//
// Nothing here is part of the hook. The linter keeps its programs from importing it.
package model
