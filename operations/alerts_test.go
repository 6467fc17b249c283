package operations

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"sigs.k8s.io/yaml"
)

// alerts are the rules of the PrometheusRule, read by Prometheus itself.
func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	raw, err := os.ReadFile("../deploy/components/monitoring/prometheusrule.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var object struct{ Spec any }
	if err := yaml.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	spec, err := yaml.Marshal(object.Spec)
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(spec, false, model.UTF8Validation, parser.NewParser(parser.Options{}), nil)
	for _, err := range errs {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	var all []rulefmt.Rule
	for _, group := range groups.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// TestAlerts is what promtool does with a test of rules: series, a time, and the alerts that fire then, with what they say. What
// is not in want must not fire.
func TestAlerts(t *testing.T) {
	const up = "up{namespace=\"wukong-system\", service=\"wukong\", pod=\"a\"} 1x200\n"
	const served = `wukong_hook_requests_total{hook="sync", code="200"} 0+60x200` + "\n"
	for _, row := range []struct {
		name   string
		series string // one sample a minute
		at     time.Duration
		want   []string
	}{
		{"all is well", up + served + `
			wukong_status_condition{name="vm", type="Ready", reason="Running"} 1x200
			wukong_network_status_condition{name="lan", type="Ready", reason="PoliciesAvailable"} 1x200
			wukong_node_reported{name="worker-1"} 1x200`, 3 * time.Hour, nil},
		{"kube-state-metrics is not there", up + served, 3 * time.Hour, nil},
		{"no replica for a while", `up{namespace="wukong-system", service="wukong"} 0x200`, 9 * time.Minute, nil},
		{"no replica", `up{namespace="wukong-system", service="wukong"} 0x200`, 10 * time.Minute,
			[]string{"WukongHookAbsent critical: No replica of Wukong is scraped."}},
		{"nothing is scraped at all", `up{namespace="default", service="other"} 1x200`, 10 * time.Minute,
			[]string{"WukongHookAbsent critical: No replica of Wukong is scraped."}},
		{"one replica of two", up + `up{namespace="wukong-system", service="wukong", pod="b"} 0x200`, time.Hour, nil},
		{"one in ten fails", up + `wukong_hook_requests_total{hook="sync", code="200"} 0+54x200
			wukong_hook_requests_total{hook="sync", code="503"} 0+6x200
			wukong_hook_requests_total{hook="finalize", code="200"} 0+60x200`, time.Hour,
			[]string{"WukongHookErrors warning: 10% of the sync requests to Wukong fail."}},
		{"one in a hundred fails", up + `wukong_hook_requests_total{hook="sync", code="200"} 0+99x200
			wukong_hook_requests_total{hook="sync", code="422"} 0+1x200`, time.Hour, nil},
		{"failures that end", up + served + `wukong_hook_requests_total{hook="sync", code="503"} 0+60x10 600x190`, 40 * time.Minute, nil},
		{"answers are slow", up + `wukong_hook_request_duration_seconds_bucket{hook="sync", le="2.5"} 0+50x200
			wukong_hook_request_duration_seconds_bucket{hook="sync", le="5"} 0+60x200
			wukong_hook_request_duration_seconds_bucket{hook="sync", le="+Inf"} 0+60x200`, time.Hour,
			[]string{"WukongHookSlow warning: One in a hundred sync requests to Wukong takes 4.85s."}},
		{"answers are quick", up + `wukong_hook_request_duration_seconds_bucket{hook="sync", le="0.1"} 0+60x200
			wukong_hook_request_duration_seconds_bucket{hook="sync", le="+Inf"} 0+60x200`, time.Hour, nil},
		{"stalled, and so not ready", up + `
			wukong_status_condition{name="vm", type="Stalled", reason="Conflict"} 1x200
			wukong_status_condition{name="vm", type="Ready", reason="Conflict"} 0x200`, 2 * time.Hour,
			[]string{"WukongStalled warning: Wukong vm waits for its author (Conflict)."}},
		{"not ready for half an hour", up + `wukong_status_condition{name="vm", type="Ready", reason="MachinePending"} 0x200`,
			30 * time.Minute, nil},
		{"not ready for an hour", up + `wukong_status_condition{name="vm", type="Ready", reason="MachinePending"} 0x200`, time.Hour,
			[]string{"WukongNotReady warning: Wukong vm is not ready (MachinePending)."}},
		{"another condition is not true", up + `wukong_status_condition{name="vm", type="NodeNetworkReady", reason="NMStateNotRegistered"} 0x200`,
			2 * time.Hour, nil},
		{"two replicas of kube-state-metrics are one alert", up + `
			wukong_network_status_condition{name="lan", type="Ready", reason="PolicyFailed", pod="a"} 0x200
			wukong_network_status_condition{name="lan", type="Ready", reason="PolicyFailed", pod="b"} 0x200`, time.Hour,
			[]string{"WukongNetworkNotReady warning: WukongNetwork lan is not ready (PolicyFailed)."}},
		{"a node without NMState", up + `wukong_node_reported{name="worker-1"} 0x200
			wukong_node_reported{name="worker-2"} 1x200`, time.Hour,
			[]string{"WukongNodeNotReported warning: NMState reports no network of node worker-1."}},
		{"deletions that wait", up + `wukong_deletion_timestamp{name="vm"} 0x200
			wukong_network_deletion_timestamp{name="lan"} 0x200`, 2 * time.Hour, []string{
			"WukongDeletionWaits warning: Wukong vm has been leaving for 2h 0m 0s.",
			"WukongDeletionWaits warning: WukongNetwork lan has been leaving for 2h 0m 0s.",
		}},
		{"a deletion that has begun", up + `wukong_deletion_timestamp{name="vm"} 0x200`, 30 * time.Minute, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := prometheus{
				promqltest.LoadedStorage(t, "load 1m\n\t"+strings.Join(strings.FieldsFunc(row.series, func(r rune) bool { return r == '\n' }), "\n\t")),
				promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery),
			}
			got := p.firing(t, row.at)
			if !slices.Equal(got, row.want) {
				t.Errorf("fires %q, want %q", got, row.want)
			}
		})
	}
}

// TestEveryAlertHasATest is that a new alert is in the table above.
func TestEveryAlertHasATest(t *testing.T) {
	table, err := os.ReadFile("alerts_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range alerts(t) {
		if !strings.Contains(string(table), `"`+rule.Alert+" ") {
			t.Errorf("no row of TestAlerts makes %s fire", rule.Alert)
		}
		if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" || rule.Labels["severity"] == "" {
			t.Errorf("%s has no summary, description or severity", rule.Alert)
		}
	}
}

// firing are the alerts that fire at a time, where the rules are looked at each minute from the start on.
func (p prometheus) firing(t *testing.T, at time.Duration) []string {
	t.Helper()
	query := rules.EngineQueryFunc(p.engine, p.storage)
	var all []string
	for _, r := range alerts(t) {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
		if err != nil {
			t.Fatal(err)
		}
		rule := rules.NewAlertingRule(r.Alert, expr, time.Duration(r.For), 0, labels.FromMap(r.Labels), labels.FromMap(r.Annotations),
			labels.EmptyLabels(), "", true, nil)
		for now := time.Duration(0); now <= at; now += time.Minute {
			if _, err := rule.Eval(context.Background(), 0, time.Unix(0, 0).Add(now), query, nil, 0); err != nil {
				t.Fatal(err)
			}
		}
		for _, alert := range rule.ActiveAlerts() {
			if alert.State == rules.StateFiring {
				all = append(all, fmt.Sprintf("%s %s: %s", r.Alert, alert.Labels.Get("severity"), alert.Annotations.Get("summary")))
			}
		}
	}
	slices.Sort(all)
	return all
}
