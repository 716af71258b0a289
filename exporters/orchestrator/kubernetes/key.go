package kubernetes

import "github.com/loadline-exporters/loadline/exporters/orchestrator/watch"

// key names an object of a resource.
type key = watch.Key

func named(namespace, name string) key { return key{Namespace: namespace, Name: name} }
