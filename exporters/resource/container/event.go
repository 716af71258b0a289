package container

// EventKind says what happened to a container.
type EventKind int

// What engines report.
const (
	// Created: the engine knows it. Nothing runs yet, or its first process has
	// just been started, in which case it may be told for the second time.
	Created   EventKind = iota
	OOMKilled           // the kernel's OOM killer ended at least one of its processes
	Ended               // its first process ended
)

// UnknownExitCode is the exit code where the engine does not say it.
const UnknownExitCode = -1

// Event is what an engine says happened to one of its containers. Events make
// those known that end before the next listing.
type Event struct {
	Kind EventKind
	Key  string // the container's key in the engine's Engines
	ID   string
	// Engine is what the engine says of the container with the event: always when
	// it was Created, of Docker with every event. The image's digest is left to the
	// listing.
	Engine *Engine
	// ExitCode is the first process's, when it Ended: 128 and the signal if one
	// killed it.
	ExitCode int
}
