// Package life follows containers from their first process to their last, and
// counts by workload what they used and suffered, whatever has become of them.
//
// A scrape sees only containers that are there at the time. So each is opened when
// its control group is made, its first process is waited for (pidfd), and its
// totals are read once more when that process ends: the kernel charges processor
// time and OOM kills before a process is reaped, and the runtime removes the
// control group only after that. Kills are told apart by the kernel's log; where
// the totals could not be read, the log's kills and the engine's word count
// instead. Sources are never added up: they tell of the same kills.
package life

import (
	"errors"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Life is one control group from its making to its end. It may be a container's:
// which one, its index says.
type Life struct {
	// Group is the group's files, closed when it is gone.
	Group *cgroup.Group
	// Inode tells it from a later group of the same path.
	Inode uint64
	// FirstSeen is when it was first seen.
	FirstSeen time.Time

	book *Book // whose lock guards what follows

	first    int       // the first process's id; 0 if it is not known
	ended    time.Time // when the first process ended or the group went; zero before
	place    *hierarchy.Place
	limited  bool // it has a memory limit of its own
	free     bool // it has none, as it was seen when the runtime had time to set one
	final    bool // the totals were read after the first process had ended
	bornHere bool // it was made while this exporter watched: all of it counts
	read     bool // the totals were read at least once
	cpu      float64
	oomKills float64
	pending  tally // what is to be counted once the place is known
	kills    kills
}

// Ended says when the first process ended or the group went; zero before.
func (l *Life) Ended() time.Time {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	return l.ended
}

// Named says where a container stands; from then on it counts there.
func (l *Life) Named(p hierarchy.Place) {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	if l.place != nil && *l.place == p {
		return
	}
	if l.place != nil {
		l.book.accounts.Release(keyOf(*l.place))
	}
	l.place = &p
	l.book.accounts.Hold(keyOf(p))
	l.book.count(keyOf(p), &l.pending)
}

// Read reads the group and takes its totals into account.
func (l *Life) Read(b *cgroup.Buffer) (cgroup.Stats, error) {
	s, err := l.Group.Read(b)
	if !errors.Is(err, cgroup.ErrGone) {
		l.Totals(s)
	}
	return s, err
}

// Totals takes into account what a reading of the group said.
func (l *Life) Totals(s cgroup.Stats) {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	l.totals(s)
}

func (l *Life) totals(s cgroup.Stats) {
	if !s.CPU.Known && !s.Memory.EventsKnown && s.Memory.OOMKills == 0 {
		return
	}
	l.seeLimit(s.Memory)
	if !l.read && !l.bornHere {
		// What it did before this exporter watched is not this exporter's to count.
		l.cpu, l.oomKills = s.CPU.Usage, s.Memory.OOMKills
	}
	l.read = true
	if s.CPU.Known && s.CPU.Usage > l.cpu {
		l.pending.cpu += s.CPU.Usage - l.cpu
		l.cpu = s.CPU.Usage
	}
	if n := s.Memory.OOMKills - l.oomKills; n > 0 {
		l.kills.shown += int(n)
		l.oomKills = s.Memory.OOMKills
	}
	l.settle(time.Now())
}

// seeLimit notes whether there is a limit. A runtime makes the group, moves the
// first process into it, and sets limits, in this order.
func (l *Life) seeLimit(m cgroup.Memory) {
	switch {
	case m.Limit > 0:
		l.limited = true
	case m.LimitKnown:
		l.free = l.free || l.final || !l.bornHere || time.Since(l.FirstSeen) >= settleAfter
	}
}

// last takes into account what the reading after the first process's end said:
// from then on nothing changes.
func (l *Life) last(s cgroup.Stats) {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	l.final = s.Memory.LimitKnown
	l.totals(s)
}

// settle counts what is certain.
func (l *Life) settle(now time.Time) {
	l.kills.settle(l, now, &l.pending)
	if l.place != nil {
		l.book.count(keyOf(*l.place), &l.pending)
	}
}
