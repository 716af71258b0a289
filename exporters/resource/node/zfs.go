package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// zfs serves the statistics of OpenZFS. No library parses them.
type zfs struct{ dir string } // /proc/spl/kstat/zfs

// zfsFiles are the files of ZFS as a whole, and what their fields' names begin
// with. Which there are depends on the version.
var zfsFiles = map[string]struct {
	prefix string
	group  metrics.Group
}{
	"abdstats":          {prefix: "node_zfs_abd_"},
	"arcstats":          {"node_zfs_arc_", metrics.NodeZFSARC},
	"dbufstats":         {prefix: "node_zfs_dbuf_"},
	"dmu_tx":            {prefix: "node_zfs_dmu_tx_"},
	"dnodestats":        {prefix: "node_zfs_dnode_"},
	"fm":                {prefix: "node_zfs_fm_"},
	"vdev_cache_stats":  {prefix: "node_zfs_vdev_cache_"},
	"vdev_mirror_stats": {prefix: "node_zfs_vdev_mirror_"},
	"xuio_stats":        {prefix: "node_zfs_xuio_"},
	"zfetchstats":       {"node_zfs_zfetch_", metrics.NodeZFSZFetch},
	"zil":               {"node_zfs_zil_", metrics.NodeZFSZIL},
}

// Collect reads the files of ZFS as a whole and those of each pool: its I/O (before
// OpenZFS 2.1), its state and its datasets' I/O.
func (c zfs) Collect(_ context.Context, w *family.Writer) error {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list statistics of ZFS: %w", err)
	}
	other := &others{w: w}
	var errs []error
	for _, e := range entries {
		if e.IsDir() {
			errs = append(errs, c.pool(w, other, e.Name()))
			continue
		}
		if f, ok := zfsFiles[e.Name()]; ok {
			errs = append(errs, readKstat(filepath.Join(c.dir, e.Name()), func(r io.Reader) error {
				return parseNamed(r, adder(w, other, f.prefix, f.group, nil), nil)
			}))
		}
	}
	return errors.Join(append(errs, other.errs...)...)
}

// adder returns what adds a field to the family of its name.
func adder(w *family.Writer, other *others, prefix string, g metrics.Group, names []string, values ...string) func(field string, v float64) {
	return func(field string, v float64) {
		if f := g.Of(strings.ReplaceAll(field, "-", "_")); f != nil {
			w.Series(f).Add(v, values...)
			return
		}
		other.add(metrics.NodeZFSOther(prefix, field, names), v, values...)
	}
}

func (c zfs) pool(w *family.Writer, other *others, pool string) error {
	dir := filepath.Join(c.dir, pool)
	errs := []error{
		readKstat(filepath.Join(dir, "io"), func(r io.Reader) error {
			return parseIO(r, adder(w, other, "node_zfs_zpool_", metrics.NodeZFSPool, []string{"zpool"}, pool))
		}),
		readKstat(filepath.Join(dir, "state"), func(r io.Reader) error {
			text, err := io.ReadAll(r)
			if err == nil {
				addPoolState(w, pool, string(text))
			}
			return err
		}),
	}
	seen := map[string]bool{}
	for _, file := range names(dir) {
		if strings.HasPrefix(file, "objset-") {
			errs = append(errs, readKstat(filepath.Join(dir, file), func(r io.Reader) error {
				return c.dataset(w, other, pool, r, seen)
			}))
		}
	}
	return errors.Join(errs...)
}

// dataset adds the fields of a dataset, whose name is the first of them.
func (c zfs) dataset(w *family.Writer, other *others, pool string, r io.Reader, seen map[string]bool) error {
	var add func(string, float64)
	return parseNamed(r, func(field string, v float64) {
		if add != nil {
			add(field, v)
		}
	}, func(name string) {
		if name = strings.ToValidUTF8(name, "\uFFFD"); !seen[name] {
			seen[name] = true
			add = adder(w, other, "node_zfs_zpool_dataset_", metrics.NodeZFSDataset, []string{"zpool", "dataset"}, pool, name)
		}
	})
}

func addPoolState(w *family.Writer, pool, text string) {
	line, _, _ := strings.Cut(text, "\n")
	state := strings.ToLower(strings.TrimSpace(line))
	for _, s := range []string{"online", "degraded", "faulted", "offline", "removed", "unavail", "suspended"} {
		w.Series(metrics.NodeZFSPoolState).Add(truth(s == state), pool, s)
	}
}

// maxKstatBytes bounds a file of statistics; arcstats has 10 KB.
const maxKstatBytes = 1 << 20

// readKstat reads a file, if it is there: pools go while their files are listed.
func readKstat(path string, parse func(io.Reader) error) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read statistics of ZFS: %w", err)
	}
	defer f.Close()
	if err := parse(io.LimitReader(f, maxKstatBytes)); err != nil {
		return fmt.Errorf("read statistics of ZFS: %s: %w", path, err)
	}
	return nil
}
