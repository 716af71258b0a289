package metrics

import "github.com/loadline-exporters/loadline/internal/family"

func watched(name, help string) *family.Family {
	return &family.Family{
		Name: "loadline_watch_" + name, Type: family.Counter, Help: help, Labels: []string{"resource"}, Collector: CollectorWatch,
	}
}

// How an API server's resources are watched.
var (
	WatchLists   = watched("lists_total", "Times that a resource was listed: once at the start, and after what the API server no longer remembers.")
	WatchEvents  = watched("events_total", "Objects of a resource that were added, changed or deleted while it was watched.")
	WatchSkipped = watched("skipped_total", "Times that an object of a resource was left out because it could not be read; the log names the first.")
)

func watchTable() family.Table { return family.Table{WatchLists, WatchEvents, WatchSkipped} }
