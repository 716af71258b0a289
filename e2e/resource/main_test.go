package resource

import (
	"os"
	"testing"
)

// TestMain makes the test's program an exporter on a node of its own when
// startChild runs it.
func TestMain(m *testing.M) {
	if setup, ok := os.LookupEnv(childVariable); ok {
		os.Exit(childMain(setup, os.Args[1:]))
	}
	os.Exit(m.Run())
}
