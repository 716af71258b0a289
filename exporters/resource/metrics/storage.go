package metrics

import "github.com/loadline-exporters/loadline/internal/family"

// storageTable lists the families of file systems of containers and the volumes of pods.
func storageTable() family.Table {
	return family.Table{}
}
