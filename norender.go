//go:build hook

package main

import "errors"

// command is missing where only the hook was built.
func command([]string) error {
	return errors.New("this build has the hook only: build the source without -tags hook")
}
