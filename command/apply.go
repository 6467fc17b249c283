//go:build !hook

package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/deploy"
	"novasphere.dev/wukong/install"
)

// render is the manifests of a form, as kubectl kustomize makes them of the files that the program was built with.
func (k kubectl) render(ctx context.Context, form install.Form) ([]*unstructured.Unstructured, error) {
	folder, err := os.MkdirTemp("", "wukong-install-")
	if err != nil {
		return nil, fmt.Errorf("making a directory for the manifests: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	chosen := filepath.Join(folder, "chosen")
	if err := os.CopyFS(folder, deploy.Files); err != nil {
		return nil, fmt.Errorf("writing the manifests: %w", err)
	}
	if err := os.Mkdir(chosen, 0o700); err != nil {
		return nil, fmt.Errorf("writing the manifests: %w", err)
	}
	if err := os.WriteFile(filepath.Join(chosen, "kustomization.yaml"), form.Kustomization(), 0o600); err != nil {
		return nil, fmt.Errorf("writing the manifests: %w", err)
	}
	text, err := k.run(ctx, nil, "kustomize", chosen)
	if err != nil {
		return nil, err
	}
	return objects(text)
}

// objects are the objects in what kubectl prints: documents of YAML, or JSON. A List counts as its items.
func objects(text []byte) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for document := range strings.SplitSeq("\n"+string(text), "\n---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		body, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			return nil, fmt.Errorf("reading objects: %w", err)
		}
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(body); err != nil {
			return nil, fmt.Errorf("reading objects: %w", err)
		}
		if !o.IsList() {
			all = append(all, o)
			continue
		}
		list, err := o.ToList()
		if err != nil {
			return nil, fmt.Errorf("reading objects: %w", err)
		}
		for i := range list.Items {
			all = append(all, &list.Items[i])
		}
	}
	return all, nil
}

// documents are objects as documents of YAML.
func documents(all []*unstructured.Unstructured) ([]byte, error) {
	var out bytes.Buffer
	for i, o := range all {
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", install.Title(o), err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// writeSteps writes all objects, in the order in which they are applied.
func writeSteps(out io.Writer, steps []install.Step) error {
	var all []*unstructured.Unstructured
	for _, step := range steps {
		all = append(all, step.Objects...)
	}
	text, err := documents(all)
	if err == nil {
		_, err = out.Write(text)
	}
	return err
}

// marks asks the API server what would become of each object, without changing anything. What it refuses is found. In a namespace that is
// not there yet nothing can be asked about, and everything is created.
func (k kubectl) marks(ctx context.Context, made *install.Plan, force bool) (map[string]string, []install.Finding, error) {
	var all, asked []*unstructured.Unstructured
	for _, step := range made.Steps {
		all = append(all, step.Objects...)
	}
	text, err := documents(all)
	if err != nil {
		return nil, nil, err
	}
	said, err := k.run(ctx, bytes.NewReader(text), "get", "--filename=-", "--ignore-not-found", "--output=json")
	if err != nil && !forbidden.MatchString(err.Error()) {
		return nil, nil, err
	}
	live, err := objects(said)
	if err != nil {
		return nil, nil, err
	}
	there := map[string]bool{}
	for _, o := range live {
		there[install.Title(o)] = true
	}
	marks := map[string]string{}
	for _, o := range all {
		if namespace := o.GetNamespace(); namespace == install.Namespace && !there["Namespace "+namespace] {
			marks[install.Title(o)] = "+"
		} else {
			asked = append(asked, o)
		}
	}
	merged, found, err := k.tried(ctx, asked, force)
	if err != nil {
		return nil, nil, err
	}
	for title, mark := range install.Marks(live, merged) {
		marks[title] = mark
	}
	return marks, found, nil
}

// tried is what the API server would make of objects. Where it refuses something it is asked about each alone, to know about which.
func (k kubectl) tried(ctx context.Context, all []*unstructured.Unstructured, force bool) ([]*unstructured.Unstructured, []install.Finding, error) {
	merged, err := k.try(ctx, force, all...)
	if err == nil {
		return merged, nil, nil
	}
	var found []install.Finding
	merged = nil
	for _, o := range all {
		one, err := k.try(ctx, force, o)
		if err != nil {
			others, fields, ours, is := install.Conflict(err.Error())
			switch {
			case is && ours:
				one, err = k.try(ctx, true, o)
			case is:
				found = append(found, install.Conflicting(install.Title(o), others, fields))
				continue
			}
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, nil, err
			}
			found = append(found, install.Finding{Level: install.Wrong, About: install.Title(o), Says: strings.TrimPrefix(firstLine(err), "kubectl apply: ")})
			continue
		}
		merged = append(merged, one...)
	}
	return merged, found, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// try is what the API server would make of objects.
func (k kubectl) try(ctx context.Context, force bool, all ...*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	text, err := documents(all)
	if err != nil {
		return nil, err
	}
	args := []string{"apply", "--server-side", "--dry-run=server", "--output=json", "--filename=-"}
	if force {
		args = append(args, "--force-conflicts")
	}
	said, err := k.run(ctx, bytes.NewReader(text), args...)
	if err != nil {
		return nil, err
	}
	return objects(said)
}

// apply applies a plan step by step, and waits after each for what the next one needs. What others have set otherwise was found
// before, by marks, or may be overwritten.
func (k kubectl) apply(ctx context.Context, made *install.Plan, timeout time.Duration, out io.Writer) error {
	_, _ = fmt.Fprintln(out)
	for _, step := range made.Steps {
		text, err := documents(step.Objects)
		if err != nil {
			return err
		}
		if _, err := k.run(ctx, bytes.NewReader(text), "apply", "--server-side", "--force-conflicts", "--filename=-"); err != nil {
			return fmt.Errorf("%s: %w\nWhat follows is not applied. The same command goes on from here", step.Name, err)
		}
		_, _ = fmt.Fprintf(out, "%s: applied\n", step.Name)
		for _, await := range step.Await {
			if err := k.await(ctx, await, timeout); err != nil {
				return fmt.Errorf("%s: %w", step.Name, err)
			}
		}
		if len(step.Await) > 0 {
			_, _ = fmt.Fprintf(out, "%s: ready\n", step.Name)
		}
	}
	_, _ = fmt.Fprintln(out, "\nDone. See: kubectl wukong doctor")
	return nil
}

// await waits for what a step needs before the next one.
func (k kubectl) await(ctx context.Context, args []string, timeout time.Duration) error {
	_, err := k.run(ctx, nil, append(args, "--timeout="+timeout.String())...)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return errors.New("interrupted: the same command goes on from here")
	}
	return fmt.Errorf("not ready after %s: see kubectl -n %s describe pods. What follows is not applied, and the same command goes on from here (%s)",
		timeout, install.Namespace, firstLine(err))
}
