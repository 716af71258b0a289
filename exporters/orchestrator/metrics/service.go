package metrics

import "github.com/loadline-exporters/loadline/internal/family"

var service = of(CollectorServices, ServiceLabels)

// Services and what is behind them.
var (
	ServicePod = service("service_pod", "",
		"A pod that a service selects, whether it is ready or not, until it has ended; always 1. It joins a service with what is known of its pods, once.", "pod")
	ServiceEndpoints = service("service_endpoints", "",
		"Addresses behind a service by state: ready, not_ready, terminating. One that has addresses of both families counts once.", "state")
)

func serviceTable() family.Table { return family.Table{ServicePod, ServiceEndpoints} }
