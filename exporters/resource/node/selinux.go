package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// selinux serves whether SELinux is on, and its mode. The library that
// node_exporter takes looks at the exporter's own root, whatever paths it is told,
// and keeps what it found for good.
type selinux struct {
	sys  string
	read func(path string) ([]byte, error) // below the node's root
}

// The modes of SELinux.
const (
	seLinuxDisabled   = -1
	seLinuxPermissive = 0
	seLinuxEnforcing  = 1
)

// Collect reads selinuxfs, which is there when the kernel has a policy, and the
// configuration below the node's root.
func (c selinux) Collect(_ context.Context, w *family.Writer) error {
	mode, err := os.ReadFile(filepath.Join(c.sys, "fs/selinux/enforce"))
	if errors.Is(err, fs.ErrNotExist) {
		w.Series(metrics.NodeSELinuxEnabled).Add(0)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read SELinux's mode: %w", err)
	}
	w.Series(metrics.NodeSELinuxEnabled).Add(1)
	current := seLinuxPermissive
	if bytes.Equal(bytes.TrimSpace(mode), []byte("1")) {
		current = seLinuxEnforcing
	}
	w.Series(metrics.NodeSELinuxCurrentMode).Add(float64(current))
	config, err := c.read("etc/selinux/config")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read SELinux's configuration: %w", err)
	}
	w.Series(metrics.NodeSELinuxConfigMode).Add(float64(configuredMode(string(config))))
	return nil
}

// configuredMode is what the first line SELINUX= of a configuration says.
func configuredMode(config string) int {
	for line := range strings.Lines(config) {
		value, ok := strings.CutPrefix(strings.TrimSpace(line), "SELINUX=")
		if !ok {
			continue
		}
		switch strings.Trim(value, `"`) {
		case "enforcing":
			return seLinuxEnforcing
		case "permissive":
			return seLinuxPermissive
		}
		return seLinuxDisabled
	}
	return seLinuxDisabled
}
