//go:build e2e && !guest

package kubelet

import "github.com/loadline-exporters/loadline/e2e/cgroup"

// driver is the one of control groups that works on any machine.
const driver = cgroup.Cgroupfs
