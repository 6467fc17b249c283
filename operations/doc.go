// Package operations asks those who watch an installation what they see of it: Prometheus about the dashboard and the alerts, on what
// the hook really exports; kube-state-metrics about the objects; Argo CD's interpreter and Flux' kstatus about the health of
// every golden status. It is a module of its own, because their dependencies are not the hook's.
package operations
