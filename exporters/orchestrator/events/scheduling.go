package events

import (
	"strconv"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// obstacles are the reasons by which the scheduler's plugins rule out nodes
// (pkg/scheduler/framework/plugins), in order of precedence.
func obstacles() []says {
	return []says{
		{model.UnscheduledCPU, []string{"Insufficient cpu"}},
		{model.UnscheduledMemory, []string{"Insufficient memory"}},
		{model.UnscheduledDevice, []string{"resourceclaim", "ResourceClaim", "resource claim", "allocate all claims", "device class", "cannot fit resource"}},
		{model.UnscheduledResource, []string{"Insufficient ", "Too many pods"}},
		{model.UnscheduledVolume, []string{
			"PersistentVolume", "persistentvolume", "persistent volumes", "pvc(s)", "volume zone", "max volume count", "no available disk",
			"enough free storage", "storageclass", "StorageClass",
		}},
		{model.UnscheduledPort, []string{"free ports"}},
		{model.UnscheduledSpread, []string{"topology spread constraints"}},
		{model.UnscheduledAffinity, []string{"affinity", "node selector", "requested node name", "node features"}},
		{model.UnscheduledTaint, []string{"taint"}},
		{model.UnscheduledCordon, []string{"were unschedulable", "unknown conditions"}},
		{model.UnscheduledGate, []string{"scheduling gates"}},
	}
}

const (
	nodesAvailable = " nodes are available:"
	preemption     = " preemption: "
	noNodes        = "no nodes available to schedule pods"
	deleting       = "skip schedule deleting pod"
)

// Obstacle is the class of the cause for which a pod was not scheduled. The scheduler
// says of each cause how many nodes it rules out: "0/5 nodes are available: 1 node(s)
// had untolerated taint(s), 4 Insufficient cpu. preemption: …". What rules out most
// nodes counts.
func Obstacle(message string) model.Class {
	switch {
	case strings.Contains(message, noNodes), strings.HasPrefix(message, "0/0"+nodesAvailable):
		return model.UnscheduledNoNode
	case strings.HasPrefix(message, deleting):
		return model.SchedulingInterrupted
	}
	if _, reasons, ok := strings.Cut(message, nodesAvailable); ok {
		message = reasons
	}
	message, _, _ = strings.Cut(message, preemption)
	worst, most, of := model.UnscheduledOther, -1, obstacles()
	for reason := range strings.SplitSeq(message, ", ") {
		class := first(reason, of, model.UnscheduledOther)
		if n := leading(reason); n > most || n == most && worst == model.UnscheduledOther {
			worst, most = class, n
		}
	}
	return worst
}

// leading is the number with which a reason begins; 0 where it has none.
func leading(reason string) int {
	digits, _, _ := strings.Cut(strings.TrimSpace(reason), " ")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
