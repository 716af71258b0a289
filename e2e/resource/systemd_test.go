//go:build guest

package resource

import (
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
)

// The same under systemd's driver, which most nodes have.

func TestContainersOfSystemd(t *testing.T) { testContainers(t, cgroup.Systemd) }

func TestPodsOfSystemd(t *testing.T) { testPods(t, cgroup.Systemd) }
