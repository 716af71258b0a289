//go:build guest

package kubelet

import "github.com/loadline-exporters/loadline/e2e/cgroup"

// driver is the one of control groups that most nodes have.
const driver = cgroup.Systemd
