//go:build !hook

package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/admission"
	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// The CustomResourceDefinitions of this version of the hook. With them render refuses what a cluster would refuse.
var (
	//go:embed deploy/base/vm.novasphere.dev_wukongs.yaml
	wukongDefinition []byte

	//go:embed deploy/base/vm.novasphere.dev_wukongnetworks.yaml
	networkDefinition []byte
)

// noUID is the UID of a Wukong that has none yet.
const noUID = "00000000-0000-0000-0000-000000000000"

const renderUsage = `Usage: wukong render [flags] FILE...

Prints what the hook would create for the WukongNetworks and Wukongs in the files, without a cluster: every policy,
attachment and machine, in the order in which they come into being. A file is YAML or JSON, and may hold several documents
or a List; - is standard input. What the API server would refuse is refused with the same message, and then nothing is
printed. A WukongNetwork that a Wukong names as networkName has to be in one of the files.

What the hook reads from a cluster it cannot show: whether the nodes suit a policy, whether names are taken, and with
preserveHostIP whether a node has its address from DHCP.

    wukong render -physical-interface eno1 examples/vm-with-nmstate.yaml
    wukong render examples/network-for-a-fleet.yaml examples/vm-on-a-shared-network.yaml
    kubectl get wukong ubuntu-vm-nmstate -o yaml | wukong render -

Flags come before the files. Give the ones that the hook is run with; each can also be set in the environment, like the
hook's: -physical-interface as WUKONG_PHYSICAL_INTERFACE. The command line wins.

`

// command runs render.
func command(args []string) error {
	return render(args, os.Stdin, os.Stdout, os.Stderr)
}

// rendered is a Wukong or WukongNetwork and what the hook would create for it.
type rendered struct {
	name   string // with the kind
	stages []stage
	advice string
}

// stage is one step in the order in which the children are created.
type stage struct {
	title   string
	objects []*unstructured.Unstructured
}

// source is an object that was read, and its place: the file, and the document in the file where there are several.
type source struct {
	place  string
	object map[string]any
}

// renderOptions are the values of render's flags.
type renderOptions struct {
	settings sync.Settings
	nmstate  bool
	uid      string
	write    func(out *bytes.Buffer, all []rendered) error
}

// flagSet declares the flags of render, and sets their defaults.
func (o *renderOptions) flagSet(stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("wukong render", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		_, _ = io.WriteString(flags.Output(), renderUsage)
		flags.PrintDefaults()
	}
	o.write = writeYAML
	flags.Func("o", "`format`: yaml, or json for a single List (default yaml)", func(format string) error {
		switch format {
		case "yaml":
			o.write = writeYAML
		case "json":
			o.write = writeJSON
		default:
			return errors.New("must be yaml or json")
		}
		return nil
	})
	flags.BoolVar(&o.nmstate, "nmstate", true, "show what a cluster with NMState gets; without, there are no policies")
	flags.StringVar(&o.uid, "uid", "", "`UID` that MAC addresses are derived from (default the Wukong's own metadata.uid; "+
		"where it has none yet, "+noUID+", and in a cluster the addresses will be others)")
	settingsFlags(flags, &o.settings)
	return flags
}

// render prints everything that the hook would create for what is in the files. It checks all of them before it prints
// anything, so that nobody takes a part for the whole.
func render(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var o renderOptions
	flags := o.flagSet(stderr)
	if err := parse(flags, args, os.Getenv); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("no files: name them, or - for standard input (see wukong render -h)")
	}
	in, err := newInput()
	if err != nil {
		return err
	}
	for _, file := range flags.Args() {
		in.addFile(file, stdin)
	}
	if len(in.errs) > 0 {
		return errors.Join(in.errs...)
	}
	all, err := in.render(&o)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := o.write(&out, all); err != nil {
		return err
	}
	for _, r := range all {
		if r.advice != "" {
			_, _ = fmt.Fprintln(stderr, "wukong render: "+r.advice)
		}
	}
	_, err = stdout.Write(out.Bytes())
	return err
}

// input is what was read of the files, and what is wrong with it.
type input struct {
	schemas  map[string]*admission.Schema // by kind
	places   map[string]string            // of all objects, by kind and name
	networks []*v1alpha1.WukongNetwork
	wukongs  []*v1alpha1.Wukong
	errs     []error
}

func newInput() (*input, error) {
	in := &input{schemas: map[string]*admission.Schema{}, places: map[string]string{}}
	for _, definition := range [][]byte{wukongDefinition, networkDefinition} {
		schema, err := admission.New(definition)
		if err != nil {
			return nil, err
		}
		in.schemas[schema.GroupKind().Kind] = schema
	}
	return in, nil
}

// addFile adds the objects in a file.
func (in *input) addFile(file string, stdin io.Reader) {
	sources, err := read(file, stdin)
	if err != nil {
		in.errs = append(in.errs, err)
	}
	for _, source := range sources {
		if err := in.add(source); err != nil {
			in.errs = append(in.errs, fmt.Errorf("%s: %w", source.place, err))
		}
	}
}

// add adds an object as the API server would give it to the hook. An error is the API server's refusal.
func (in *input) add(s source) error {
	u := &unstructured.Unstructured{Object: s.object}
	schema := in.schemas[u.GetKind()]
	if u.GetAPIVersion() != v1alpha1.APIVersion || schema == nil {
		return fmt.Errorf("this is kind %q of %q: only %ss and %ss of %q can be rendered",
			u.GetKind(), u.GetAPIVersion(), v1alpha1.Kind, v1alpha1.NetworkKind, v1alpha1.APIVersion)
	}
	admitted, err := schema.Admit(u)
	if err != nil {
		return err
	}
	name := titled(u.GetKind(), admitted.GetName())
	if place, ok := in.places[name]; ok {
		return fmt.Errorf("%s is in %s already", name, place)
	}
	in.places[name] = s.place
	if u.GetKind() == v1alpha1.NetworkKind {
		w := &v1alpha1.WukongNetwork{}
		in.networks = append(in.networks, w)
		return convert(admitted, w)
	}
	w := &v1alpha1.Wukong{}
	in.wukongs = append(in.wukongs, w)
	err = convert(admitted, w)
	w.UID = u.GetUID() // one that was read from a cluster gets the same addresses as there
	return err
}

// titled is an object's name in comments and messages.
func titled(kind, name string) string {
	return kind + " " + name
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
			errs = append(errs, refused(in.places[r.name], r.name, err))
		}
	}
	for _, w := range in.networks {
		policies, err := sync.RenderNetwork(w, o.settings, o.nmstate)
		take(rendered{name: titled(w.Kind, w.Name), stages: []stage{{"node network", policies}}}, err)
	}
	for _, w := range in.wukongs {
		w.UID = cmp.Or(types.UID(o.uid), w.UID, noUID)
		take(renderWukong(w, in.networks, o))
	}
	return all, errors.Join(errs...)
}

// renderWukong is what the hook would create for a Wukong, which may use the networks.
func renderWukong(w *v1alpha1.Wukong, networks []*v1alpha1.WukongNetwork, o *renderOptions) (rendered, error) {
	r := rendered{name: titled(w.Kind, w.Name)}
	stages, err := sync.Render(w, networks, o.settings, o.nmstate)
	if err != nil {
		return r, err
	}
	r.stages = []stage{{"1. node network", stages.NodeNetwork}, {"2. attachments", stages.Attachments}, {"3. machine", stages.Machine}}
	r.advice = stages.Advice
	return r, nil
}

// refused is the error that the hook would do nothing about an object. A list of wrong fields is the hook's own refusal.
func refused(place, name string, err error) error {
	if fields := utilerrors.Aggregate(nil); errors.As(err, &fields) {
		return fmt.Errorf("%s: the API server takes %s, but the hook does not: %w", place, name, err)
	}
	return fmt.Errorf("%s: %s: %w", place, name, err)
}

// read is the objects in a file; a List counts as its items. The error is about the documents that cannot be read, and
// the other documents are returned beside it.
func read(file string, stdin io.Reader) ([]source, error) {
	content, err := readContent(file, stdin)
	if err != nil {
		return nil, err
	}
	if file == "-" {
		file = "standard input"
	}
	documents := split(content)
	var sources []source
	var errs []error
	for i, text := range documents {
		place := file
		if len(documents) > 1 {
			place = fmt.Sprintf("%s: document %d", file, i+1)
		}
		object, err := decode(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", place, err))
			continue
		}
		sources = append(sources, listed(place, object)...)
	}
	if len(sources) == 0 && len(errs) == 0 {
		return nil, fmt.Errorf("%s: there is no Wukong or WukongNetwork in it", file)
	}
	return sources, errors.Join(errs...)
}

// readContent is the bytes of a file, or of standard input for "-".
func readContent(file string, stdin io.Reader) ([]byte, error) {
	if file == "-" {
		content, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return content, nil
	}
	content, err := os.ReadFile(file)
	switch info, _ := os.Stat(file); {
	case err == nil:
		return content, nil
	case strings.HasPrefix(file, "-"):
		return nil, fmt.Errorf("%s comes after a file: write the flags before the files", file)
	case info != nil && info.IsDir():
		return nil, fmt.Errorf("%s is a directory: name the files in it, for example %s/*.yaml", file, strings.TrimSuffix(file, "/"))
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // the next line says the rest
	}
	return nil, fmt.Errorf("reading %s: %w", file, err)
}

// listed is the object at a place, or its items where the object is a List.
func listed(place string, object map[string]any) []source {
	items, ok := object["items"].([]any)
	if kind, _ := object["kind"].(string); !ok || !strings.HasSuffix(kind, "List") {
		return []source{{place, object}}
	}
	var sources []source
	for i, item := range items {
		object, _ := item.(map[string]any)
		sources = append(sources, source{fmt.Sprintf("%s: items[%d]", place, i), object})
	}
	return sources
}

// split is the documents in a file that have more than comments. Each document begins with as many empty lines as there
// are lines before it in the file, so that the parser's errors have the right line numbers.
func split(content []byte) [][]byte {
	var documents [][]byte
	var document []byte
	empty := true
	end := func(line int) {
		if !empty {
			documents = append(documents, document)
		}
		document, empty = bytes.Repeat([]byte("\n"), line), true
	}
	n := 0
	for line := range bytes.Lines(bytes.TrimPrefix(content, []byte("\ufeff"))) {
		if marker := string(bytes.TrimRight(line[:min(len(line), 4)], " \t\r\n")); marker == "---" || marker == "..." {
			end(n)
			line = line[3:] // what follows the marker on its line belongs to the document
		}
		text := bytes.TrimSpace(line)
		empty = empty && (len(text) == 0 || text[0] == '#')
		document = append(document, line...)
		n++
	}
	end(n)
	return documents
}

// decode is the object in a document. A field that is written twice is an error: kubectl would take the last one
// without a word, while a reader may see the first.
func decode(document []byte) (map[string]any, error) {
	if !json.Valid(document) {
		var err error
		if document, err = yaml.YAMLToJSONStrict(document); err != nil {
			return nil, errors.New(strings.ReplaceAll(err.Error(), "\n ", ""))
		}
	}
	var object map[string]any
	twice, err := kjson.UnmarshalStrict(document, &object)
	switch {
	case err != nil || object == nil:
		return nil, errors.New("this is no object")
	case len(twice) > 0:
		return nil, twice[0]
	}
	return object, nil
}

// writeYAML writes each object as a document, with a comment before the first one of each stage.
func writeYAML(out *bytes.Buffer, all []rendered) error {
	separator := ""
	for _, r := range all {
		comment := ""
		if len(all) > 1 {
			comment = "# " + r.name + "\n"
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
