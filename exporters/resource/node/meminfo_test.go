package node

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
)

func TestEveryFieldOfMeminfoIsServedUnderItsName(t *testing.T) {
	// Fields that procfs parses and node_exporter 1.12.1 does not serve.
	left := []string{"SecPageTablesBytes", "FileHugePagesBytes", "UnacceptedBytes", "HugetlbBytes"}
	fields := reflect.TypeFor[procfs.Meminfo]()
	for i := range fields.NumField() {
		field := fields.Field(i).Name
		if !strings.HasSuffix(field, "Bytes") && !strings.HasPrefix(field, "HugePages") {
			continue // the same in kB
		}
		var m procfs.Meminfo
		one := uint64(1)
		reflect.ValueOf(&m).Elem().Field(i).Set(reflect.ValueOf(&one))
		var served []string
		for _, v := range memoryValues(&m) {
			if v.value != nil {
				served = append(served, v.name)
			}
		}
		switch {
		case slices.Contains(left, field):
			if len(served) != 0 {
				t.Errorf("%s is served as %v", field, served)
			}
		case len(served) != 1:
			t.Errorf("%s is served as %v, want one family", field, served)
		case !strings.EqualFold(strings.ReplaceAll(served[0], "_", ""), field):
			t.Errorf("%s is served as %s", field, served[0])
		}
	}
}

func TestEveryMemoryFamilyIsListedOnce(t *testing.T) {
	var listed, used []string
	for _, f := range metrics.Table().Of("meminfo") {
		listed = append(listed, strings.TrimPrefix(f.Name, "node_memory_"))
	}
	for _, v := range memoryValues(&procfs.Meminfo{}) {
		if metrics.NodeMemory[v.name] == nil {
			t.Errorf("no family for %s", v.name)
		}
		used = append(used, v.name)
	}
	if !slices.Equal(listed, used) {
		t.Errorf("the table lists\n%v\nthe collector serves\n%v", listed, used)
	}
}
