package main

import (
	"os"
	"testing"
	"time"
)

// TestAFleet takes small fleets through a life. What may not depend on the size of a fleet is held here.
func TestAFleet(t *testing.T) {
	if os.Getenv("METACONTROLLER") == "" {
		t.Skip("METACONTROLLER does not name a binary of Metacontroller: fleets are not tried")
	}
	for _, way := range []string{own, shared, network, nad} {
		t.Run(way, func(t *testing.T) {
			r, err := measure(t.Context(), size{machines: 3, nodes: 2, way: way, strategy: "dynamic-apply", patience: 3 * time.Minute, gather: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("\n%s%s\n%s%s", buildHead, r.buildRow(), changeHead, r.changeRows())
			for _, c := range r.changes[:2] {
				if c.all() != 1 || c.calls["node/sync"] != 1 || c.writes != 0 {
					t.Errorf("%s: calls %v, %d writes, must be one call of node/sync and no write", c.what, c.calls, c.writes)
				}
				if limit := int64(r.node) * 13 / 10; c.bytes > limit {
					t.Errorf("%s: %d bytes, must be at most %d: 1.3 times a Node with its NodeNetworkState", c.what, c.bytes, limit)
				}
			}
			if restart := r.changes[5]; restart.writes != 0 {
				t.Errorf("%s: %d writes, must be none", restart.what, restart.writes)
			}
			if lost := r.changes[3]; way == network && lost.calls["network/sync"] > 0 {
				t.Errorf("%s: %d calls about the WukongNetwork, which that does not concern", lost.what, lost.calls["network/sync"])
			}
		})
	}
}
