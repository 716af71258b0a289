package node

import (
	"strings"
	"testing"
)

func TestTheSerialNumberIsTheOneOnTheLabelIfThereIsOne(t *testing.T) {
	for want, p := range map[string]udevProperties{
		"label": {"SCSI_IDENT_SERIAL": "label", "ID_SERIAL_SHORT": "short", "ID_SERIAL": "long"},
		"short": {"ID_SERIAL_SHORT": "short", "ID_SERIAL": "long"},
		"long":  {"ID_SERIAL": "long"},
		"":      nil,
	} {
		if got := p.serial(); got != want {
			t.Errorf("%q, want %q of %v", got, want, p)
		}
	}
}

// FuzzUdevProperties: whatever the file holds, a property is a line of its own
// that begins with E: and is served as it stands there.
func FuzzUdevProperties(f *testing.F) {
	f.Add("S:disk/by-id/x\nE:ID_MODEL=a=b\nE:EMPTY=\nE:no value\nG:tag\n")
	f.Add("E:=\r\nE:\x00=\xff")
	f.Fuzz(func(t *testing.T, data string) {
		p, err := parseUdev(strings.NewReader(data))
		if err != nil {
			return
		}
		lines := map[string]bool{}
		for line := range strings.Lines(data) {
			lines[strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")] = true
		}
		for name, value := range p {
			if !lines["E:"+name+"="+value] {
				t.Errorf("%q=%q is no line of %q", name, value, data)
			}
		}
	})
}
