package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// PodLimits are those that a task has as a whole, beside those of its containers.
var PodLimits = &family.Family{
	Name: "loadline_pod_resource_limits", Type: family.Gauge, Collector: "task",
	Labels: slices.Concat(PodLabels, []string{"resource", "unit"}),
	Help:   "What an ECS task is limited to as a whole (cpu in cores, memory and ephemeral_storage in bytes); its containers may be limited to less.",
}

// taskTable lists the families of ECS tasks that other containers do not have.
func taskTable() family.Table { return family.Table{PodLimits} }
