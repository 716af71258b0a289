package metrics

import "github.com/loadline-exporters/loadline/internal/family"

// connectionTable lists the families of the network of pods: interfaces, connections, listening sockets.
func connectionTable() family.Table {
	return family.Table{}
}
