package mount

import (
	"bufio"
	"errors"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/prometheus/procfs"
)

// Reader reads Table again and again. It parses only what has changed: a node has
// hundreds of mounts, which seldom do, and parsing them is dear. It is safe for
// concurrent use.
type Reader struct {
	path string // of proc(5)
	proc procfs.FS
	root string
	seed maphash.Seed

	mu     sync.Mutex
	hash   uint64
	mounts []Mount // nil before the first reading
}

// NewReader returns a reader of the node's mounts; see Table.
func NewReader(path string, proc procfs.FS, root string) *Reader {
	return &Reader{path: path, proc: proc, root: root, seed: maphash.MakeSeed()}
}

// Table is what Table says. It must not be changed.
func (r *Reader) Table() ([]Mount, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	hash, err := r.sum()
	if err == nil && r.mounts != nil && hash == r.hash {
		return r.mounts, nil
	}
	mounts, tableErr := Table(r.proc, r.root)
	if err == nil && tableErr == nil {
		r.hash, r.mounts = hash, mounts
	}
	return mounts, tableErr
}

// sum is the hash of what Table parses.
func (r *Reader) sum() (uint64, error) {
	f, err := os.Open(filepath.Join(r.path, "1/mountinfo"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		f, err = os.Open(filepath.Join(r.path, "self/mountinfo"))
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var h maphash.Hash
	h.SetSeed(r.seed)
	if _, err := bufio.NewReaderSize(f, 32<<10).WriteTo(&h); err != nil {
		return 0, err
	}
	return h.Sum64(), nil
}
