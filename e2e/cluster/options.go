package cluster

// settings are what options set.
type settings struct {
	controllers bool
	apiServer   []string
}

// Option changes what is started and how.
type Option func(*settings)

// WithControllers starts the controller manager and the scheduler.
func WithControllers() Option { return func(s *settings) { s.controllers = true } }

// WithAPIServerFlags gives the API server further flags.
func WithAPIServerFlags(flags ...string) Option {
	return func(s *settings) { s.apiServer = append(s.apiServer, flags...) }
}

func apply(options []Option) settings {
	var s settings
	for _, option := range options {
		option(&s)
	}
	return s
}
