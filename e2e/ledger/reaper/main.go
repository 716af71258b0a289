// Command reaper waits until a test has ended, and then removes what it left: the
// test is at the other end of standard input (ledger.Guard).
package main

import (
	"fmt"
	"os"

	"github.com/loadline-exporters/loadline/e2e/ledger"
)

func main() {
	for _, problem := range ledger.Reap(os.Stdin) {
		fmt.Fprintln(os.Stderr, problem)
	}
}
