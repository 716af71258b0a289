package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// hung is a file system that answers to nothing that asks for its size, as NFS does
// when its server is gone.
type hung struct {
	fs.Inode
	released <-chan struct{}
}

// Statfs implements [fs.NodeStatfser].
func (h *hung) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	<-h.released
	*out = fuse.StatfsOut{Bsize: 4096, Blocks: 1000, Bfree: 250, Bavail: 250, Files: 10, Ffree: 5}
	return fs.OK
}

// mountHung mounts one at hung below dir. It answers once input has ended.
func mountHung(dir string, input io.Reader) error {
	released := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, input)
		close(released)
	}()
	point := filepath.Join(dir, "hung")
	if err := os.Mkdir(point, 0o700); err != nil {
		return err
	}
	_, err := fs.Mount(point, &hung{released: released}, &fs.Options{
		MountOptions: fuse.MountOptions{FsName: "server:/export", Name: "nfslike", DirectMountStrict: true},
	})
	return err
}

func TestMountThatHangs(t *testing.T) {
	t.Parallel()
	sysfs, _ := ownTree(t) // of other tests' containers the exporter holds files
	c := startChild(t, "hung mount", "--path.sysfs="+sysfs, "--collector.filesystem.mount-timeout=2s")
	find := func(x exposition, family string) exposition {
		var found exposition
		for _, s := range x.family(family) {
			if strings.HasSuffix(s.labels["mountpoint"], "/hung") {
				found = append(found, s)
			}
		}
		return found
	}
	var descriptors, threads int
	for scrape := range 5 {
		x := c.mustScrape(t)
		errored := find(x, "node_filesystem_device_error")
		if len(errored) != 1 || errored[0].value != 1 || errored[0].labels["device_error"] != "mountpoint timeout" {
			t.Fatalf("the mount that hangs is %v", errored)
		}
		if sizes := find(x, "node_filesystem_size_bytes"); len(sizes) > 0 {
			t.Errorf("the mount that hangs has %v", sizes)
		}
		if root := x.family("node_filesystem_size_bytes").with(map[string]string{"mountpoint": "/"}); len(root) != 1 || root[0].value <= 0 {
			t.Errorf("the root file system has %v", root)
		}
		x.wantCollected(t)
		// One call stays outstanding, however often it is scraped.
		switch now, running := c.descriptors(t), c.threads(t); {
		case scrape == 1:
			descriptors, threads = now, running
		case scrape > 1 && (now > descriptors+5 || running > threads+5):
			t.Errorf("after scrape %d there are %d descriptors and %d threads, after the second %d and %d", scrape+1, now, running, descriptors, threads)
		}
	}
	if n := strings.Count(c.logs.String(), "mount does not answer"); n != 1 {
		t.Errorf("the log says %d times that the mount does not answer", n)
	}
	if err := c.input.Close(); err != nil { // the server is back
		t.Fatal(err)
	}
	wait.For(t, soon, "the mount to answer again", func() error {
		x, err := c.scrape()
		if err != nil {
			return err
		}
		sizes := find(x, "node_filesystem_size_bytes")
		if len(sizes) != 1 || sizes[0].value != 4096*1000 || sizes[0].labels["device"] != "server:/export" {
			return fmt.Errorf("its size is %v", sizes)
		}
		return nil
	})
}

// threads counts the child's.
func (c *child) threads(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// manyMounts are what a node with some hundred pods does not reach.
const manyMounts = 5000

// mountMany mounts a tmpfs and binds it to many places, with a tmpfs of its own in
// every tenth.
func mountMany(dir string, _ io.Reader) error {
	var errs []error
	for i := range manyMounts {
		point := filepath.Join(dir, fmt.Sprintf("m%d", i))
		errs = append(errs, os.Mkdir(point, 0o700))
		if i%10 == 0 {
			errs = append(errs, syscall.Mount("tmpfs", point, "tmpfs", 0, "size=1m"))
		} else {
			errs = append(errs, syscall.Mount(filepath.Join(dir, "m0"), point, "", syscall.MS_BIND, ""))
		}
	}
	return errors.Join(errs...)
}

func TestManyMounts(t *testing.T) {
	t.Parallel()
	sysfs, _ := ownTree(t)
	c := startChild(t, "many mounts", "--path.sysfs="+sysfs, "--series-budget=100000")
	var descriptors, memory int
	for scrape := range 6 {
		x := c.mustScrape(t)
		sizes := 0
		for _, s := range x.family("node_filesystem_size_bytes") {
			if strings.Contains(s.labels["mountpoint"], "/mounts") && s.value == 1<<20 {
				sizes++
			}
		}
		if sizes != manyMounts {
			t.Fatalf("scrape %d has the sizes of %d mounts, want %d", scrape+1, sizes, manyMounts)
		}
		if errored := x.family("node_filesystem_device_error"); len(errored) < manyMounts {
			t.Errorf("%d mounts say whether they failed", len(errored))
		}
		switch now, peak := c.descriptors(t), c.memory(t, "VmHWM"); {
		case scrape == 2:
			descriptors, memory = now, peak
		case scrape > 2 && (now > descriptors+5 || peak > memory*5/4):
			t.Errorf("after scrape %d there are %d descriptors and %d bytes of memory, after the third %d and %d", scrape+1, now, peak, descriptors, memory)
		}
	}
	t.Logf("peak of memory: %d MiB", c.memory(t, "VmHWM")>>20)
}
