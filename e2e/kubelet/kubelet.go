// Package kubelet compares what the resource exporter serves of a node's containers
// with what the node's kubelet serves of them.
package kubelet
