package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// textfile serves what others wrote into files of the Prometheus text format. A
// file that cannot be read or parsed, or has timestamps, loses itself; a family
// that does not agree with one of the same name loses what the later file has of
// it.
type textfile struct {
	directories []string // or glob patterns of them

	read map[string]textfileRead // by path, to parse a file only when it changed
}

// textfileRead is what a file held.
type textfileRead struct {
	identity fileIdentity
	settled  bool // it had not been changed for a while when it was read
	mtime    time.Time
	families []textFamily
	err      error
}

// fileIdentity changes with each writing to a file: the kernel sets its change
// time, which nobody else can.
type fileIdentity struct {
	device, inode uint64
	size          int64
	changed       int64 // nanoseconds since the epoch
}

// settleTime is how long a file must have been left alone before its identity
// tells it from what it will be: change times are as coarse as the kernel's ticks.
const settleTime = 2 * time.Second

const (
	maxTextfileBytes = 16 << 20
	textfileSuffix   = ".prom"
)

func newTextfile(directories []string) *textfile {
	return &textfile{directories: directories, read: map[string]textfileRead{}}
}

// Collect reads all files that end in .prom, in the order of directories and
// names.
func (c *textfile) Collect(_ context.Context, w *family.Writer) error {
	paths, errs := c.paths()
	merged, seen := textFamilies{}, make(map[string]bool, len(paths))
	for _, path := range paths {
		seen[path] = true
		file := c.file(path)
		if file.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, file.err))
			continue
		}
		w.Series(metrics.NodeTextfileMtime).Add(float64(file.mtime.Unix()), path)
		for i := range file.families {
			if err := merged.add(path, &file.families[i]); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", path, err))
			}
		}
	}
	maps.DeleteFunc(c.read, func(path string, _ textfileRead) bool { return !seen[path] })
	errs = append(errs, merged.emit(w)...)
	w.Series(metrics.NodeTextfileScrapeError).Add(truth(len(errs) > 0))
	return errors.Join(errs...)
}

// paths lists the files. A pattern that matches nothing is a directory that is
// missing.
func (c *textfile) paths() (paths []string, errs []error) {
	seen := map[string]bool{}
	for _, pattern := range c.directories {
		directories, err := filepath.Glob(pattern)
		if err != nil || len(directories) == 0 {
			directories = []string{pattern}
		}
		for _, d := range directories {
			if seen[d] {
				continue
			}
			seen[d] = true
			entries, err := os.ReadDir(d)
			if err != nil {
				errs = append(errs, err)
			}
			for _, e := range entries {
				if strings.HasSuffix(e.Name(), textfileSuffix) {
					paths = append(paths, filepath.Join(d, e.Name()))
				}
			}
		}
	}
	return paths, errs
}

// file returns what is in a file, parsed anew if it may have changed.
func (c *textfile) file(path string) textfileRead {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a FIFO must not block
	if err != nil {
		return textfileRead{err: bare(err)}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return textfileRead{err: bare(err)}
	}
	if !info.Mode().IsRegular() {
		return textfileRead{err: errors.New("not a regular file")}
	}
	identity := identify(info)
	if former, ok := c.read[path]; ok && former.settled && former.identity == identity {
		return former
	}
	r := textfileRead{identity: identity, mtime: info.ModTime()}
	r.settled = time.Since(time.Unix(0, identity.changed)) > settleTime
	if info.Size() > maxTextfileBytes {
		r.err = fmt.Errorf("larger than %d MiB", maxTextfileBytes>>20)
	} else {
		r.families, r.err = parseTextfile(f)
	}
	c.read[path] = r
	return r
}

func identify(info fs.FileInfo) fileIdentity {
	id := fileIdentity{size: info.Size()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		id.device, id.inode, id.changed = s.Dev, s.Ino, s.Ctim.Nano()
	}
	return id
}

// bare is an error of a file without the file's name, which is said already.
func bare(err error) error {
	if p := new(fs.PathError); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// sortedNames are the names of families in order, so that an error is the same
// each time and logged once.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
