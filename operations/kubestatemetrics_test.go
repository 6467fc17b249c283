package operations

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// TestKubeStateMetrics is that kube-state-metrics itself makes of the configuration what objects makes of it. It has no module that can be
// fetched, so it is asked where KUBE_STATE_METRICS names its binary.
func TestKubeStateMetrics(t *testing.T) {
	binary := os.Getenv("KUBE_STATE_METRICS")
	if binary == "" {
		t.Skip("KUBE_STATE_METRICS names no binary of kube-state-metrics")
	}
	server := httptest.NewServer(apiServer(t))
	t.Cleanup(server.Close)
	ports := []string{free(t), free(t)}
	config := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a}}],
clusters: [{name: a, cluster: {server: %q}}]}`, server.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "--kubeconfig="+config, "--custom-resource-state-only", "--host=127.0.0.1",
		"--port="+ports[0], "--telemetry-host=127.0.0.1", "--telemetry-port="+ports[1],
		"--custom-resource-state-config-file="+stateMetricsFile)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait()
		for line := range strings.Lines(log.String()) {
			if strings.HasPrefix(line, "E") || strings.HasPrefix(line, "W") {
				t.Log(line)
			}
		}
	})

	want, got := objects(t), samples{}
	for range 300 {
		if got = exposed(t, "http://127.0.0.1:"+ports[0]+"/metrics"); len(got) >= len(want) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if all := differences(want, got); len(all) > 0 {
		t.Errorf("what kube-state-metrics says differs (-expected +got):\n%s", strings.Join(all, "\n"))
	}
	t.Logf("%d series", len(got))
}

// apiServer is as much of an API server as kube-state-metrics asks: its version, our definitions, and lists that never change.
func apiServer(t *testing.T) http.Handler {
	t.Helper()
	lists := map[string]object{"/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}}
	var definitions []any
	for _, kind := range []string{"Wukong", "WukongNetwork", "WukongNode"} {
		plural := strings.ToLower(kind) + "s"
		raw, err := os.ReadFile("../deploy/base/vm.novasphere.dev_" + plural + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var definition object
		if err := yaml.Unmarshal(raw, &definition); err != nil {
			t.Fatal(err)
		}
		definition["metadata"].(object)["uid"] = kind
		definition["status"] = object{"conditions": []any{object{"type": "Established", "status": "True"}}}
		definitions = append(definitions, definition)
		var items []any
		for _, o := range states(t, kind) {
			items = append(items, o)
		}
		lists["/apis/vm.novasphere.dev/v1alpha1/"+plural] = object{"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": kind + "List",
			"metadata": object{"resourceVersion": "1"}, "items": items}
	}
	lists["/apis/apiextensions.k8s.io/v1/customresourcedefinitions"] = object{"apiVersion": "apiextensions.k8s.io/v1",
		"kind": "CustomResourceDefinitionList", "metadata": object{"resourceVersion": "1"}, "items": definitions}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, is := lists[r.URL.Path]
		switch {
		case !is:
			http.NotFound(w, r)
		case r.URL.Query().Get("sendInitialEvents") != "": // then it lists
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"Invalid","code":422}`)
		case r.URL.Query().Get("watch") != "":
			w.Header().Set("Content-Type", "application/json")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(list)
		}
	})
}

// free is a port that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// exposed are our series at an address, their labels in order; none while nobody answers.
func exposed(t *testing.T, address string) samples {
	t.Helper()
	all := samples{}
	response, err := http.Get(address)
	if err != nil {
		return all
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	label := regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
	for _, line := range regexp.MustCompile(`(?m)^(wukong_\w+)\{(.*)\} (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		labels := map[string]string{}
		for _, pair := range label.FindAllStringSubmatch(line[2], -1) {
			labels[pair[1]] = pair[2]
		}
		value, err := strconv.ParseFloat(line[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		all[series(line[1], labels)] = value
	}
	return all
}

// differences are the first of those in which two sets of series differ.
func differences(want, got samples) []string {
	var all []string
	for _, s := range slices.Sorted(maps.Keys(want)) {
		if value, is := got[s]; !is || value != want[s] {
			all = append(all, fmt.Sprintf("- %s %v", s, want[s]))
		}
	}
	for _, s := range slices.Sorted(maps.Keys(got)) {
		if value, is := want[s]; !is || value != got[s] {
			all = append(all, fmt.Sprintf("+ %s %v", s, got[s]))
		}
	}
	return all[:min(len(all), 20)]
}
