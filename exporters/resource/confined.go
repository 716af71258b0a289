package resource

import (
	"cmp"
	"errors"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// ownOptions name the container that this runs in, where its control group is all
// that is seen: beside others in a pod, as a sidecar.
type ownOptions struct {
	Pod, Namespace, Container string
}

func (o *ownOptions) addFlags(g serve.FlagGroup) {
	g.Flag("pod-name", "Name of the pod that this runs in (downward API): it names the control group of this process where no other is seen.").
		Envar("POD_NAME").StringVar(&o.Pod)
	g.Flag("pod-namespace", "Namespace of the pod that this runs in (downward API), for the same.").
		Envar("POD_NAMESPACE").StringVar(&o.Namespace)
	g.Flag("container-name", "Name of the container that this runs in, for the same; by default the pod's.").
		Envar("CONTAINER_NAME").StringVar(&o.Container)
}

// container is the one that this runs in; nil where its name is not known.
func (o *ownOptions) container(node string) *container.Container {
	if o.Pod == "" {
		return nil
	}
	name := cmp.Or(o.Container, o.Pod)
	return &container.Container{
		// What controls the pod is not known here, so the pod stands for it.
		Place: hierarchy.OfLabels(hierarchy.Containerd, "", hierarchy.PodLabels(o.Namespace, o.Pod, "", name)),
		Name:  name, Node: node,
	}
}

// errOwnGroup is why a node's containers are not seen.
var errOwnGroup = source.Because(source.Absent,
	errors.New("no control group is seen but this container's own (a cgroup namespace), which --pod-name can name"))

// nodeGroups says whether the control groups of the whole node are seen.
func nodeGroups(tree *cgroup.Tree, err error) *source.Source {
	s := source.New("node-cgroups")
	if tree != nil && tree.View() == cgroup.OwnGroup {
		err = errOwnGroup
	}
	s.Report(err, "")
	return s
}
