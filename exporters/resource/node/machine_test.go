package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/tools/txtar"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// machine is a node unpacked from an archive in testdata.
type machine struct {
	dir     string
	options Options
	kernel  kernel
	only    []string // collectors whose files the archive has; empty for all
}

// unpack writes the archive's files below a temporary directory and stands in for
// the system calls with what its files statfs and uname say.
func unpack(t *testing.T, archive, rootFS string) machine {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", archive+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	m := machine{dir: t.TempDir(), options: DefaultOptions()}
	for _, f := range a.Files {
		switch f.Name {
		case "links":
			m.link(t, string(f.Data))
		case "collectors":
			m.only = strings.Fields(string(f.Data))
		default:
			m.write(t, f.Name, string(f.Data))
		}
	}
	m.options.ProcFS = filepath.Join(m.dir, "proc")
	m.options.SysFS = filepath.Join(m.dir, "sys")
	m.options.UdevData = filepath.Join(m.dir, "udev")
	m.options.RootFS = rootFS
	m.kernel = kernel{statfs: m.statfs(t, rootFS), uname: m.uname(t), adjtimex: m.adjtimex(t), now: aMoment, readInRoot: m.readInRoot, btrfs: m.btrfs}
	if archive == "bare-metal" {
		m.everything()
	}
	return m
}

// everything turns on what is off unless it is asked for.
func (m *machine) everything() {
	m.options.Kernel.StatSoftIRQ = true
	m.options.Kernel.CPU = CPUOptions{Guest: true, Info: true, Flags: "^(aes|avx.*)$", Bugs: ".*"}
	m.options.Kernel.VMStatFields = defaultVMStatFields + "|^nr_dirty$"
	m.options.Kernel.NetstatFields = defaultNetstatFields + "|^Tcp_MaxConn$"
	m.options.Kernel.TextfileDirectories = []string{filepath.Join(m.dir, "text*[0-9]")}
}

func aMoment() time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 250e6, time.FixedZone("CET", 3600))
}

// readInRoot reads what the archive has below root, whatever the node's root is.
func (m machine) readInRoot(_, path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(m.dir, "root", path))
}

// adjtimex answers what the archive's file timex says: the state and the fields in
// the order of the structure. Without the file it is forbidden.
func (m machine) adjtimex(t *testing.T) func(*unix.Timex) (int, error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(m.dir, "timex"))
	if err != nil {
		return func(*unix.Timex) (int, error) { return -1, unix.EPERM }
	}
	var state int
	var x unix.Timex
	if _, err := fmt.Sscan(string(data), &state, &x.Offset, &x.Freq, &x.Maxerror, &x.Esterror, &x.Status, &x.Constant, &x.Tick,
		&x.Ppsfreq, &x.Jitter, &x.Shift, &x.Stabil, &x.Jitcnt, &x.Calcnt, &x.Errcnt, &x.Stbcnt, &x.Tai); err != nil {
		t.Fatal(err)
	}
	return func(into *unix.Timex) (int, error) {
		*into = x
		return state, nil
	}
}

func (m machine) write(t *testing.T, name, data string) {
	t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, aMoment(), aMoment()); err != nil {
		t.Fatal(err)
	}
}

// link makes symbolic links of lines of a path and what it points to.
func (m machine) link(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		f := strings.Fields(line)
		path := filepath.Join(m.dir, f[0])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(f[1], path); err != nil {
			t.Fatal(err)
		}
	}
}

func (m machine) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var errnos = map[string]error{"ESTALE": unix.ESTALE, "EACCES": unix.EACCES}

func (m machine) statfs(t *testing.T, rootFS string) func(string, *unix.Statfs_t) error {
	t.Helper()
	answers := map[string]mount.Answer{}
	for line := range strings.Lines(m.read(t, "statfs")) {
		fields := strings.Fields(line)
		numbers := max(len(fields)-6, 1) // a mount point may hold a space
		point := strings.Join(fields[:numbers], " ")
		if err := errnos[fields[numbers]]; err != nil {
			answers[filepath.Join(rootFS, point)] = mount.Answer{Err: err}
			continue
		}
		var n [6]uint64
		for i := range n {
			var err error
			if n[i], err = strconv.ParseUint(fields[numbers+i], 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		answers[filepath.Join(rootFS, point)] = mount.Answer{Stat: unix.Statfs_t{
			Bsize: int64(n[0]), Blocks: n[1], Bfree: n[2], Bavail: n[3], Files: n[4], Ffree: n[5],
		}}
	}
	return func(path string, into *unix.Statfs_t) error {
		a, ok := answers[path]
		if !ok {
			return unix.ENOENT
		}
		*into = a.Stat
		return a.Err
	}
}

func (m machine) uname(t *testing.T) func(*unix.Utsname) error {
	t.Helper()
	lines := strings.Split(m.read(t, "uname"), "\n")
	return func(u *unix.Utsname) error {
		for i, field := range [][]byte{u.Sysname[:], u.Release[:], u.Version[:], u.Machine[:], u.Nodename[:], u.Domainname[:]} {
			copy(field, lines[i])
		}
		return nil
	}
}

// btrfs answers for the one file system that the archive says where it is mounted:
// mount point, UUID, and a device's name, UUID, used, total and errors.
func (m machine) btrfs(_, point string) (string, []btrfsDevice, error) {
	data, err := os.ReadFile(filepath.Join(m.dir, "btrfs"))
	if err != nil {
		return "", nil, err
	}
	var at, fs string
	var d btrfsDevice
	e := &d.errors
	if _, err := fmt.Sscan(string(data), &at, &fs, &d.name, &d.uuid, &d.used, &d.total, &e[0], &e[1], &e[2], &e[3], &e[4]); err != nil {
		return "", nil, err
	}
	if at != point {
		return "", nil, unix.ENOTTY
	}
	return fs, []btrfsDevice{d}, nil
}

func (m machine) collectors(t *testing.T) []serve.Collector {
	t.Helper()
	cs, err := m.options.collectors(m.kernel)
	if err != nil {
		t.Fatal(err)
	}
	return only(cs, m.only)
}

// collect runs collectors once. Its error joins theirs, each with the name.
func collect(cs []serve.Collector) (family.Budgeted, error) {
	foreign, err := family.NewAdmission(metrics.Table(), nil, family.Filter{Compat: family.Compats})
	if err != nil {
		return family.Budgeted{}, err
	}
	var writers []*family.Writer
	var errs []error
	for _, c := range cs {
		w := family.NewWriter(metrics.Table().Of(c.Name), nil)
		w.Admit(foreign)
		if err := c.Collect(context.Background(), w); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Name, err))
		}
		writers = append(writers, w)
	}
	return family.Budget(metrics.Table(), writers, 0), errors.Join(errs...)
}

func encode(b family.Budgeted, f family.Format) []byte {
	var out bytes.Buffer
	b.Encode(&out, f)
	if f == family.OpenMetrics {
		out.WriteString("# EOF\n")
	}
	return out.Bytes()
}

// run collects of the collectors that are named, or of all, and returns the text.
func (m machine) run(t *testing.T, names ...string) string {
	t.Helper()
	out, err := collect(only(m.collectors(t), names))
	if err != nil {
		t.Fatal(err)
	}
	return string(encode(out, family.Text))
}

func only(cs []serve.Collector, names []string) []serve.Collector {
	if len(names) == 0 {
		return cs
	}
	var out []serve.Collector
	for _, c := range cs {
		for _, n := range names {
			if c.Name == n {
				out = append(out, c)
			}
		}
	}
	return out
}

// remove deletes files of the machine; each must be there.
func (m machine) remove(t *testing.T, names ...string) {
	t.Helper()
	for _, n := range names {
		path := filepath.Join(m.dir, n)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}
