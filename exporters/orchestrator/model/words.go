package model

// The words below are values of labels: each list is closed, whatever an orchestrator
// says. What is not listed is Other, of its list.

// Phase is where a pod is in its life.
type Phase string

// The phases of a pod.
const (
	Pending     Phase = "pending"
	Running     Phase = "running"
	Succeeded   Phase = "succeeded"
	Failed      Phase = "failed"
	Unknown     Phase = "unknown"     // its node does not answer
	Terminating Phase = "terminating" // it was told to end
)

// Phases are all phases of a pod.
func Phases() []Phase { return []Phase{Pending, Running, Succeeded, Failed, Unknown, Terminating} }

// QoSClasses are the classes of pods by what they ask for.
func QoSClasses() []string { return []string{"guaranteed", "burstable", "best_effort"} }

// Kinds of containers of a pod.
const (
	App       = "app"
	Init      = "init"
	Sidecar   = "sidecar"
	Ephemeral = "ephemeral"
)

// Waiting is why a container does not run.
type Waiting string

// The reasons why a container waits.
const (
	WaitingCreating     Waiting = "creating"            // it is being made; nothing is wrong
	WaitingInitializing Waiting = "initializing"        // the pod's init containers come first
	WaitingCrashLoop    Waiting = "crash_loop_back_off" // it ended again and again
	WaitingPull         Waiting = "image_pull_failed"
	WaitingPullBackOff  Waiting = "image_pull_back_off"
	WaitingImageName    Waiting = "image_name_invalid"
	WaitingImageAbsent  Waiting = "image_absent" // and may not be pulled
	WaitingImageInvalid Waiting = "image_invalid"
	WaitingRegistry     Waiting = "registry_unavailable"
	WaitingConfig       Waiting = "configuration" // what it refers to is not there
	WaitingCreate       Waiting = "create_failed"
	WaitingStart        Waiting = "start_failed"
	WaitingHook         Waiting = "hook_failed"
	WaitingNode         Waiting = "no_suitable_node"
	WaitingGate         Waiting = "scheduling_gated" // held back until something else says so
	WaitingPaused       Waiting = "paused"           // by hand: its processes are frozen
	WaitingOther        Waiting = "other"
)

// Ended is how a process ended.
type Ended string

// The ways in which a process ends.
const (
	EndedCompleted Ended = "completed"
	EndedError     Ended = "error" // it said so, or a signal ended it
	EndedOOM       Ended = "oom_killed"
	EndedCannotRun Ended = "cannot_run" // it never started
	EndedDeadline  Ended = "deadline_exceeded"
	EndedEvicted   Ended = "evicted"
	EndedUnknown   Ended = "unknown" // nobody saw how
	EndedOther     Ended = "other"
)

// Limit is why an autoscaler cannot do what it would.
type Limit string

// The limits of autoscalers.
const (
	LimitMax      Limit = "max_replicas"
	LimitMin      Limit = "min_replicas"
	LimitUpRate   Limit = "scale_up_rate"
	LimitDownRate Limit = "scale_down_rate"
	LimitMetrics  Limit = "metrics_missing"
	LimitSelector Limit = "selector_invalid" // or another's as well
	LimitTarget   Limit = "target_missing"   // or it may not be read or changed
	LimitDisabled Limit = "disabled"         // its target is scaled to nothing
	LimitOther    Limit = "other"
)

// JobState is how far a run has come.
type JobState string

// The states of a run.
const (
	JobRunning   JobState = "running"
	JobSuspended JobState = "suspended"
	JobComplete  JobState = "complete"
	JobFailed    JobState = "failed"
)

// JobFailure is why a run failed.
type JobFailure string

// The reasons why runs fail.
const (
	JobBackoffLimit JobFailure = "backoff_limit_exceeded"
	JobDeadline     JobFailure = "deadline_exceeded"
	JobPolicy       JobFailure = "pod_failure_policy"
	JobIndexes      JobFailure = "failed_indexes"
	JobOther        JobFailure = "other"
)

// Roles of nodes.
const (
	ControlPlane = "control_plane"
	Manager      = "manager"
	Worker       = "worker"
)

// Availability is what an operator wants of a node.
type Availability string

// What an operator can want of a node.
const (
	Active  Availability = "active"
	Paused  Availability = "paused"  // takes nothing new
	Drained Availability = "drained" // gives up what it has too
)

// Conditions are what can ail a node beside not being ready.
func Conditions() []string {
	return []string{"memory_pressure", "disk_pressure", "pid_pressure", "network_unavailable"}
}

// Resource is what nodes have some of, and its unit.
type Resource struct{ Name, Unit string }

// Resources are those that are told.
func Resources() []Resource {
	return []Resource{{"cpu", "core"}, {"memory", "byte"}, {"ephemeral_storage", "byte"}, {"pods", "integer"}}
}
