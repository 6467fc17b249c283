package install

import (
	"regexp"

	"k8s.io/apimachinery/pkg/util/version"
)

// Oldest is the oldest version of something that Wukong works with.
type Oldest struct {
	// About is what docs/versions.md calls it, and Version what it says there.
	About, Version string

	// Must is whether an older one is refused. Others are older than what is tried, and probably work.
	Must bool
}

// OldestVersions are those that can be asked for in a cluster; docs/versions.md says why.
func OldestVersions() []Oldest {
	return []Oldest{
		{"Kubernetes", "1.30", true},
		{"KubeVirt", "1.6", false},
		{"kubernetes-nmstate", "0.85.1", false},
		{"Metacontroller", "4.17", true},
	}
}

// aged is a finding about the version of something. Empty is one that nobody says.
func aged(about, given string) Finding {
	for _, oldest := range OldestVersions() {
		if oldest.About != about {
			continue
		}
		has, err := version.ParseGeneric(given)
		switch {
		case err != nil && given == "":
			return Finding{Unknown, about, "its version is not told; at least " + oldest.Version + " is needed"}
		case err != nil:
			return Finding{Unknown, about, "its version " + given + " is none of a release; at least " + oldest.Version + " is needed"}
		case !has.LessThan(version.MustParseGeneric(oldest.Version)):
		case oldest.Must:
			return Finding{Wrong, about, given + " is too old: upgrade it to " + oldest.Version + " or later"}
		default:
			return Finding{Warning, about, given + " is older than " + oldest.Version + ", the oldest that is tried: upgrade it"}
		}
	}
	return Finding{OK, about, given}
}

var image = regexp.MustCompile(`^(.+?)(?::([^:/@]+))?(?:@(sha256:[0-9a-f]+))?$`)

// parted is an image's name without its tag, and the tag; empty where it has none, or a digest beside it.
func parted(reference string) (name, tag string) {
	m := image.FindStringSubmatch(reference)
	switch {
	case m == nil:
		return reference, ""
	case m[3] != "":
		return m[1], ""
	}
	return m[1], m[2]
}

// older reports whether a version of Wukong is older than another; known is false where one of them is no version.
func older(a, b string) (older, known bool) {
	first, err := version.ParseSemantic(a)
	if err != nil {
		return false, false
	}
	second, err := version.ParseSemantic(b)
	if err != nil {
		return false, false
	}
	return first.LessThan(second), true
}
