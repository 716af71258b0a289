package cluster

import (
	"github.com/loadline-exporters/loadline/e2e/program"
)

// The versions of what a cluster is made of: those that the modules below
// e2e/cluster/programs pin.
const (
	KubernetesVersion = "1.36.3"
	EtcdVersion       = "3.7.3"
	CoreDNSVersion    = "1.15.0"
)

// Programs are all that a cluster is made of, but for containerd.
func Programs() []program.Published {
	all := []program.Published{etcdProgram(), coreDNSProgram()}
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"} {
		all = append(all, kubernetesProgram(name))
	}
	return all
}

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

func coreDNSProgram() program.Published {
	return program.Published{
		Name: "coredns", Version: CoreDNSVersion,
		Module: "e2e/cluster/programs/coredns", Package: "github.com/coredns/coredns",
	}
}
