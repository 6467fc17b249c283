package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
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
	name    string
	line    string // the last that watch has printed
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
		if err := s.cluster.Table(ctx, os.Stdout, resource, math.MaxInt); err != nil {
			return err
		}
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
