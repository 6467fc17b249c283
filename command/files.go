//go:build !hook

package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"novasphere.dev/wukong/manifest"
)

// fileFlag declares -f, for those who write files as kubectl wants them.
func fileFlag(c *cobra.Command, files *[]string) {
	c.Flags().StringArrayVarP(files, "file", "f", nil, "`FILE` to read, beside those that are named without a flag; - is standard input")
	_ = c.MarkFlagFilename("file", "yaml", "yml", "json") // the flag exists
}

// readFiles is the objects in files. The error is about all that cannot be read.
func readFiles(files []string, stdin io.Reader) ([]manifest.Source, error) {
	var all []manifest.Source
	var errs []error
	for _, file := range files {
		content, err := readContent(file, stdin)
		if err == nil {
			if file == "-" {
				file = "standard input"
			}
			var sources []manifest.Source
			sources, err = manifest.Read(file, content)
			all = append(all, sources...)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return all, errors.Join(errs...)
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
	if err == nil {
		return content, nil
	}
	if info, _ := os.Stat(file); info != nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory: name the files in it, for example %s/*.yaml", file, strings.TrimSuffix(file, "/"))
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // the next line says the rest
	}
	return nil, fmt.Errorf("reading %s: %w", file, err)
}

// formats declares -o with what it may be. The first is the default.
func formats(c *cobra.Command, to *string, about string, names ...string) {
	*to = names[0]
	c.Flags().FuncP("output", "o", "`format`: "+about, func(format string) error {
		for _, name := range names {
			if name == format {
				*to = format
				return nil
			}
		}
		return fmt.Errorf("must be %s or %s%s", strings.Join(names[:len(names)-1], ", "), names[len(names)-1], manifest.DidYouMean(format, names))
	})
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
}

// completeFiles completes the names of files that may hold objects.
func completeFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt
}
