//go:build !hook

package command

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/manifest"
	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// noUID is the UID of a Wukong that has none yet.
const noUID = "00000000-0000-0000-0000-000000000000"

const renderLong = `Prints what the hook would create for the WukongNetworks and Wukongs in the files, without a cluster: every policy,
attachment and machine, in the order in which they come into being. A file is YAML or JSON, and may hold several documents
or a List; - is standard input. What the API server would refuse is refused, and then nothing is printed; what it would drop without
a word, and what hardly anybody means, is told on standard error. A WukongNetwork that a Wukong names as networkName has to be in
one of the files.

What the hook reads from a cluster it cannot show: whether the nodes suit a policy, whether names are taken, and with
preserveHostIP whether a node has its address from DHCP. For that there is plan.

-o mermaid and -o html draw it, from the NICs to the machines, from the files alone: nobody has looked at the nodes, so their
number is not known, and nothing is refused on their account.

Give the flags that the hook is run with; each can also be set in the environment, like the hook's: -physical-interface as
WUKONG_PHYSICAL_INTERFACE. The command line wins.`

const renderExample = `  wukong render examples/vm-with-nmstate.yaml -physical-interface eno1
  wukong render examples/network-for-a-fleet.yaml examples/vm-on-a-shared-network.yaml
  wukong render examples/first-vm.yaml -o mermaid
  kubectl get wukong ubuntu-vm-nmstate -o yaml | wukong render -`

// rendered is a Wukong or WukongNetwork and what the hook would create for it.
type rendered struct {
	kind, name string
	stages     []stage
	advice     []string
}

// title is the name with the kind.
func (r rendered) title() string { return r.kind + " " + r.name }

// stage is one step in the order in which the children are created.
type stage struct {
	title   string
	objects []*unstructured.Unstructured
}

// renderOptions are the values of render's flags.
type renderOptions struct {
	files    []string
	settings sync.Settings
	nmstate  bool
	uid      string
	format   string
}

// render is the command that prints everything that the hook would create for what is in the files. It checks all of them before it
// prints anything, so that nobody takes a part for the whole.
func (p Process) render() *cobra.Command {
	o := &renderOptions{}
	c := &cobra.Command{
		Use: "render FILE...", Short: "Print what Wukongs would become, without a cluster", Long: renderLong, Example: renderExample,
		ValidArgsFunction: completeFiles,
	}
	fs := c.Flags()
	fs.SortFlags = false
	fileFlag(c, &o.files)
	formats(c, &o.format, "yaml, json for a single List, or a picture as mermaid or html (default yaml)", "yaml", "json", "mermaid", "html")
	fs.BoolVar(&o.nmstate, "nmstate", true, "show what a cluster with NMState gets; without, there are no policies")
	fs.StringVar(&o.uid, "uid", "", "`UID` that MAC addresses are derived from (default the Wukong's own metadata.uid; "+
		"where it has none yet, "+noUID+", and in a cluster the addresses will be others)")
	settingsFlags(fs, &o.settings)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := fromEnvironment(fs, p.Env); err != nil {
			return err
		}
		if o.files = append(o.files, args...); len(o.files) == 0 {
			return errors.New("no files: name them, or - for standard input (see wukong render -h)")
		}
		return p.renders(o)
	}
	return c
}

func (p Process) renders(o *renderOptions) error {
	in, err := p.input(o.files)
	if err != nil {
		return err
	}
	all, err := in.render(o)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	write := writeYAML
	switch o.format {
	case "json":
		write = writeJSON
	case "mermaid", "html":
		write = func(out *bytes.Buffer, all []rendered) error { return p.drawing(sceneOf(all), o.format)(out) }
	}
	if err := write(&out, all); err != nil {
		return err
	}
	for _, dropped := range in.dropped {
		_, _ = fmt.Fprintln(p.Stderr, "wukong render:", dropped)
	}
	for _, r := range all {
		for _, advice := range r.advice {
			_, _ = fmt.Fprintf(p.Stderr, "wukong render: %s: %s\n", r.title(), advice)
		}
	}
	_, err = p.Stdout.Write(out.Bytes())
	return err
}

// input is what was read of the files.
type input struct {
	reader   *manifest.Reader
	sources  map[string]manifest.Source // of all objects, by kind and name
	networks []*v1alpha1.WukongNetwork
	wukongs  []*v1alpha1.Wukong
	dropped  []*manifest.Problem
}

// input reads files. The error is about all that is wrong in them.
func (p Process) input(files []string) (*input, error) {
	reader, err := manifest.NewReader()
	if err != nil {
		return nil, err
	}
	in := &input{reader: reader, sources: map[string]manifest.Source{}}
	sources, err := readFiles(files, p.Stdin)
	errs := []error{err}
	for _, source := range sources {
		errs = append(errs, in.add(source))
	}
	return in, errors.Join(errs...)
}

// add adds an object as the API server would give it to the hook. An error is the API server's refusal.
func (in *input) add(s manifest.Source) error {
	admitted, err := in.reader.Admit(s)
	if err != nil {
		return err
	}
	name := admitted.GetKind() + " " + admitted.GetName()
	if before, ok := in.sources[name]; ok {
		return fmt.Errorf("%s: %s is in %s already", s.Place, name, before.Place)
	}
	in.sources[name] = s
	in.dropped = append(in.dropped, s.Dropped()...)
	if admitted.GetKind() == v1alpha1.NetworkKind {
		w := &v1alpha1.WukongNetwork{}
		in.networks = append(in.networks, w)
		return convert(admitted, w)
	}
	w := &v1alpha1.Wukong{}
	in.wukongs = append(in.wukongs, w)
	err = convert(admitted, w)
	w.UID = (&unstructured.Unstructured{Object: s.Object}).GetUID() // one that was read from a cluster gets the same addresses as there
	return err
}

// convert reads an object into its type.
func convert(from *unstructured.Unstructured, into any) error {
	body, err := json.Marshal(from.Object)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// render is what the hook would create: first the networks, because Wukongs wait for them.
func (in *input) render(o *renderOptions) ([]rendered, error) {
	var all []rendered
	var errs []error
	take := func(r rendered, err error) {
		all = append(all, r)
		if err != nil {
			errs = append(errs, in.refused(r.title(), err))
		}
	}
	for _, w := range in.networks {
		policies, err := sync.RenderNetwork(w, o.settings, o.nmstate)
		take(rendered{kind: w.Kind, name: w.Name, stages: []stage{{"node network", policies}}}, err)
	}
	for _, w := range in.wukongs {
		w.UID = cmp.Or(types.UID(o.uid), w.UID, noUID)
		take(renderWukong(w, in.networks, o))
	}
	return all, errors.Join(errs...)
}

// renderWukong is what the hook would create for a Wukong, which may use the networks.
func renderWukong(w *v1alpha1.Wukong, networks []*v1alpha1.WukongNetwork, o *renderOptions) (rendered, error) {
	r := rendered{kind: w.Kind, name: w.Name}
	stages, err := sync.Render(w, networks, o.settings, o.nmstate)
	if err != nil {
		return r, err
	}
	r.stages = []stage{{"1. node network", stages.NodeNetwork}, {"2. attachments", stages.Attachments}, {"3. machine", stages.Machine}}
	r.advice = manifest.Advice(w, stages.Machine[0])
	if stages.Advice != "" {
		r.advice = append(r.advice, stages.Advice)
	}
	return r, nil
}

// refused is the error that the hook would do nothing about an object that the API server takes. A list of wrong fields is the hook's
// own refusal.
func (in *input) refused(name string, err error) error {
	var fields interface{ Errors() []error }
	if !errors.As(err, &fields) {
		path, message, found := strings.Cut(err.Error(), ": ")
		if !found || !strings.HasPrefix(path, "spec.") {
			path, message = "", err.Error()
		}
		return in.sources[name].Says(path, message)
	}
	var errs []error
	for _, err := range fields.Errors() {
		if wrong := (*field.Error)(nil); errors.As(err, &wrong) {
			errs = append(errs, in.sources[name].Says(wrong.Field, strings.TrimPrefix(wrong.ErrorBody(), "Invalid value: ")))
		} else {
			errs = append(errs, in.sources[name].Says("", err.Error()))
		}
	}
	return errors.Join(errs...)
}

// writeYAML writes each object as a document, with a comment before the first one of each stage.
func writeYAML(out *bytes.Buffer, all []rendered) error {
	separator := ""
	for _, r := range all {
		comment := ""
		if len(all) > 1 {
			comment = "# " + r.title() + "\n"
		}
		for _, step := range r.stages {
			comment += "# " + step.title
			if len(step.objects) == 0 {
				comment += " (nothing)"
			}
			comment += "\n"
			for _, object := range step.objects {
				text, err := yaml.Marshal(object.Object)
				if err != nil {
					return fmt.Errorf("encoding %s %s: %w", object.GetKind(), object.GetName(), err)
				}
				out.WriteString(separator + comment)
				out.Write(text)
				separator, comment = "---\n", ""
			}
		}
		out.WriteString(comment)
	}
	return nil
}

// writeJSON writes all objects as one List, which kubectl and jq can read.
func writeJSON(out *bytes.Buffer, all []rendered) error {
	list := struct {
		APIVersion string           `json:"apiVersion"`
		Kind       string           `json:"kind"`
		Items      []map[string]any `json:"items"`
	}{"v1", "List", []map[string]any{}}
	for _, r := range all {
		for _, step := range r.stages {
			for _, object := range step.objects {
				list.Items = append(list.Items, object.Object)
			}
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}
