// Package cluster gives a test a Kubernetes of its own: the programs as they are
// published, built from the module proxy into the user's cache (the first time that
// takes some twenty minutes), with images made from scratch.
//
// StartControlPlane starts an API server on an etcd, with controllers when asked for,
// on loopback and without root. A test that uses it carries the build tag e2e and is
// run by `make e2e`.
package cluster

import "fmt"

// maxNodes is how many nodes a cluster can have.
const maxNodes = 3

// nodeName is the name of the ith node.
func nodeName(i int) string { return fmt.Sprint("node-", i+1) }
