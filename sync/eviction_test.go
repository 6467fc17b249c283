package sync_test

import (
	"strings"
	"testing"
	"time"

	"novasphere.dev/wukong/sync"
)

// TestADrainIsSpokenOfOnce holds that the log tells of a machine without evictionStrategy when the machine is created, and
// never again.
func TestADrainIsSpokenOfOnce(t *testing.T) {
	for dir, want := range map[string]int{
		"machine-locked-and-placed-in-a-namespace-of-its-own": 1,
		"machine-locked-and-placed-is-ready":                  0,
		"high-availability-is-placed":                         0,
		"pod-network-1-machine-at-once":                       0, // without highAvailability
	} {
		q := ask(t, "sync", read(t, "../testdata/sync/"+dir, "request.json"))
		resp, err := q.answer(goldenNow.Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		notes := strings.Join(resp.(*sync.Response).Notes, "\n")
		if got := strings.Count(notes, "has highAvailability and no evictionStrategy"); got != want {
			t.Errorf("%s: said %d times, want %d: %s", dir, got, want, notes)
		}
	}
}
