package operations

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
)

// prometheus is Prometheus' own database and query engine, without the clock and the network around them.
type prometheus struct {
	storage storage.Storage
	engine  *promql.Engine
}

func newPrometheus(t *testing.T) prometheus {
	t.Helper()
	return prometheus{teststorage.New(t), promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)}
}

// scraped stores one answer of /metrics as Prometheus does, with the labels of its target.
func (p prometheus) scraped(t *testing.T, text []byte, target labels.Labels, at time.Time) {
	t.Helper()
	parser, err := textparse.New(text, "text/plain; version=0.0.4", nil, textparse.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	appender := p.storage.Appender(context.Background())
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var series labels.Labels
		_, _, value := parser.Series()
		parser.Labels(&series)
		p.append(t, appender, both(series, target), at, value)
	}
	p.append(t, appender, both(labels.FromStrings("__name__", "up"), target), at, 1)
	if err := appender.Commit(); err != nil {
		t.Fatal(err)
	}
}

func (p prometheus) append(t *testing.T, appender storage.Appender, series labels.Labels, at time.Time, value float64) {
	t.Helper()
	if _, err := appender.Append(0, series, at.UnixMilli(), value); err != nil {
		t.Fatalf("%s: %v", series, err)
	}
}

// both are the labels of a series and of its target.
func both(series, target labels.Labels) labels.Labels {
	builder := labels.NewBuilder(series)
	target.Range(func(l labels.Label) { builder.Set(l.Name, l.Value) })
	return builder.Labels()
}

// query is what Prometheus answers at one moment.
func (p prometheus) query(t *testing.T, expr string, at time.Time) promql.Vector {
	t.Helper()
	query, err := p.engine.NewInstantQuery(context.Background(), p.storage, nil, expr, at)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer query.Close()
	vector, err := query.Exec(context.Background()).Vector()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return append(promql.Vector(nil), vector...) // Close gives the memory back
}
