package machine

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// collect returns the values by family, and the text of all.
func collect(t *testing.T, c *Collector) (values map[string]string, text string, err error) {
	t.Helper()
	own := metrics.Table().Of("machine")
	w := family.NewWriter(own, nil)
	err = c.Collect(t.Context(), w)
	var b bytes.Buffer
	family.Budget(own, []*family.Writer{w}, 0).Encode(&b, family.Text)
	values = map[string]string{}
	for line := range strings.Lines(b.String()) {
		if name, rest, ok := strings.Cut(line, "{"); ok && line[0] != '#' {
			values[name] = strings.TrimSpace(rest[strings.LastIndexByte(rest, ' ')+1:])
		}
	}
	return values, b.String(), err
}

func TestThisMachineIsDescribed(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "etc/machine-id"), []byte("0123\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	values, text, err := collect(t, New("/proc", root))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range metrics.Table().Of("machine") {
		if values[f.Name] == "" {
			t.Errorf("%s is missing", f.Name)
		}
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{`machine_id="0123"`, `boot_id="` + strings.TrimSpace(string(boot)) + `"`} {
		if strings.Count(text, label) != len(values) {
			t.Errorf("not every series has %s:\n%s", label, text)
		}
	}
	if cores, err := strconv.Atoi(values["machine_cpu_cores"]); err != nil || cores < runtime.NumCPU() {
		t.Errorf("%s processors, this process may use %d", values["machine_cpu_cores"], runtime.NumCPU())
	}
}

func TestAMachineThatCouldNotBeReadIsReadAgain(t *testing.T) {
	proc := t.TempDir()
	c := New(proc, t.TempDir())
	if _, _, err := collect(t, c); err == nil || !strings.Contains(err.Error(), "cpuinfo") {
		t.Fatalf("without cpuinfo: %v", err)
	}
	if err := os.WriteFile(filepath.Join(proc, "cpuinfo"), []byte("processor : 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := collect(t, c); err != nil {
		t.Errorf("with cpuinfo: %v", err)
	}
}
