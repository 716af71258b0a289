package node

import "github.com/loadline-exporters/loadline/internal/serve"

// kernelCollectors are those of the kernel's own tables and limits.
func (e environment) kernelCollectors() []serve.Collector {
	return []serve.Collector{}
}
