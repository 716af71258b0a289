package cluster

import (
	"github.com/loadline-exporters/loadline/e2e/program"
)

// The versions of what a cluster is made of: those that the modules below
// e2e/cluster/programs pin.
const (
	KubernetesVersion = "1.36.3"
	EtcdVersion       = "3.7.3"
)

// kubernetesProgram is a program of Kubernetes. It is told its version, as releases are:
// else it says that it is 0.0.
func kubernetesProgram(name string) program.Published {
	const version = "k8s.io/component-base/version."
	return program.Published{
		Name: name, Version: KubernetesVersion,
		Module: "e2e/cluster/programs/kubernetes", Package: "k8s.io/kubernetes/cmd/" + name,
		Variables: map[string]string{
			version + "gitVersion": "v" + KubernetesVersion, version + "gitMajor": "1", version + "gitMinor": "36",
		},
	}
}

func etcdProgram() program.Published {
	return program.Published{
		Name: "etcd", Version: EtcdVersion,
		Module: "e2e/cluster/programs/etcd", Package: "go.etcd.io/etcd/server/v3",
	}
}
