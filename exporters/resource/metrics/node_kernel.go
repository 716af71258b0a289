package metrics

import "github.com/loadline-exporters/loadline/internal/family"

// kernelTable lists the families of the kernel's own tables and limits: the collectors vmstat to textfile.
func kernelTable() family.Table {
	return family.Table{}
}

// kernelOptional are the collectors of them that are off by default.
func kernelOptional() []string { return nil }
