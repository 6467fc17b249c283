package sync

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"novasphere.dev/wukong/types/v1alpha1"
)

// cloudConfig is the part of cloud-init's user data that the hook writes
// (https://docs.cloud-init.io/en/latest/reference/modules.html#users-and-groups).
type cloudConfig struct {
	SSHPasswordAuth   bool       `json:"ssh_pwauth,omitempty"`
	DisableRoot       *bool      `json:"disable_root,omitempty"`
	SSHAuthorizedKeys []string   `json:"ssh_authorized_keys,omitempty"`
	User              *cloudUser `json:"user,omitempty"`
}

// cloudUser is the user in cloud-config. The fields that are set replace those of the image's default user, and SSH
// keys go to this user.
type cloudUser struct {
	Name              string   `json:"name"`
	HashedPassword    string   `json:"hashed_passwd,omitempty"`
	PlainTextPassword string   `json:"plain_text_passwd,omitempty"`
	LockPassword      bool     `json:"lock_passwd"`
	Sudo              string   `json:"sudo,omitempty"`
	Shell             string   `json:"shell,omitempty"`
	Groups            []string `json:"groups,omitempty"`
}

// setting is one key of cloud-config.
type setting struct {
	key   string
	value any
}

// userData is the user data of the spec: its own, with the user and the keys of the spec in it. An error says why they
// cannot be put into it.
func userData(w *v1alpha1.Wukong) (string, error) {
	const header = "#cloud-config\n"
	config := cloudConfigOf(w)
	switch own := config.settings(); {
	case w.Spec.UserData == "":
		return header + yamlText(config) + "\n", nil // {} at least: cloud-init's schema requires a mapping
	case len(own) == 0:
		return w.Spec.UserData, nil
	default:
		return merged(w.Spec.UserData, own)
	}
}

func cloudConfigOf(w *v1alpha1.Wukong) cloudConfig {
	config := cloudConfig{SSHAuthorizedKeys: w.Spec.SSHAuthorizedKeys}
	u := w.Spec.CloudInitUser
	if u == nil {
		return config
	}
	user := &cloudUser{
		Name: u.Name, HashedPassword: u.PasswordHash, Sudo: u.Sudo, Shell: u.Shell, Groups: u.Groups,
		LockPassword: u.PasswordHash == "" && u.Password == "",
	}
	if u.PasswordHash == "" {
		user.PlainTextPassword = u.Password
	}
	if u.LockPasswd != nil {
		user.LockPassword = *u.LockPasswd
	}
	config.User, config.SSHPasswordAuth = user, !user.LockPassword
	if u.Name == "root" {
		// Otherwise cloud-init gives root's keys a command that says to log in as somebody else.
		no := false
		config.DisableRoot = &no
	}
	return config
}

// settings are the keys that are set.
func (c cloudConfig) settings() []setting {
	var all []setting
	if c.SSHPasswordAuth {
		all = append(all, setting{"ssh_pwauth", true})
	}
	if c.DisableRoot != nil {
		all = append(all, setting{"disable_root", *c.DisableRoot})
	}
	if len(c.SSHAuthorizedKeys) > 0 {
		all = append(all, setting{"ssh_authorized_keys", c.SSHAuthorizedKeys})
	}
	if c.User != nil {
		all = append(all, setting{"user", c.User})
	}
	return all
}

// merged is a cloud-config with further settings. The text of the cloud-config stays as it is, because to write anew what
// another parser has read would change it: 0644 and on are not the same to YAML 1.1 and 1.2.
func merged(text string, own []setting) (string, error) {
	header, rest, _ := strings.Cut(text, "\n")
	if strings.TrimRight(header, " \t\r") != "#cloud-config" {
		return "", errors.New("only user data that begins with a line #cloud-config takes cloudInitUser and sshAuthorizedKeys: " +
			"say in it who logs in, and remove them")
	}
	rest = withoutMarker(rest)
	theirs, err := keysOf(rest)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("#cloud-config\n")
	var want []string
	for _, s := range own {
		clash, gives := clashes(s.key, theirs)
		if clash != "" && !gives {
			return "", fmt.Errorf("%s in it contradicts %s: remove one of the two", clash, fieldOf(s.key))
		}
		if clash == "" {
			want = append(want, s.key)
			fmt.Fprintf(&b, "%s: %s\n", s.key, yamlText(s.value))
		}
	}
	b.WriteString(rest)
	if got, err := keysOf(b.String()); err != nil || !slices.Equal(got, append(want, theirs...)) {
		return "", errors.New("cloudInitUser and sshAuthorizedKeys cannot be put into it: " +
			"begin each key at the start of a line, without braces")
	}
	return b.String(), nil
}

// fieldOf is the field that a key repeats; empty for a key that only follows from one.
func fieldOf(key string) string {
	switch key {
	case "user":
		return "cloudInitUser"
	case "ssh_authorized_keys":
		return "sshAuthorizedKeys"
	}
	return ""
}

// clashes is the key of a cloud-config that says what a setting says too; empty where none does. What follows from other
// fields gives way to it.
func clashes(key string, theirs []string) (clash string, givesWay bool) {
	// A list users without the entry default would leave the user out, so it is said in one place who the users are.
	if key == "user" && slices.Contains(theirs, "users") {
		return "users", false
	}
	if slices.Contains(theirs, key) {
		return key, fieldOf(key) == ""
	}
	return "", false
}

// withoutMarker is a document without the marker of its beginning, before which nothing could be put.
func withoutMarker(text string) string {
	line, rest, _ := strings.Cut(text, "\n")
	if strings.TrimRight(line, " \t\r") == "---" {
		return rest
	}
	return text
}

// keysOf are the keys of a document of YAML that is a mapping, or empty.
func keysOf(text string) ([]string, error) {
	d := yaml.NewDecoder(strings.NewReader(text))
	var doc yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("it cannot be read as YAML (%s): correct it", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if d.Decode(&yaml.Node{}) != io.EOF { //nolint:errorlint // Decode returns it as it is
		return nil, errors.New("it has more than one document: use one")
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	switch root := doc.Content[0]; {
	case root.Kind == yaml.MappingNode:
		var keys []string
		for i := 0; i < len(root.Content); i += 2 {
			keys = append(keys, root.Content[i].Value)
		}
		return keys, nil
	case root.Tag == "!!null":
		return nil, nil
	}
	return nil, errors.New("it is no mapping of cloud-config's keys: correct it")
}

// yamlText is a value on one line that every parser of YAML 1.1 and 1.2 reads as JSON's does. JSON is YAML too, and it
// quotes every string, so that no password can be read as anything but a string. But YAML 1.1 ends a line at some
// characters that JSON leaves as they are, parsers refuse others, and JSON escapes what is beyond 16 bits in two halves.
// So everything that is not printable ASCII is escaped as YAML does.
func yamlText(v any) string {
	var b strings.Builder
	for _, r := range compact(v) {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}
