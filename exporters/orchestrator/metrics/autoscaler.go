package metrics

import "github.com/loadline-exporters/loadline/internal/family"

var autoscaler = of(CollectorAutoscalers, AutoscalerLabels)

// What scales workloads.
var (
	AutoscalerLimited = autoscaler("autoscaler_limited", "",
		"Why an autoscaler cannot do what it would, of a closed list; always 1. min_replicas is usual where there is little to do.", "reason")
	AutoscalerMin     = autoscaler("autoscaler_replicas_min", "", "Replicas that an autoscaler goes down to.")
	AutoscalerMax     = autoscaler("autoscaler_replicas_max", "", "Replicas that an autoscaler goes up to.")
	AutoscalerCurrent = autoscaler("autoscaler_replicas_current", "", "Replicas that an autoscaler found.")
	AutoscalerDesired = autoscaler("autoscaler_replicas_desired", "", "Replicas that an autoscaler wants.")
)

func autoscalerTable() family.Table {
	return family.Table{AutoscalerLimited, AutoscalerMin, AutoscalerMax, AutoscalerCurrent, AutoscalerDesired}
}
