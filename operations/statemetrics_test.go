package operations

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// stateMetrics is what of kube-state-metrics' configuration is used here. Decoding is strict: kube-state-metrics itself takes no
// notice of a field that it does not know.
type stateMetrics struct {
	Kind string `json:"kind"`
	Spec struct {
		Resources []struct {
			GroupVersionKind struct {
				Group, Version, Kind string
			} `json:"groupVersionKind"`
			MetricNamePrefix string              `json:"metricNamePrefix"`
			LabelsFromPath   map[string][]string `json:"labelsFromPath"`
			Metrics          []generator         `json:"metrics"`
		} `json:"resources"`
	} `json:"spec"`
}

type generator struct {
	Name string `json:"name"`
	Help string `json:"help"`
	LogV int    `json:"errorLogV"` // from which level on what is missing is logged
	Each struct {
		Type     string  `json:"type"`
		Info     *family `json:"info"`
		Gauge    *family `json:"gauge"`
		StateSet *family `json:"stateSet"`
	} `json:"each"`
}

type family struct {
	Path           []string            `json:"path"`
	LabelsFromPath map[string][]string `json:"labelsFromPath"`
	ValueFrom      []string            `json:"valueFrom"`
	LabelName      string              `json:"labelName"`
	List           []string            `json:"list"`
}

// samples are series with their values.
type samples map[string]float64

// text is what a scraper reads.
func (s samples) text() string {
	var b strings.Builder
	for _, series := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s %v\n", series, s[series])
	}
	return b.String()
}

const stateMetricsFile = "../deploy/kube-state-metrics/custom-resource-state.yaml"

// objects are the metrics of all golden objects, made as kube-state-metrics makes them: TestKubeStateMetrics compares.
func objects(t *testing.T) samples {
	t.Helper()
	all := samples{}
	for _, r := range configured(t).Spec.Resources {
		for _, o := range states(t, r.GroupVersionKind.Kind) {
			for _, m := range r.Metrics {
				labels := map[string]string{
					"customresource_group": r.GroupVersionKind.Group, "customresource_version": r.GroupVersionKind.Version,
					"customresource_kind": r.GroupVersionKind.Kind,
				}
				fromPaths(labels, o, r.LabelsFromPath)
				m.of(t, o, r.MetricNamePrefix+m.Name, labels, all)
			}
		}
	}
	return all
}

// configured is the configuration, as far as it is known here.
func configured(t *testing.T) stateMetrics {
	t.Helper()
	raw, err := os.ReadFile(stateMetricsFile)
	if err != nil {
		t.Fatal(err)
	}
	var c stateMetrics
	if err := yaml.UnmarshalStrict(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// of adds what a metric says of an object.
func (g generator) of(t *testing.T, o object, name string, common map[string]string, to samples) {
	t.Helper()
	add := func(element any, f *family, more map[string]string, value float64) {
		labels := maps.Clone(common)
		fromPaths(labels, element, f.LabelsFromPath)
		maps.Copy(labels, more)
		to[series(name, labels)] = value
	}
	switch {
	case g.Each.Type == "Info" && g.Each.Info != nil:
		own := map[string]string{}
		if fromPaths(own, at(o, g.Each.Info.Path), g.Each.Info.LabelsFromPath); len(own) > 0 {
			add(at(o, g.Each.Info.Path), g.Each.Info, nil, 1)
		}
	case g.Each.Type == "StateSet" && g.Each.StateSet != nil:
		value := at(o, g.Each.StateSet.Path)
		for _, state := range g.Each.StateSet.List {
			if value != nil {
				add(value, g.Each.StateSet, map[string]string{g.Each.StateSet.LabelName: state}, number(t, value == state))
			}
		}
	case g.Each.Type == "Gauge" && g.Each.Gauge != nil:
		value := at(o, g.Each.Gauge.Path)
		elements, is := value.([]any)
		if !is && value != nil {
			elements = []any{value}
		}
		for _, element := range elements {
			add(element, g.Each.Gauge, nil, number(t, at(element, g.Each.Gauge.ValueFrom)))
		}
	default:
		t.Fatalf("%s: type %s without its field", name, g.Each.Type)
	}
}

// number is a value as kube-state-metrics counts it.
func number(t *testing.T, value any) float64 {
	t.Helper()
	switch v := value.(type) {
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		switch v {
		case "True":
			return 1
		case "False", "Unknown":
			return 0
		}
		if moment, err := time.Parse(time.RFC3339, v); err == nil {
			return float64(moment.Unix())
		}
	}
	t.Fatalf("%v is no number", value)
	return 0
}

// at is what an object has at a path, or nil.
func at(o any, path []string) any {
	for _, field := range path {
		m, _ := o.(object)
		o = m[field]
	}
	return o
}

// fromPaths adds the labels whose fields are there.
func fromPaths(labels map[string]string, o any, paths map[string][]string) {
	for label, path := range paths {
		if value := at(o, path); value != nil {
			labels[label] = fmt.Sprint(value)
		}
	}
}

// series is a metric with its labels, as Prometheus writes it.
func series(name string, labels map[string]string) string {
	var pairs []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		value, _ := json.Marshal(labels[label])
		pairs = append(pairs, label+"="+string(value))
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}

// TestStateMetrics is that every metric says something of some golden object, that a phase is one of the list, and that no metric is
// in two resources: kube-state-metrics writes them under two headers, which Prometheus refuses.
func TestStateMetrics(t *testing.T) {
	all := objects(t)
	seen := map[string]bool{}
	for _, r := range configured(t).Spec.Resources {
		for _, m := range r.Metrics {
			name := r.MetricNamePrefix + m.Name
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			zero, one := 0, 0
			for series, value := range all {
				if strings.HasPrefix(series, name+"{") {
					if value == 0 {
						zero++
					} else {
						one++
					}
				}
			}
			t.Logf("%s: %d series are 0, %d are more", name, zero, one)
			if one == 0 {
				t.Errorf("%s is never more than 0", name)
			}
		}
	}
	text, phases := all.text(), 0
	for name, o := range states(t, "Wukong") {
		phase := at(o, []string{"status", "phase"})
		if phase == nil {
			continue
		}
		phases++
		if !strings.Contains(text, fmt.Sprintf(`name=%q,phase=%q} 1`, name, phase)) {
			t.Errorf("%s: the phase %s is not in the list of %s", name, phase, stateMetricsFile)
		}
	}
	if phases == 0 {
		t.Error("no golden Wukong has a phase")
	}
}
