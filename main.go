// Wukong is the hook that Metacontroller calls for each Wukong, each WukongNetwork and each Node. It answers what should exist,
// given what exists. It keeps nothing between two requests and calls nobody, so any number of copies may run side by side.
//
// # Usage
//
//	wukong [flags], wukong serve [flags]   serve the hooks
//	wukong render FILE...                  prints what they would create, without a cluster
//	wukong plan FILE...                    says what would become of files in a cluster, before they are applied
//	wukong status [NAME...]                says what has become of what was applied, what is waited for, and what to type next
//	wukong install, upgrade                installs what deploy/ has, in the form that fits the cluster
//	wukong doctor                          says whether Wukong and what it stands on are as they should be
//	wukong schema                          prints the schema that editors check files by
//	wukong version, completion, help
//
// The verbs are explained in docs/commands.md and by wukong help VERB. As kubectl-wukong the same binary is a plugin of kubectl; it
// then does not serve.
//
// The image has serve and version only: a build with -tags hook leaves the rest out, and with it the libraries that know the rules of
// an API server. The hook itself talks to nobody; the verbs that look at a cluster run the caller's kubectl.
//
// # Endpoints
//
// On -listen, plain or with TLS:
//
//	POST /sync, /finalize, /customize   for each Wukong: its policies, attachments and machine
//	POST /network/sync, /network/finalize, /network/customize
//	                                    for each WukongNetwork: its policies
//	POST /node/sync, /node/customize    for each Node: its WukongNode
//	GET  /healthz, /readyz              200 as long as the process answers; never asks for credentials
//
// Those about Wukongs and WukongNetworks are hooks of CompositeControllers, those about Nodes of a DecoratorController. All are of
// version v2.
//
// On -metrics-listen, plain:
//
//	GET  /metrics                       Prometheus metrics of the hooks (wukong_hook_…), the Go runtime and the process
//
// A hook that does not answer 200 says why in one line of text. Metacontroller then changes nothing, puts the line into an
// Event on the object that it asked about (of type Warning, reason SyncError, in namespace default), and tries again.
//
//	400 not a request of Metacontroller's     401 no certificate or token, or a wrong one
//	413 more than 32 MiB                      415 not application/json
//	422 about an object of another kind       500 a bug; the log has the details
//	503 too many others at once, for 8 s
//
// # Flags
//
// Of the hook, with one dash or two:
//
//	-listen :8080                 address that the hooks are served at
//	-metrics-listen :9090         address that /metrics is served at; empty for no metrics
//	-physical-interface ens160    NIC of networks that name none
//	-default-os-image quay.io/containerdisks/ubuntu:24.04
//	                              container disk of machines that name nothing to boot from
//	-bridge-marker                let machines land only where the bridge-marker DaemonSet has found their bridges
//	-preflight=false              create policies without looking at the nodes first
//	-nodes-settle 30s             time after a node was first told of in which no policy is created
//	-nodes-gather 30s             time in which changes of the bridges of a node are gathered, to be told of together
//	-teardown-timeout 15m         time without progress after which the removal of a bridge is given up
//	-unknown-machine-fields refuse
//	                              refuse fields of spec.virtualMachine that are not known, or pass them on for a newer KubeVirt
//	-memory-limit                 size of the container's memory: see Memory
//	-log-level info               debug, info, warn or error
//	-tls-cert, -tls-key           PEM files of the hooks' certificate and its key: both, or neither for plain HTTP
//	-client-ca                    PEM file of authorities, one of which must have signed the caller's certificate
//	-token-file                   file of the bearer token that callers must send
//	-version                      print the version and exit
//
// Each flag but -version can also be set in the environment: -log-level as WUKONG_LOG_LEVEL. The command line wins, and an
// empty variable counts as unset.
//
// The four files may be replaced while the process runs. Certificates count from the next connection on, the token from
// the next request on. While a file cannot be read, or does not hold what it should, its last good content stays in force
// and each use logs an error: to revoke a credential, replace it.
//
// # Memory
//
// The bodies of all requests that are in memory at once have an eighth of the memory limit, and half of that may be decoded
// at once. Other requests wait, in the order of their arrival, and for 8 s at most. The memory limit is GOMEMLIMIT, or
// 80 % of -memory-limit, or 1 GiB where neither is set.
//
// # Logs
//
// JSON lines on standard error: start and stop at info, each hook at debug, what a hook decided on its own at warn,
// refusals and bugs at error with hook and parent.
//
// # Stopping
//
// SIGTERM or SIGINT closes the listeners and gives the requests that are being answered 10 s; a second signal stops at
// once. Endpoints take a moment to leave a Service, so a Pod should wait before the signal (lifecycle.preStop).
//
// # Exit codes
//
//	0  stopped by a signal, or -h or -version
//	1  a wrong flag, a busy address, an unreadable file, or requests that did not end within the 10 s
//
// Those of the other verbs are in docs/commands.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"novasphere.dev/wukong/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal then ends the process
	os.Exit(command.Run(ctx, command.Process{Args: os.Args, Env: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}))
}
