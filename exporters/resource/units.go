package resource

import (
	"log/slog"

	"github.com/loadline-exporters/loadline/exporters/resource/systemd"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// newSystemd polls systemd, if its collector is on.
func (o *Options) newSystemd(logger *slog.Logger) (*source.Polled[*systemd.Snapshot], error) {
	c, err := systemd.New(o.Node.RootFS, o.Systemd)
	if err != nil || !o.collectors.Enabled("systemd") {
		return nil, err
	}
	p := source.NewPolled("systemd", logger, c.Fetch)
	p.Every = systemd.Every
	return p, nil
}

// units is the collector of what systemd says, if it is asked.
func (s *sources) units() []serve.Collector {
	if s.systemd == nil {
		return nil
	}
	return []serve.Collector{{Name: "systemd", Collect: systemd.Collector{Get: s.systemd.Get}.Collect}}
}
