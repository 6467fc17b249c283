package operations

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// dashboard is what of Grafana's dashboard the queries depend on.
type dashboard struct {
	UID    string
	Panels []struct {
		ID         int
		Type       string
		Title      string
		Datasource struct{ Type, UID string }
		GridPos    struct{ X, Y, W, H int }
		Targets    []struct{ RefID, Expr string }
	}
	Templating struct {
		List []struct{ Name, Type, Query string }
	}
}

// TestDashboard asks Prometheus for every panel, after an hour of the real hook and of the golden objects as kube-state-metrics has
// them. A query that finds nothing is a panel without a line in it.
func TestDashboard(t *testing.T) {
	var d dashboard
	read(t, "../deploy/components/monitoring/dashboard.json", &d)
	p := newPrometheus(t)
	end := lived(t, p)
	p.scraped(t, []byte(objects(t).text()), labels.FromStrings("job", "kube-state-metrics"), end)

	asked := 0
	for _, panel := range d.Panels {
		if panel.Type == "row" {
			continue
		}
		if len(panel.Targets) == 0 || panel.Datasource.Type != "prometheus" || panel.Datasource.UID != "${datasource}" {
			t.Errorf("%s: has no query, or one of another data source", panel.Title)
		}
		for _, target := range panel.Targets {
			asked++
			found := p.query(t, strings.ReplaceAll(target.Expr, "$__rate_interval", "2m"), end)
			if len(found) == 0 {
				t.Errorf("%s: %s finds nothing", panel.Title, target.Expr)
			}
			var lines []string
			for _, sample := range found {
				lines = append(lines, fmt.Sprintf("%s %.4g", sample.Metric, sample.F))
			}
			slices.Sort(lines)
			t.Logf("%s %s: %d series, such as %s", panel.Title, target.RefID, len(found), strings.Join(lines[:min(len(lines), 3)], "; "))
			for _, sample := range found {
				if sample.F != sample.F { // NaN is drawn as a gap
					t.Errorf("%s: %s is not a number for %s", panel.Title, target.Expr, sample.Metric)
				}
			}
		}
	}
	if asked < 15 {
		t.Errorf("the dashboard has %d queries", asked)
	}
}

// TestDashboardWithoutTrouble is that the panels that count faults show 0 where there is none, in place of "No data".
func TestDashboardWithoutTrouble(t *testing.T) {
	var d dashboard
	read(t, "../deploy/components/monitoring/dashboard.json", &d)
	p := newPrometheus(t)
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	target := labels.FromStrings("namespace", "wukong-system", "service", "wukong", "pod", "wukong-0")
	for i := range 10 {
		text := fmt.Sprintf("wukong_hook_requests_total{hook=\"/sync\",code=\"200\"} %d\n"+
			"wukong_status_condition{name=\"a\",type=\"Ready\",reason=\"Running\"} 1\n"+
			"wukong_network_status_condition{name=\"a\",type=\"Ready\",reason=\"PoliciesAvailable\"} 1\nwukong_node_reported{name=\"n\"} 1\n", i)
		p.scraped(t, []byte(text), target, at.Add(time.Duration(i)*30*time.Second))
	}
	for _, title := range []string{"Failed", "Stalled Wukongs", "Networks not ready", "Nodes not reported"} {
		for _, panel := range d.Panels {
			if panel.Title != title {
				continue
			}
			found := p.query(t, strings.ReplaceAll(panel.Targets[0].Expr, "$__rate_interval", "2m"), at.Add(270*time.Second))
			if len(found) != 1 || found[0].F != 0 {
				t.Errorf("%s: %v, want 0", title, found)
			}
		}
	}
}

// TestDashboardLayout is that no panel lies on another, and that every panel is inside of the 24 columns.
func TestDashboardLayout(t *testing.T) {
	var d dashboard
	read(t, "../deploy/components/monitoring/dashboard.json", &d)
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, panel := range d.Panels {
		if ids[panel.ID] {
			t.Errorf("%s: another panel has the id %d", panel.Title, panel.ID)
		}
		ids[panel.ID] = true
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				if other, is := taken[[2]int{x, y}]; is || x >= 24 {
					t.Fatalf("%s: lies on %q, or outside", panel.Title, other)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
	}
}
