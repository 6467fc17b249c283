package nmstate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// A policy's captures are parts of a node's state. Each is an expression of NMPolicy (https://nmstate.io/nmpolicy/): steps
// from left to right, separated by a bar. A step is another capture, or keeps the items of a list whose field equals a value
// (path==value), or sets the field of each item (path:=value). A value is a text in quotation marks, or a path into another
// capture, where a number is an index of a list. The desired state has such paths in double braces.

// resolve is the desired state of a policy on one node, with the templates replaced by what the captures find there.
func resolve(current, spec map[string]any) (map[string]any, error) {
	desired, _ := spec["desiredState"].(map[string]any)
	expressions, _ := spec["capture"].(map[string]any)
	if len(expressions) == 0 {
		return desired, nil
	}
	c := captures{current: current, expressions: expressions}
	filled, err := c.fill(desired)
	if err != nil {
		return nil, err
	}
	return filled.(map[string]any), nil
}

// captures are the captures of a policy, on one node.
type captures struct {
	current, expressions map[string]any
	open                 []string // captures that are being evaluated
}

// fill replaces the templates in a value by what the captures find.
func (c captures) fill(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case map[string]any:
		filled := map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(v)) { // the first error is the same each time
			if filled[key], err = c.fill(v[key]); err != nil {
				return nil, err
			}
		}
		return filled, nil
	case []any:
		filled := make([]any, len(v))
		for i, item := range v {
			if filled[i], err = c.fill(item); err != nil {
				return nil, err
			}
		}
		return filled, nil
	case string:
		if path, ok := strings.CutPrefix(v, "{{"); ok {
			return c.at(strings.TrimSpace(strings.TrimSuffix(path, "}}")))
		}
	}
	return v, nil
}

// find is the part of the node's state that a capture finds.
func (c captures) find(name string) (map[string]any, error) {
	expression, ok := c.expressions[name].(string)
	if !ok || slices.Contains(c.open, name) {
		return nil, fmt.Errorf("capture %s not found", name)
	}
	c.open = append(slices.Clone(c.open), name)
	state := c.current
	for step := range strings.SplitSeq(expression, "|") {
		var err error
		if state, err = c.step(state, strings.TrimSpace(step)); err != nil {
			return nil, fmt.Errorf("capture %s: %w", name, err)
		}
	}
	return state, nil
}

// step takes one step of an expression.
func (c captures) step(state map[string]any, step string) (map[string]any, error) {
	if name, ok := strings.CutPrefix(step, "capture."); ok {
		return c.find(name)
	}
	path, operand, sets := strings.Cut(step, ":=")
	equals := false
	if !sets {
		path, operand, equals = strings.Cut(step, "==")
	}
	if !sets && !equals {
		return nil, fmt.Errorf("%q is not understood", step)
	}
	v, err := c.operand(operand)
	if err != nil {
		return nil, err
	}
	return within(state, strings.Split(path, "."), func(item map[string]any, field string) bool {
		if sets {
			item[field] = v
		}
		return reflect.DeepEqual(item[field], v)
	}), nil
}

// within is the list at a path with only the items that are kept, inside the maps on the way there. The items are
// copies.
func within(state map[string]any, path []string, kept func(item map[string]any, field string) bool) map[string]any {
	switch below := state[path[0]].(type) {
	case map[string]any:
		if len(path) > 1 {
			return map[string]any{path[0]: within(below, path[1:], kept)}
		}
	case []any:
		list := []any{}
		for _, item := range items(below) {
			if item = runtime.DeepCopyJSON(item); kept(item, strings.Join(path[1:], ".")) {
				list = append(list, item)
			}
		}
		return map[string]any{path[0]: list}
	}
	return map[string]any{}
}

// operand is the value on the right of a step.
func (c captures) operand(text string) (any, error) {
	if quoted, err := strconv.Unquote(text); err == nil {
		return quoted, nil
	}
	return c.at(text)
}

// at is the value at a path into a capture.
func (c captures) at(path string) (any, error) {
	keys := strings.Split(path, ".")
	if len(keys) < 2 || keys[0] != "capture" {
		return nil, fmt.Errorf("%q is not understood", path)
	}
	state, err := c.find(keys[1])
	if err != nil {
		return nil, err
	}
	var v any = state
	for _, key := range keys[2:] {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			place, err := strconv.Atoi(key)
			if v = nil; err == nil && place < len(at) {
				v = at[place]
			}
		}
		if v == nil {
			return nil, fmt.Errorf("%s: %s not found", path, key)
		}
	}
	return runtime.DeepCopyJSONValue(v), nil
}
