package docker

import "github.com/loadline-exporters/loadline/e2e/cgroup"

// settings are what options set.
type settings struct {
	ownNetwork, swarm, liveRestore bool
	driver                         cgroup.Driver
}

// Option changes how Start runs the daemon.
type Option func(*settings)

// WithOwnNetwork runs the daemon in a network namespace of its own, which has
// nothing but a loopback device. Containers with network host are in it too.
func WithOwnNetwork() Option {
	return func(s *settings) { s.ownNetwork = true }
}

// WithDriver has control groups made by another driver than cgroupfs. Systemd must
// be the machine's init process.
func WithDriver(driver cgroup.Driver) Option {
	return func(s *settings) { s.driver = driver }
}

// WithSwarm makes the daemon the only node of a new Swarm, in a network
// namespace of its own: a manager listens on all addresses, on ports that
// cannot all be chosen.
func WithSwarm() Option {
	return func(s *settings) { s.ownNetwork, s.swarm = true, true }
}

// WithLiveRestore lets containers run on while the daemon is away.
func WithLiveRestore() Option {
	return func(s *settings) { s.liveRestore = true }
}
