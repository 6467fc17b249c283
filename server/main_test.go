package server_test

import (
	"fmt"
	"os"
	"testing"
)

// childVariable makes this test binary a process that serves, and says what: memory and CPU time are counted by process.
const childVariable = "WUKONG_TEST_SERVES"

func TestMain(m *testing.M) {
	var err error
	switch which := os.Getenv(childVariable); which {
	case "":
		os.Exit(m.Run())
	case "memory":
		err = serveAsChild()
	default:
		err = serves(which)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
