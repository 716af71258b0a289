package network

import (
	"time"

	"golang.org/x/sys/unix"
)

// pace bounds what going through connections costs. The kernel has no list of a
// namespace's connections: for each namespace it goes through one table of the whole
// machine, half a million buckets on a large one, which takes 1 to 3 ms whether the
// pod has one connection or none. So a pod's connections are counted anew only when
// its counters say that something happened: once a minute, and more often as far as a
// share of the processor's time allows for all pods together.
type pace struct {
	left time.Duration // processor time that may be spent now
	at   time.Time
}

const (
	// paceShare is the share of one processor: 1/500, or 0.12 s a minute.
	paceShare = 500
	// paceSaved is how much may be saved up, and how much may be owed.
	paceSaved = time.Minute / paceShare
	// countedAtLeast is how old a count may be although something happened since.
	countedAtLeast = time.Minute
)

// pass says that time has passed.
func (p *pace) pass(now time.Time) {
	if p.at.IsZero() {
		p.left = paceSaved
	} else {
		p.left = min(p.left+now.Sub(p.at)/paceShare, paceSaved)
	}
	p.at = now
}

// allows says whether a count of that age may be made anew.
func (p *pace) allows(age time.Duration) bool { return p.left > 0 || age >= countedAtLeast }

// spend says how long making a count anew took that was of that age. What had to be is
// not charged.
func (p *pace) spend(took, age time.Duration) {
	if age < countedAtLeast {
		p.left = max(p.left-took, -paceSaved)
	}
}

// threadTime is the processor time that this thread has taken so far.
func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
