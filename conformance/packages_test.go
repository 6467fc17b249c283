package conformance

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// unpacked is a folder with the files of some packages of a release of Debian. They are downloaded from where this
// machine's packages come from, and kept in the user's cache.
func unpacked(release string, names ...string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(cache, "wukong-ci", "debian", release, strings.Join(names, "+"))
	files := filepath.Join(root, "files")
	if _, err := os.Stat(files); err == nil {
		return files, nil
	}
	if err := download(root, release, names); err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(root, "download", "*.deb"))
	if err != nil {
		return "", err
	}
	fresh := files + ".new" // an interrupted run leaves nothing that looks whole
	for _, deb := range found {
		if out, err := exec.Command("dpkg-deb", "-x", deb, fresh).CombinedOutput(); err != nil {
			return "", fmt.Errorf("unpacking: %w: %s", err, out)
		}
	}
	return files, os.Rename(fresh, files)
}

// download brings packages of a release into a folder, with lists of its own: those of the machine stay as they are.
func download(root, release string, names []string) error {
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	for _, dir := range []string{"lists/partial", "archives/partial", "parts", "download"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	uri, err := source()
	if err != nil {
		return err
	}
	sources := filepath.Join(root, "sources.list")
	line := "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " + uri + " " + release + " main\n"
	if err := os.WriteFile(sources, []byte(line), 0o600); err != nil {
		return err
	}
	options := []string{
		"-qq", "-o", "Dir::Etc::sourcelist=" + sources, "-o", "Dir::Etc::sourceparts=" + filepath.Join(root, "parts"),
		"-o", "Dir::State::lists=" + filepath.Join(root, "lists"), "-o", "Dir::Cache=" + root, "-o", "Dir::Cache::archives=archives",
		"-o", "Dir::State::status=/dev/null", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none",
	}
	for _, step := range [][]string{{"update"}, append([]string{"download"}, names...)} {
		run := exec.Command("apt-get", append(options, step...)...)
		run.Dir = filepath.Join(root, "download")
		if out, err := run.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", step[0], err, bytes.TrimSpace(out))
		}
	}
	return os.RemoveAll(filepath.Join(root, "lists"))
}

// source is where this machine's packages of Debian come from.
func source() (string, error) {
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(REPO_URI)", "Created-By: Packages").Output()
	if err != nil {
		return "", fmt.Errorf("asking apt for its sources: %w", err)
	}
	var uri string
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "Debian" && fields[1] == "main" && !strings.Contains(fields[2], "security") {
			uri = cmp.Or(uri, fields[2])
		}
	}
	if uri == "" {
		return "", errors.New("this machine has no source of Debian's packages")
	}
	return uri, nil
}
