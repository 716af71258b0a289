// Package mount lists what is mounted on the node and asks mounts for their numbers
// without being held up by one that hangs.
package mount

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Prober asks mounts for their numbers without being held up by one that hangs: a
// server of NFS that is gone makes statfs(2) wait for ever, and nothing can end
// the call. Each such mount keeps one goroutine and one thread until it returns,
// never more: a path with a call outstanding is not asked again. It is safe for
// concurrent use.
type Prober struct {
	statfs  func(path string, into *unix.Statfs_t) error
	timeout time.Duration // from when a mount is asked until it counts as hung
	places  int           // mounts asked at a time
	logger  *slog.Logger

	mu          sync.Mutex
	outstanding map[string]*probe // by path
}

// patience is how long one slow mount holds its place while others wait for one.
// Most answer in microseconds; with places bounded by answers alone, as many hung
// mounts as there are places would block all others.
const patience = 100 * time.Millisecond

// Why there is no answer, beside what the kernel says.
var (
	ErrHung     = errors.New("mountpoint timeout") // node_exporter's words
	ErrNotAsked = errors.New("not asked in time")
)

// probe is one call of statfs. Its answer is set before it is no longer outstanding
// and done is closed.
type probe struct {
	done   chan struct{}
	answer Answer
	hung   bool // reported as hung; guarded by Prober.mu
}

// Answer is a mount's numbers, or why there are none.
type Answer struct {
	Stat unix.Statfs_t
	Err  error
}

// Label is the text of the error, from the closed list of the kernel's.
func (a Answer) Label() string {
	if a.Err == nil {
		return ""
	}
	return a.Err.Error()
}

// NewProber returns a prober that calls Statfs or what stands in for it. timeout is
// how long a mount may take to answer, places how many are asked at a time.
func NewProber(call func(string, *unix.Statfs_t) error, timeout time.Duration, places int, logger *slog.Logger) *Prober {
	return &Prober{
		statfs: call, timeout: timeout, places: max(places, 1), logger: logger,
		outstanding: map[string]*probe{},
	}
}

// Statfs calls statfs(2) again when a signal interrupted it, which FUSE and NFS
// allow and Go's scheduler causes.
func Statfs(path string, into *unix.Statfs_t) error {
	for {
		if err := unix.Statfs(path, into); err != unix.EINTR {
			return err
		}
	}
}

// Ask returns each path's answer. It returns before the context's deadline, so
// that there is time to serve what was answered.
func (p *Prober) Ask(ctx context.Context, paths []string) map[string]*Answer {
	ctx, cancel := early(ctx)
	defer cancel()
	answers := make(map[string]*Answer, len(paths))
	places := make(chan struct{}, p.places)
	var wg sync.WaitGroup
	for _, path := range paths {
		if answers[path] != nil {
			continue // two mounts, one on top of the other
		}
		a := &Answer{Err: ErrNotAsked}
		answers[path] = a
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			continue // a place that came free as late as this is of no use
		}
		wg.Go(func() {
			leave := sync.OnceFunc(func() { <-places })
			defer leave()
			*a = p.one(ctx, path, leave)
		})
	}
	wg.Wait()
	return answers
}

// early ends a tenth of the remaining time before ctx does.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, end.Add(-time.Until(end)/10))
}

// one asks one mount and waits for it. It calls leave when the mount turns out to
// be slow.
func (p *Prober) one(ctx context.Context, path string, leave func()) Answer {
	asked, ok := p.start(path)
	if !ok {
		return Answer{Err: ErrHung}
	}
	slow := time.AfterFunc(patience, leave)
	defer slow.Stop()
	timeout := time.NewTimer(p.timeout)
	defer timeout.Stop()
	select {
	case <-asked.done:
		return asked.answer
	case <-timeout.C:
	case <-ctx.Done():
	}
	if p.abandon(path, asked) {
		return Answer{Err: ErrHung}
	}
	<-asked.done
	return asked.answer
}

// start calls statfs, unless a call for this path is outstanding.
func (p *Prober) start(path string) (*probe, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.outstanding[path] != nil {
		return nil, false
	}
	asked := &probe{done: make(chan struct{})}
	p.outstanding[path] = asked
	go func() {
		asked.answer.Err = p.statfs(path, &asked.answer.Stat)
		p.mu.Lock()
		delete(p.outstanding, path)
		hung := asked.hung
		p.mu.Unlock()
		close(asked.done)
		if hung {
			p.logger.Info("mount answers again", "path", path)
		}
	}()
	return asked, true
}

// abandon leaves a call to itself and says so once, not at every scrape. It returns
// false when the call has just returned.
func (p *Prober) abandon(path string, asked *probe) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.outstanding[path] != asked {
		return false
	}
	asked.hung = true
	p.logger.Warn("mount does not answer; it is not asked again before it does", "path", path)
	return true
}
