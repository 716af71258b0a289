package cluster

import "github.com/loadline-exporters/loadline/e2e/cgroup"

// settings are what options set.
type settings struct {
	controllers bool
	apiServer   []string
	nodes       int
	services    bool
	driver      cgroup.Driver
}

// Option changes what is started and how.
type Option func(*settings)

// WithControllers starts the controller manager and the scheduler, as Start always
// does.
func WithControllers() Option { return func(s *settings) { s.controllers = true } }

// WithNodes starts a cluster of n nodes, three at most.
func WithNodes(n int) Option { return func(s *settings) { s.nodes = n } }

// WithoutServices starts a cluster without proxies and DNS: pods run, and that is it.
func WithoutServices() Option { return func(s *settings) { s.services = false } }

// WithDriver has control groups made by another driver than cgroupfs. Systemd must be
// the machine's init process, and the machine must have no other kubelet.
func WithDriver(driver cgroup.Driver) Option {
	return func(s *settings) { s.driver = driver }
}

// WithAPIServerFlags gives the API server further flags.
func WithAPIServerFlags(flags ...string) Option {
	return func(s *settings) { s.apiServer = append(s.apiServer, flags...) }
}

func apply(options []Option) settings {
	s := settings{nodes: 1, services: true, driver: cgroup.Cgroupfs}
	for _, option := range options {
		option(&s)
	}
	return s
}
