package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	watchtools "k8s.io/client-go/tools/watch"

	"novasphere.dev/wukong/e2e/cluster"
	"novasphere.dev/wukong/types/v1alpha1"
)

// patience is how long a part of the story may take.
const patience = 2 * time.Minute

// row is what watch prints of a Wukong: phase, Ready, address, message.
const row = "%-10s %-6s %-15s %s\n"

// story tells of one Wukong in the way that kubectl shows it.
type story struct {
	cluster *cluster.Cluster
	tables  *rest.RESTClient
	name    string
	line    string // the last that watch has printed
}

func newStory(c *cluster.Cluster, name string) (*story, error) {
	config := rest.CopyConfig(c.Config)
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	tables, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return &story{cluster: c, tables: tables, name: name}, nil
}

// show says something, after a pause to read what was shown before, and prints what `kubectl get` prints of resources, each
// named by its plural and group.
func (s *story) show(ctx context.Context, text string, resources ...string) error {
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return ctx.Err()
	}
	fmt.Printf("\n# %s\n\n", text)
	for _, resource := range resources {
		gvr, err := s.cluster.Resource(resource)
		if err != nil {
			return err
		}
		table := &metav1.Table{}
		err = s.tables.Get().AbsPath("apis", gvr.Group, gvr.Version, gvr.Resource).
			SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(ctx).Into(table)
		if err != nil {
			return fmt.Errorf("listing %s: %w", resource, err)
		}
		fmt.Printf("$ kubectl get %s\n", gvr.Resource)
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
		for i := -1; i < len(table.Rows); i++ {
			var cells []string
			for j, column := range table.ColumnDefinitions {
				switch {
				case column.Priority > 0: // only with -o wide
				case i < 0:
					cells = append(cells, strings.ToUpper(column.Name))
				case table.Rows[i].Cells[j] == nil:
					cells = append(cells, "")
				default:
					cells = append(cells, fmt.Sprint(table.Rows[i].Cells[j]))
				}
			}
			_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Println()
	}
	return nil
}

// watch prints the Wukong whenever what there is to see of it changes, until a condition is True.
func (s *story) watch(ctx context.Context, condition string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := s.cluster.Dynamic.Resource(schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: v1alpha1.Resource})
	only := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", s.name).String()}
	w, err := client.Watch(ctx, only)
	if err != nil {
		return fmt.Errorf("watching the Wukong: %w", err)
	}
	defer w.Stop()
	_, err = watchtools.UntilWithoutRetry(ctx, w, func(event watch.Event) (bool, error) {
		wukong, ok := event.Object.(*unstructured.Unstructured)
		if !ok || event.Type == watch.Deleted {
			return false, errors.New("the Wukong is gone")
		}
		phase, _, _ := unstructured.NestedString(wukong.Object, "status", "phase")
		if phase == "" {
			return false, nil // the hook has not spoken yet
		}
		address, _, _ := unstructured.NestedString(wukong.Object, "status", "address")
		ready := conditionOf(wukong, v1alpha1.ConditionReady)
		if now := fmt.Sprintf(row, phase, ready["status"], address, ready["message"]); now != s.line {
			s.line = now
			fmt.Print(now)
		}
		return conditionOf(wukong, condition)["status"] == "True", nil
	})
	if err != nil {
		return fmt.Errorf("waiting until %s of the Wukong is True: %w", condition, err)
	}
	return nil
}

// conditionOf is a condition of an object, empty where the object has it not.
func conditionOf(obj *unstructured.Unstructured, name string) map[string]any {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == name {
			return c
		}
	}
	return nil
}
