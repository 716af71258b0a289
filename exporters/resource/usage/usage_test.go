package usage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/need"
)

func write(t *testing.T, path string, bytes int) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, make([]byte, bytes), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// du is what du(1) says a directory takes, in bytes and in files.
func du(t *testing.T, dir string) (bytes, inodes float64) {
	t.Helper()
	for flag, into := range map[string]*float64{"--block-size=1": &bytes, "--inodes": &inodes} {
		out, err := exec.Command("du", "-s", "-x", flag, dir).Output()
		if err != nil {
			t.Fatal(err)
		}
		if *into, err = strconv.ParseFloat(strings.Fields(string(out))[0], 64); err != nil {
			t.Fatal(err)
		}
	}
	return bytes, inodes
}

// walkAll walks a directory to its end, n files at a time, and calls between in
// between.
func walkAll(t *testing.T, root string, target Target, n int, between func()) (Usage, error) {
	t.Helper()
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	w := &walk{directory: &directory{Target: target}, root: fd}
	defer w.close()
	for {
		looked, done, err := w.step(n)
		if looked > n {
			t.Fatalf("looked at %d files, want %d at the most", looked, n)
		}
		if done || err != nil {
			return w.total, err
		}
		if between != nil {
			between()
		}
	}
}

// layer makes a directory with what a writable layer can hold.
func layer(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	outside := filepath.Join(root, "outside")
	write(t, filepath.Join(outside, "large"), 4<<20)
	dir := filepath.Join(root, "snapshots/7/fs")
	for i := range 300 {
		write(t, fmt.Sprint(dir, "/many/", i), i*10)
	}
	write(t, dir+"/a/b/c/d/e/file", 100_000)
	write(t, dir+"/once", 50_000)
	link(t, os.Link(dir+"/once", dir+"/a/twice"))
	link(t, os.Symlink(outside, dir+"/escape"))
	link(t, os.Symlink("/", dir+"/a/root"))
	link(t, unix.Mkfifo(dir+"/fifo", 0o644))
	sparse, err := os.Create(dir + "/sparse")
	link(t, err)
	link(t, errors.Join(sparse.Truncate(1<<30), sparse.Close()))
	return root
}

func TestADirectoryHoldsWhatDuSays(t *testing.T) {
	root := layer(t)
	bytes, inodes := du(t, root+"/snapshots/7/fs")
	for _, n := range []int{1, 7, 1 << 20} {
		got, err := walkAll(t, root, Target{Path: "/snapshots/7/fs"}, n, nil)
		if err != nil || got.Bytes != bytes || got.Inodes != inodes {
			t.Errorf("%d at a time: %+v (%v), want %v bytes in %v inodes", n, got, err, bytes, inodes)
		}
	}
}

func TestOnlyNamesThatBeginSoCount(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/c/abc-json.log", 10_000)
	write(t, root+"/c/abc-json.log.1", 10_000)
	write(t, root+"/c/local-logs/container.log", 10_000)
	write(t, root+"/c/config.v2.json", 1<<20)
	write(t, root+"/c/mounts/abc-json.log", 1<<20)
	got, err := walkAll(t, root, Target{Path: "c", Inside: true, Prefixes: [2]string{"abc-json.log", "local-logs"}}, 2, nil)
	if err != nil || got.Inodes != 4 || got.Bytes < 3*10_000 || got.Bytes > 60_000 {
		t.Errorf("got %+v (%v), want three files and a directory", got, err)
	}
}

func TestADirectoryThatIsLeftOutHoldsTheRest(t *testing.T) {
	root := layer(t)
	whole, err := walkAll(t, root, Target{Path: "/snapshots/7/fs"}, 50, nil)
	link(t, err)
	inside, err := walkAll(t, root, Target{Path: "/snapshots/7/fs", Inside: true}, 50, nil)
	link(t, err)
	var st unix.Stat_t
	link(t, unix.Stat(root+"/snapshots/7/fs", &st))
	if want := whole.Bytes - float64(st.Blocks)*512; inside.Bytes != want || inside.Inodes != whole.Inodes-1 {
		t.Errorf("got %+v, want %v bytes in %v inodes", inside, want, whole.Inodes-1)
	}
}

func TestNoElementOfAPathIsASymbolicLink(t *testing.T) {
	root := layer(t)
	link(t, os.Symlink("snapshots", root+"/link"))
	link(t, os.Symlink("../../outside", root+"/snapshots/7/out"))
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for name, open := range map[string]func(int, string) (int, error){"openat2": openDir, "one by one": openEach} {
		for path, good := range map[string]bool{
			"/snapshots/7/fs": true, "snapshots//7/./fs": true, "/link/7/fs": false, "/snapshots/7/out": false, "/snapshots/7/fs/escape": false,
			"/snapshots/7/fs/a/root/etc": false, "/none": false, "/snapshots/7/fs/once": false, "/snapshots/7/fs/fifo": false,
		} {
			dir, err := open(fd, path)
			if (err == nil) != good {
				t.Errorf("%s by %s: %v", path, name, err)
			}
			if err == nil {
				_ = unix.Close(dir)
			}
		}
		// Whatever the way out is called, it leads no higher than the root.
		for _, path := range []string{"..", "/../../..", "/snapshots/../.."} {
			dir, err := open(fd, path)
			if err != nil {
				continue
			}
			var at, top unix.Stat_t
			link(t, errors.Join(unix.Fstat(dir, &at), unix.Fstat(fd, &top), unix.Close(dir)))
			if at.Ino != top.Ino {
				t.Errorf("%s by %s leads out", path, name)
			}
		}
	}
}

func TestWhatIsRemovedWhileItIsWalkedIsNoError(t *testing.T) {
	root := layer(t)
	if _, err := walkAll(t, root, Target{Path: "/snapshots/7/fs"}, 20, func() { link(t, os.RemoveAll(root+"/snapshots")) }); err != nil {
		t.Error(err)
	}
}

func TestADirectoryThatIsExchangedForALinkIsNotFollowed(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/outside/large", 4<<20)
	for i := range 50 {
		write(t, fmt.Sprint(root, "/top/", i, "/f"), 1)
	}
	once := false
	got, err := walkAll(t, root, Target{Path: "/top"}, 3, func() {
		if once {
			return
		}
		once = true
		for i := range 50 {
			dir := fmt.Sprint(root, "/top/", i)
			link(t, errors.Join(os.RemoveAll(dir), os.Symlink(root+"/outside", dir)))
		}
	})
	if err != nil || got.Bytes > 1<<20 {
		t.Errorf("got %+v (%v)", got, err)
	}
}

func TestWhatIsMountedInsideDoesNotCount(t *testing.T) {
	need.Root(t)
	root := ledger.Open(t).Dir()
	write(t, root+"/top/file", 5000)
	inside := root + "/top/mounted"
	link(t, errors.Join(os.Mkdir(inside, 0o755), unix.Mount("tmpfs", inside, "tmpfs", 0, "size=8m")))
	t.Cleanup(func() { link(t, unix.Unmount(inside, 0)) })
	write(t, inside+"/large", 4<<20)
	got, err := walkAll(t, root, Target{Path: "/top"}, 10, nil)
	if err != nil || got.Inodes != 2 || got.Bytes > 1<<20 {
		t.Errorf("got %+v (%v), want the directory and its file", got, err)
	}
}

func TestADirectoryWithoutEndIsGivenUp(t *testing.T) {
	root := t.TempDir()
	link(t, os.MkdirAll(root+"/top"+strings.Repeat("/d", maxDepth+1), 0o755))
	if _, err := walkAll(t, root, Target{Path: "/top"}, 10, nil); err == nil || !strings.Contains(err.Error(), "levels") {
		t.Errorf("got %v", err)
	}
}

// count runs a counter for a time, which is fake, and returns it.
func count(t *testing.T, root string, rate int, targets []Target, check func(c *Counter, after func(time.Duration))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := NewCounter(root, rate, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		c.Want(targets)
		check(c, func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		})
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestNoMoreFilesAreLookedAtThanTheBudgetHas(t *testing.T) {
	root := layer(t)
	target := Target{Path: "/snapshots/7/fs"}
	const rate = 20 // of 313 files
	count(t, root, rate, []Target{target}, func(c *Counter, after func(time.Duration)) {
		before := uint64(0)
		for second := range 15 {
			after(time.Second)
			now := c.Examined.Load()
			if n := now - before; n > rate+rate/10 || n < rate-rate/10 {
				t.Errorf("in second %d %d files were looked at, want %d", second, n, rate)
			}
			before = now
			if _, state := c.Of(target); state != Pending {
				t.Errorf("after %d of 313 files its state is %d", now, state)
			}
		}
		after(2 * time.Second)
		if u, state := c.Of(target); state != Counted || u.Inodes != 313 {
			t.Errorf("at the end: %+v, %d", u, state)
		}
		done := c.Examined.Load()
		if after(every - 10*time.Second); c.Examined.Load() != done {
			t.Error("it was walked again at once")
		}
		write(t, root+"/snapshots/7/fs/new", 1)
		if after(35 * time.Second); c.Examined.Load() < done+313 {
			t.Error("it was not walked again")
		}
		if u, _ := c.Of(target); u.Inodes != 314 {
			t.Errorf("after another walk: %+v", u)
		}
	})
}

func TestALargeDirectoryHoldsUpNoSmallOne(t *testing.T) {
	root := t.TempDir()
	for i := range 3000 {
		write(t, fmt.Sprint(root, "/large/", i), 0)
	}
	targets := []Target{{Path: "/large"}}
	for i := range 20 {
		write(t, fmt.Sprint(root, "/small/", i, "/f"), 1)
		targets = append(targets, Target{Path: fmt.Sprint("/small/", i)})
	}
	count(t, root, 100, targets, func(c *Counter, after func(time.Duration)) {
		after(5 * time.Second)
		if got, want := c.States(), ([4]int{Pending: 1, Counted: 20}); got != want {
			t.Errorf("states are %v, want %v", got, want)
		}
	})
}

func TestWhatIsNotThereOrCannotBeCountedIsSaid(t *testing.T) {
	root := layer(t)
	gone, escape, good := Target{Path: "/none"}, Target{Path: "/snapshots/7/fs/escape"}, Target{Path: "/snapshots/7/fs/a"}
	count(t, root, 1000, []Target{gone, escape, good, good}, func(c *Counter, after func(time.Duration)) {
		after(2 * time.Second)
		for target, want := range map[Target]State{gone: Absent, escape: Failed, good: Counted, {Path: "/never asked"}: Pending} {
			if _, state := c.Of(target); state != want {
				t.Errorf("%s: %d, want %d", target.Path, state, want)
			}
		}
		c.Want([]Target{good})
		if got, want := c.States(), ([4]int{Counted: 1}); got != want {
			t.Errorf("of what is not wanted any more something is known: %v", got)
		}
		before := c.Examined.Load()
		after(3 * every / 2)
		if n := c.Examined.Load() - before; n != 8 {
			t.Errorf("%d files were looked at, want the 8 of what is wanted", n)
		}
		if len(c.waiting) != 1 {
			t.Errorf("%d directories wait", len(c.waiting))
		}
	})
}

func TestWhileACallHangsNothingIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCounter("/", 1, slog.New(slog.DiscardHandler))
		target := Target{Path: "/x"}
		c.Want([]Target{target})
		c.wanted[target].state = Counted
		c.calling.Store(time.Now().UnixNano())
		for _, want := range []State{Counted, Pending} {
			if _, state := c.Of(target); state != want {
				t.Errorf("state is %d, want %d", state, want)
			}
			<-time.After(maxStuck + time.Second)
		}
	})
}

func TestARootThatIsNoneIsAnError(t *testing.T) {
	if err := NewCounter(t.TempDir()+"/none", 1, slog.New(slog.DiscardHandler)).Run(t.Context()); err == nil {
		t.Error("no error")
	}
}

func FuzzDirent(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24, 0, 4, 'a', 'b', 0, 0, 0})
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			name, rest := cutDirent(b)
			if len(rest) >= len(b) || strings.ContainsRune(name, 0) {
				t.Fatalf("%q, and %d of %d bytes are left", name, len(rest), len(b))
			}
			b = rest
		}
	})
}
