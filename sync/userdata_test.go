package sync

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/types/v1alpha1"
)

// TestUserDataIsMerged holds what becomes of user data beside a user and keys: the text is kept as it is, and what
// cannot be put into it is refused with the reason.
func TestUserDataIsMerged(t *testing.T) {
	user, key := &v1alpha1.CloudInitUser{Name: "ubuntu"}, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbc user@host"
	const own = "ssh_authorized_keys: [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbc user@host\"]\n" +
		"user: {\"name\":\"ubuntu\",\"lock_passwd\":true}\n"
	for name, row := range map[string]struct{ text, want, refused string }{
		"a mapping":               {text: "#cloud-config\npackages:\n- git\nperm: 0644\n", want: "#cloud-config\n" + own + "packages:\n- git\nperm: 0644\n"},
		"lines end as in Windows": {text: "#cloud-config\r\npackages: [git]\r\n", want: "#cloud-config\n" + own + "packages: [git]\r\n"},
		"a marker":                {text: "#cloud-config\n---\npackages: [git]", want: "#cloud-config\n" + own + "packages: [git]"},
		"comments":                {text: "#cloud-config\n# nothing yet\n", want: "#cloud-config\n" + own + "# nothing yet\n"},
		"the header alone":        {text: "#cloud-config", want: "#cloud-config\n" + own},
		"an anchor":               {text: "#cloud-config\na: &a {b: 1}\nc: *a\n", want: "#cloud-config\n" + own + "a: &a {b: 1}\nc: *a\n"},
		"an alias in itself":      {text: "#cloud-config\na: &a [*a]\n", want: "#cloud-config\n" + own + "a: &a [*a]\n"},
		"braces":                  {text: "#cloud-config\n{packages: [git]}\n", refused: "cannot be put into it: begin each key at the start of a line"},
		"an indented mapping":     {text: "#cloud-config\n  packages: [git]\n", refused: "cannot be put into it"},
		"its own user":            {text: "#cloud-config\nuser: {name: other}\n", refused: "user in it contradicts cloudInitUser: remove one of the two"},
		"its own users":           {text: "#cloud-config\nusers: []\n", refused: "users in it contradicts cloudInitUser"},
		"its own keys":            {text: "#cloud-config\n\"ssh_authorized_keys\": []\n", refused: "ssh_authorized_keys in it contradicts sshAuthorizedKeys"},
		"a script":                {text: "#!/bin/sh\necho\n", refused: "only user data that begins with a line #cloud-config"},
		"an archive":              {text: "#cloud-config-archive\n- a\n", refused: "only user data that begins with a line #cloud-config"},
		"a template":              {text: "## template: jinja\n#cloud-config\na: b\n", refused: "only user data that begins with a line #cloud-config"},
		"a list":                  {text: "#cloud-config\n- a\n", refused: "it is no mapping"},
		"two documents":           {text: "#cloud-config\na: b\n---\nc: d\n", refused: "it has more than one document"},
		"no YAML":                 {text: "#cloud-config\na: [b\n", refused: "it cannot be read as YAML ("},
		"a tab":                   {text: "#cloud-config\na:\n\tb: c\n", refused: "it cannot be read as YAML ("},
	} {
		t.Run(name, func(t *testing.T) {
			w := &v1alpha1.Wukong{Spec: v1alpha1.WukongSpec{UserData: row.text, CloudInitUser: user, SSHAuthorizedKeys: []string{key}}}
			got, err := userData(w)
			switch {
			case row.refused == "" && (err != nil || got != row.want):
				t.Errorf("%v: %s", err, got)
			case row.refused != "" && (err == nil || !strings.Contains(err.Error(), row.refused)):
				t.Errorf("%v: %s", err, got)
			}
			w.Spec.CloudInitUser, w.Spec.SSHAuthorizedKeys = nil, nil
			if got, err := userData(w); err != nil || got != row.text {
				t.Errorf("alone it does not stay as it is: %v: %s", err, got)
			}
		})
	}
}

// TestUserDataDecidesOverWhatFollows: what only follows from the user's fields gives way to what the user data says.
func TestUserDataDecidesOverWhatFollows(t *testing.T) {
	w := &v1alpha1.Wukong{Spec: v1alpha1.WukongSpec{
		UserData: "#cloud-config\nssh_pwauth: false\ndisable_root: true\n", CloudInitUser: &v1alpha1.CloudInitUser{Name: "root", Password: "x"},
	}}
	got, err := userData(w)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		PasswordAuth bool `json:"ssh_pwauth"`
		DisableRoot  bool `json:"disable_root"`
		User         struct{ Name string }
	}
	if err := yaml.Unmarshal([]byte(got), &config); err != nil || config.PasswordAuth || !config.DisableRoot || config.User.Name != "root" {
		t.Errorf("%v: %s", err, got)
	}
}
