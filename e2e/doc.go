// Package e2e proves Wukong against a real Kubernetes: package cluster brings its API server up, package simulator plays
// NMState and KubeVirt, and the journeys in this directory run the hook with Metacontroller in between. What the API
// server alone can say is in package api.
package e2e
