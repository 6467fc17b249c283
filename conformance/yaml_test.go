package conformance

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// python is a Python that has PyYAML, which is what cloud-init reads user data with.
func python(t *testing.T) string {
	t.Helper()
	for _, candidate := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(candidate, "-c", "import yaml").Run() == nil {
			return candidate
		}
	}
	t.Skip("no python3 here has PyYAML (Debian's package python3-yaml)")
	return ""
}

// pyYAML is a text as PyYAML's safe loader reads it, with objects as JSON.
func pyYAML(t *testing.T, text string) any {
	t.Helper()
	const program = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin.buffer.read()), sys.stdout)"
	run := exec.Command(python(t), "-c", program)
	run.Stdin = strings.NewReader(text)
	out, err := run.Output()
	if err != nil {
		t.Fatalf("PyYAML refuses it: %v: %s", err, text)
	}
	return decoded(t, out)
}

// yaml12 is a text as a parser of YAML 1.2 reads it.
func yaml12(t *testing.T, text string) any {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("YAML 1.2 refuses it: %v: %s", err, text)
	}
	return decoded(t, raw)
}

func decoded(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

// TestEveryParserReadsTheSameUserData reads all user data that is cloud-config by YAML 1.1 and by YAML 1.2.
func TestEveryParserReadsTheSameUserData(t *testing.T) {
	python(t)
	seen := 0
	guests(t, func(t *testing.T, n noCloud) {
		if !strings.HasPrefix(n.UserData, "#cloud-config\n") {
			return
		}
		seen++
		if old, current := pyYAML(t, n.UserData), yaml12(t, n.UserData); !reflect.DeepEqual(old, current) {
			t.Errorf("YAML 1.1 and 1.2 differ:\n%#v\n%#v", old, current)
		}
	})
	if seen == 0 {
		t.Error("no golden answer has user data")
	}
}

// TestPasswordsSurvive compares the password in the golden user data with the one in the request.
func TestPasswordsSurvive(t *testing.T) {
	python(t)
	const name = "password-of-any-characters"
	var request struct {
		Parent struct {
			Spec struct {
				CloudInitUser struct {
					Name, Password, Sudo string
					Groups               []any
				}
			}
		}
	}
	read(t, filepath.Join("../testdata/sync", name, "request.json"), &request)
	user := request.Parent.Spec.CloudInitUser
	want := map[string]any{
		"name": user.Name, "plain_text_passwd": user.Password, "sudo": user.Sudo, "groups": user.Groups, "lock_passwd": false,
	}
	found := false
	guests(t, func(t *testing.T, n noCloud) {
		if !strings.Contains(t.Name(), "/"+name+"/") {
			return
		}
		found = true
		for parser, config := range map[string]any{"PyYAML": pyYAML(t, n.UserData), "YAML 1.2": yaml12(t, n.UserData)} {
			if got := config.(map[string]any)["user"]; !reflect.DeepEqual(got, any(want)) {
				t.Errorf("%s reads %#v\nand not %#v", parser, got, want)
			}
		}
	})
	if !found {
		t.Errorf("the case %s has no machine", name)
	}
}
