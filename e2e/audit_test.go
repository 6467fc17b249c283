package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// write is one write in the API server's audit log.
type write struct {
	Verb      string
	UserAgent string
	ObjectRef struct {
		Resource, Subresource, Namespace, Name string
	}
	ResponseStatus struct{ Code int }
	Received       time.Time `json:"requestReceivedTimestamp"`
	Done           time.Time `json:"stageTimestamp"`
}

// by says that a program made the write.
func (w write) by(program string) bool { return strings.HasPrefix(w.UserAgent, program) }

// stored says that the API server took the write.
func (w write) stored() bool { return w.ResponseStatus.Code < 300 }

// of says that the write is of an object itself, not of its status.
func (w write) of(resource schema.GroupVersionResource, name string) bool {
	return w.ObjectRef.Resource == resource.Resource && w.ObjectRef.Name == name && w.ObjectRef.Subresource == ""
}

const metacontroller = "metacontroller"

// writes are the writes of the present journey so far that are so, in their order.
func (l *lab) writes(t *testing.T, is func(write) bool) []write {
	t.Helper()
	file, err := os.Open(l.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var all []write
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var w write
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			continue // the last line may still be being written
		}
		if w.Received.After(l.began) && is(w) {
			all = append(all, w)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(all, func(a, b write) int { return a.Received.Compare(b.Received) })
	return all
}

// creation is the write that created an object, and removal that by which Metacontroller deleted it.
func (l *lab) creation(t *testing.T, resource schema.GroupVersionResource, name string) write {
	t.Helper()
	// Server-side apply creates by patching: the answer is 201.
	return l.only(t, "creation of "+name, func(w write) bool {
		return w.of(resource, name) && w.by(metacontroller) && w.ResponseStatus.Code == 201
	})
}

func (l *lab) removal(t *testing.T, resource schema.GroupVersionResource, name string) write {
	t.Helper()
	return l.only(t, "deletion of "+name, func(w write) bool {
		return w.of(resource, name) && w.by(metacontroller) && w.Verb == "delete" && w.stored()
	})
}

func (l *lab) only(t *testing.T, what string, is func(write) bool) write {
	t.Helper()
	found := l.writes(t, is)
	if len(found) != 1 {
		t.Fatalf("%s: there are %d such writes, must be 1", what, len(found))
	}
	return found[0]
}

// neverDeleted fails where somebody has tried to delete an object.
func (l *lab) neverDeleted(t *testing.T, resource schema.GroupVersionResource, name string) {
	t.Helper()
	if n := len(l.writes(t, func(w write) bool { return w.of(resource, name) && w.Verb == "delete" })); n > 0 {
		t.Errorf("%s %s was deleted %d times", resource.Resource, name, n)
	}
}

// neverRefused fails where the API server refused something that Metacontroller wrote. That somebody else was faster is no
// refusal.
func (l *lab) neverRefused(t *testing.T, resource schema.GroupVersionResource, names ...string) {
	t.Helper()
	for _, w := range l.writes(t, func(w write) bool {
		return w.by(metacontroller) && w.ObjectRef.Resource == resource.Resource && slices.Contains(names, w.ObjectRef.Name) &&
			w.ResponseStatus.Code >= 400 && w.ResponseStatus.Code != 409 && w.ResponseStatus.Code != 404
	}) {
		t.Errorf("the API server answered %s of %s %s with %d", w.Verb, w.ObjectRef.Resource, w.ObjectRef.Name, w.ResponseStatus.Code)
	}
}

// before fails unless one moment is before another.
func before(t *testing.T, first string, a time.Time, then string, b time.Time) {
	t.Helper()
	switch {
	case a.IsZero() || b.IsZero():
		t.Errorf("%s, or %s, has never been", first, then)
	case !a.Before(b):
		t.Errorf("%s at %s, must be before %s at %s", first, a.Format(time.StampMicro), then, b.Format(time.StampMicro))
	default:
		t.Logf("%s %s; %s %s", a.Format("15:04:05.000000"), first, b.Format("15:04:05.000000"), then)
	}
}
