// Package node proves that the guest of `make guest` is the node it is meant to
// be: what other tests find out there is worth nothing otherwise.
package node
