package node

import "github.com/loadline-exporters/loadline/internal/serve"

// hardwareCollectors are those of hardware, file systems and services.
func (e environment) hardwareCollectors() []serve.Collector {
	return []serve.Collector{}
}
