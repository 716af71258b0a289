package resource

import (
	"context"
	"log/slog"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/kmsg"
	"github.com/loadline-exporters/loadline/exporters/resource/life"
	"github.com/loadline-exporters/loadline/internal/source"
)

// lives follow containers from their making to their end.
type lives struct {
	book      *life.Book
	follower  *life.Follower
	kernelLog *source.Source

	tree    *cgroup.Tree
	logPath string
	logger  *slog.Logger
	began   time.Time
}

// newLives follows the groups of tree as watcher tells of them.
func newLives(tree *cgroup.Tree, watcher *cgroup.Watcher, o *Options, logger *slog.Logger) *lives {
	l := &lives{
		book: life.NewBook(), kernelLog: source.New("kernel-log"),
		tree: tree, logPath: o.KernelLog, logger: logger, began: time.Now(),
	}
	l.follower = life.NewFollower(tree, l.book, o.Node.ProcFS, logger)
	watcher.Made = func(path string, d cgroup.Dir) {
		if cgroup.MayBeContainer(path) {
			l.follow(l.book.Life(tree, path, d.Inode, true))
		}
	}
	watcher.Gone = l.book.Gone
	return l
}

// life returns the life of a container that the index found. What was made before
// this exporter began counts from now on. The index's list may be older than the
// watcher's word that the group is gone, which does not come twice.
func (l *lives) life(path string, d cgroup.Dir) *life.Life {
	found, isNew := l.book.Life(l.tree, path, d.Inode, d.Changed.After(l.began))
	if isNew && !l.tree.Has(path, d.Inode) {
		l.book.Gone(path)
		return found
	}
	l.follow(found, isNew)
	return found
}

func (l *lives) follow(found *life.Life, isNew bool) {
	if isNew {
		l.follower.Follow(found)
	}
}

// again is the time between two attempts to read the kernel's log.
const again = 30 * time.Second

// watchLog reads the kernel's log until the context ends.
func (l *lives) watchLog(ctx context.Context) {
	for ctx.Err() == nil {
		err := kmsg.Watch(ctx, l.logPath, func() {
			l.book.Logged(true)
			l.kernelLog.Report(nil, l.logPath)
		}, l.book.Killed)
		l.book.Logged(false)
		if ctx.Err() != nil {
			return
		}
		if l.kernelLog.Report(err, l.logPath) {
			l.logger.Info("OOM kills are told apart without the kernel's log", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}
