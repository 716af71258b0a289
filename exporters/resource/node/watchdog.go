package node

import (
	"context"
	"fmt"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// watchdog serves the timers that reset the machine when nobody feeds them.
type watchdog struct{ sys sysfs.FS }

// Collect reads /sys/class/watchdog.
func (c watchdog) Collect(_ context.Context, w *family.Writer) error {
	watchdogs, err := c.sys.WatchdogClass()
	if err != nil {
		if unreadable(err) {
			return nil
		}
		return fmt.Errorf("read watchdogs: %w", err)
	}
	for _, name := range sortedNames(watchdogs) {
		d := watchdogs[name]
		for _, v := range []struct {
			name  string
			value *int64
		}{
			{"bootstatus", d.Bootstatus},
			{"fw_version", d.FwVersion},
			{"nowayout", d.Nowayout},
			{"timeleft_seconds", d.Timeleft},
			{"timeout_seconds", d.Timeout},
			{"pretimeout_seconds", d.Pretimeout},
			{"access_cs0", d.AccessCs0},
		} {
			addIf(w.Series(metrics.NodeWatchdog.Of(v.name)), v.value, 1, name)
		}
		w.Series(metrics.NodeWatchdogInfo).Add(1, name, text(d.Options), text(d.Identity), text(d.State), text(d.Status), text(d.PretimeoutGovernor))
	}
	return nil
}

// text is what a pointer points to, if to anything.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
