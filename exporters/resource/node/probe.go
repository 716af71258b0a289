package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// prober asks mounts for their numbers without being held up by one that hangs: a
// server of NFS that is gone makes statfs(2) wait for ever, and nothing can end
// the call. Each such mount keeps one goroutine and one thread until it returns,
// never more: a path with a call outstanding is not asked again.
type prober struct {
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

var (
	errHung     = errors.New("mountpoint timeout") // node_exporter's words
	errNotAsked = errors.New("not asked in time")
)

// probe is one call of statfs. Its answer is set before it is no longer outstanding
// and done is closed.
type probe struct {
	done   chan struct{}
	answer answer
	hung   bool // reported as hung; guarded by prober.mu
}

// answer is a mount's numbers, or why there are none.
type answer struct {
	stat unix.Statfs_t
	err  error
}

// label is the text of the error, from the closed list of the kernel's.
func (a answer) label() string {
	if a.err == nil {
		return ""
	}
	return a.err.Error()
}

func newProber(call func(string, *unix.Statfs_t) error, timeout time.Duration, places int, logger *slog.Logger) *prober {
	return &prober{
		statfs: call, timeout: timeout, places: max(places, 1), logger: logger,
		outstanding: map[string]*probe{},
	}
}

// statfs calls statfs(2) again when a signal interrupted it, which FUSE and NFS
// allow and Go's scheduler causes.
func statfs(path string, into *unix.Statfs_t) error {
	for {
		if err := unix.Statfs(path, into); err != unix.EINTR {
			return err
		}
	}
}

// ask returns each path's answer. It returns before the context's deadline, so
// that there is time to serve what was answered.
func (p *prober) ask(ctx context.Context, paths []string) map[string]*answer {
	ctx, cancel := early(ctx)
	defer cancel()
	answers := make(map[string]*answer, len(paths))
	places := make(chan struct{}, p.places)
	var wg sync.WaitGroup
	for _, path := range paths {
		if answers[path] != nil {
			continue // two mounts, one on top of the other
		}
		a := &answer{err: errNotAsked}
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
func (p *prober) one(ctx context.Context, path string, leave func()) answer {
	asked, ok := p.start(path)
	if !ok {
		return answer{err: errHung}
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
		return answer{err: errHung}
	}
	<-asked.done
	return asked.answer
}

// start calls statfs, unless a call for this path is outstanding.
func (p *prober) start(path string) (*probe, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.outstanding[path] != nil {
		return nil, false
	}
	asked := &probe{done: make(chan struct{})}
	p.outstanding[path] = asked
	go func() {
		asked.answer.err = p.statfs(path, &asked.answer.stat)
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
func (p *prober) abandon(path string, asked *probe) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.outstanding[path] != asked {
		return false
	}
	asked.hung = true
	p.logger.Warn("mount does not answer; it is not asked again before it does", "path", path)
	return true
}
