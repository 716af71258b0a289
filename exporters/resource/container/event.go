package container

// EventKind says what happened to a container.
type EventKind int

// What engines report.
const (
	Created   EventKind = iota // the engine knows it; nothing runs yet
	OOMKilled                  // the kernel's OOM killer ended at least one of its processes
	Ended                      // its first process ended
)

// Event is what an engine says happened to one of its containers. Events make
// those known that end before the next listing.
type Event struct {
	Kind   EventKind
	ID     string
	Engine *Engine // Created: what the engine knows of it; nil for the others
	// ExitCode is the first process's, when it Ended: 128 and the signal if one
	// killed it.
	ExitCode int
}
