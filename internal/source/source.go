// Package source says for every place that facts come from whether it answers.
//
// A source that is missing or forbidden is not an error: the exporter says so in
// loadline_source_available{source,reason} and everything else goes on. What is
// remote or slow is polled in the background and published as one immutable
// snapshot (Polled); a snapshot older than StaleAfter is no longer served.
package source

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Reason says in one word of a closed list why a source does not answer. It is a
// label's value; the details are in Status.Detail, in the log and on the page.
type Reason string

// The reasons.
const (
	OK        Reason = ""          // it answers
	Starting  Reason = "starting"  // not asked yet
	Absent    Reason = "absent"    // nothing is there
	Forbidden Reason = "forbidden" // it is there, and refuses
	Timeout   Reason = "timeout"   // it is there, and does not answer in time
	Invalid   Reason = "invalid"   // it answers what cannot be used
	Failed    Reason = "failed"    // anything else
)

// Error is an error whose reason is known to who made it.
type Error struct {
	Reason Reason
	Err    error
}

// Error returns the wrapped error's text.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Because wraps err with the reason that its maker knows.
func Because(r Reason, err error) error { return &Error{Reason: r, Err: err} }

// ReasonOf finds the reason in an error: the one it was made with, else what the
// operating system's or the context's error means.
func ReasonOf(err error) Reason {
	var known *Error
	var netErr net.Error
	switch {
	case err == nil:
		return OK
	case errors.As(err, &known):
		return known.Reason
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return Timeout
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return Absent
	case errors.Is(err, fs.ErrPermission):
		return Forbidden
	case errors.As(err, &netErr) && netErr.Timeout():
		return Timeout
	}
	return Failed
}

// Status is what is known of a source at one time.
type Status struct {
	Name   string    `json:"source"`
	Reason Reason    `json:"reason"`           // OK when it answers
	Detail string    `json:"detail,omitempty"` // where it is looked for, or the error
	Since  time.Time `json:"since"`            // when the reason last changed
}

// Available says whether the source answers.
func (s Status) Available() bool { return s.Reason == OK }

// Source is one place that facts come from. It is safe for concurrent use.
type Source struct {
	mu     sync.Mutex
	status Status
}

// New returns a source that has not been asked yet.
func New(name string) *Source {
	return &Source{status: Status{Name: name, Reason: Starting, Since: time.Now()}}
}

// Report records the outcome of an attempt, nil for success; detail says where
// the source was found. It returns true when the reason changed, which is when
// something is worth a line in the log.
func (s *Source) Report(err error, detail string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	reason := ReasonOf(err)
	if err != nil {
		detail = err.Error()
	}
	s.status.Detail = detail
	if reason == s.status.Reason {
		return false
	}
	s.status.Reason, s.status.Since = reason, time.Now()
	return true
}

// Status returns what is known now.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Ready says whether the source was asked at least once: it answered, or is known
// not to.
func (s *Source) Ready() bool { return s.Status().Reason != Starting }
