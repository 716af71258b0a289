// Package usage counts what directories hold, slowly.
//
// Directories of containers can hold millions of files, and their contents are
// hostile. A Counter walks all that are wanted in the background, a few files at a
// time in turn, within a budget of files a second for all of them together; it
// stats below directories that it has open, reads no file, follows no symbolic
// link and leaves no file system. What a directory holds is known once a walk of it
// has come to its end, and stays until the next has.
package usage

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/internal/source"
)

// DefaultRate is how many files are looked at in a second unless told otherwise:
// at some 3 µs each, 0.6 % of a processor.
const DefaultRate = "2000"

// Times and bounds of counting.
const (
	every    = time.Minute            // the least time between two walks of a directory
	turn     = 100 * time.Millisecond // the budget is spent in turns
	atOnce   = 4                      // walks under way, so that a large one holds up no small one
	bite     = 64                     // files of one walk before it is another's turn
	maxStuck = 2 * time.Minute        // a call that lasts longer hangs, and what is known is old
)

// Target is a directory to count.
type Target struct {
	Path string // from the node's root
	// Inside leaves out the directory itself.
	Inside bool
	// Prefixes, if any, are those of the names that count at the top of the
	// directory.
	Prefixes [2]string
}

// Usage is what a directory holds.
type Usage struct {
	Bytes  float64 // space that is taken, a file with several links once
	Inodes float64
}

// State says what is known of a directory.
type State int

// The states.
const (
	Pending State = iota // its first walk has not come to its end
	Counted
	Absent // it is not there
	Failed // it can't be read, or holds more than is looked at
)

// Counter counts the directories that are wanted. Make one with NewCounter.
type Counter struct {
	root   string
	rate   int
	logger *slog.Logger

	// Source says whether directories may be read: what containers keep belongs to
	// root. It is forbidden from the first that may not.
	Source *source.Source
	// Examined counts the files that were looked at.
	Examined atomic.Uint64

	calling atomic.Int64 // when the walk that is under way now began its turn; 0 for none
	wake    chan struct{}

	mu      sync.Mutex
	wanted  map[Target]*directory
	waiting queue // of the wanted, those whose walk is not under way
}

// directory is one that is wanted.
type directory struct {
	Target
	state State
	usage Usage
	due   time.Time
	gone  bool // no longer wanted
}

// NewCounter returns a counter of directories below root, the node's root, which
// looks at rate files a second.
func NewCounter(root string, rate int, logger *slog.Logger) *Counter {
	return &Counter{
		root: root, rate: max(rate, 1), logger: logger, Source: source.New("disk-usage"), wake: make(chan struct{}, 1), wanted: map[Target]*directory{},
	}
}

// Want says which directories to count; what is known of others is forgotten.
func (c *Counter) Want(targets []Target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted := make(map[Target]*directory, len(targets))
	for _, t := range targets {
		switch d := c.wanted[t]; {
		case wanted[t] != nil:
		case d != nil:
			wanted[t] = d
		default:
			d = &directory{Target: t, due: time.Now()}
			wanted[t] = d
			heap.Push(&c.waiting, d)
		}
	}
	for t, d := range c.wanted {
		d.gone = wanted[t] == nil
	}
	c.wanted = wanted
	c.waiting.dropGone()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Of returns what is known of a directory. While a call into its file system
// hangs, nothing is known of any.
func (c *Counter) Of(t Target) (Usage, State) {
	if since := c.calling.Load(); since != 0 && time.Since(time.Unix(0, since)) > maxStuck {
		return Usage{}, Pending
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.wanted[t]
	if d == nil {
		return Usage{}, Pending
	}
	return d.usage, d.state
}

// States counts the wanted directories by their states.
func (c *Counter) States() (n [4]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.wanted {
		n[d.state]++
	}
	return n
}

// Run counts until the context ends. It returns an error when the root can't be
// opened.
func (c *Counter) Run(ctx context.Context) error {
	root, err := unix.Open(c.root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		err = fmt.Errorf("open the node's root %s: %w", c.root, err)
	}
	c.Source.Report(err, c.root)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	var active []*walk
	defer func() {
		for _, w := range active {
			w.close()
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.wake:
			if len(active) > 0 {
				continue // the next turn is due anyway
			}
		case <-timer.C:
		}
		active = c.turn(root, active)
		timer.Reset(c.pause(len(active)))
	}
}

// turn spends what the budget has for one turn.
func (c *Counter) turn(root int, active []*walk) []*walk {
	budget := max(c.rate*int(turn)/int(time.Second), 1)
	for budget > 0 {
		for len(active) < atOnce {
			d := c.next()
			if d == nil {
				break
			}
			active = append(active, &walk{directory: d, root: root})
		}
		if len(active) == 0 {
			break
		}
		w := active[0]
		active = append(active[1:], w) // the others first, then this again
		c.calling.Store(time.Now().UnixNano())
		n, done, err := w.step(min(bite, budget))
		c.calling.Store(0)
		c.Examined.Add(uint64(n))
		budget -= max(n, 1)
		if done || err != nil {
			w.close()
			active = active[:len(active)-1]
			c.ended(w, err)
		}
	}
	return active
}

// next takes the directory that has waited longest, if its time has come.
func (c *Counter) next() *directory {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 || time.Until(c.waiting[0].due) > 0 {
		return nil
	}
	d, _ := heap.Pop(&c.waiting).(*directory)
	return d
}

func (c *Counter) ended(w *walk, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := w.directory
	former := d.state
	switch {
	case err == nil:
		d.usage, d.state = w.total, Counted
	case errors.Is(err, fs.ErrNotExist):
		d.usage, d.state = Usage{}, Absent
	default:
		d.usage, d.state = Usage{}, Failed
		if errors.Is(err, fs.ErrPermission) {
			if c.Source.Report(err, "") {
				c.logger.Info("what containers keep on disk may not be counted", "path", d.Path, "err", err)
			}
		} else if former != Failed {
			c.logger.Info("what a directory holds can't be counted", "path", d.Path, "err", err)
		}
	}
	d.due = time.Now().Add(every)
	if !d.gone {
		heap.Push(&c.waiting, d)
	}
}

// pause is the time until the next turn.
func (c *Counter) pause(active int) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case active > 0:
		return turn
	case len(c.waiting) == 0:
		return every
	}
	return max(time.Until(c.waiting[0].due), turn)
}

// queue is a heap of directories by when they are due.
type queue []*directory

// Len is that of sort.Interface.
func (q queue) Len() int { return len(q) }

// Less is that of sort.Interface.
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }

// Swap is that of sort.Interface.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is that of heap.Interface.
func (q *queue) Push(x any) {
	if d, ok := x.(*directory); ok {
		*q = append(*q, d)
	}
}

// Pop is that of heap.Interface.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// dropGone takes out what is no longer wanted.
func (q *queue) dropGone() {
	kept := (*q)[:0]
	for _, d := range *q {
		if !d.gone {
			kept = append(kept, d)
		}
	}
	clear((*q)[len(kept):])
	*q = kept
	heap.Init(q)
}
