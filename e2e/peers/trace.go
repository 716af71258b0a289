package peers

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// Reads are the files that a program reads in one scrape, one entry for each time
// it reads one from the start, whether it opened it for that or kept it open. A
// directory that it lists is a file here.
//
// The program is traced by strace while it is scraped a few times; the shortest
// list counts, since what the program does in the background falls into some.
// Sockets (netlink, containerd, the scrape) and calls that read no file (statfs,
// readlink) are not in it.
func (p *Program) Reads() []string {
	p.t.Helper()
	strace := need.Program(p.t, "strace", "strace")
	out := filepath.Join(p.t.TempDir(), "trace")
	tracer := exec.Command(strace, "-f", "-y", "-s0", "-etrace=read,pread64,getdents64,lseek,openat,openat2", "-o", out, "-p", fmt.Sprint(p.PID))
	tracer.Stderr = os.Stderr
	if err := tracer.Start(); err != nil {
		p.t.Fatal(err)
	}
	defer func() {
		_ = tracer.Process.Signal(syscall.SIGINT) // it lets go of the program
		_ = tracer.Wait()
	}()
	traced(p.t, p.PID)
	const scrapes = 4
	var shortest []string
	var from int64
	for i := range scrapes {
		p.MustScrape()
		content, end := readFrom(p.t, out, from)
		from = end
		list := reads(content)
		// The first is left out: it may be half of a scrape.
		if i == 1 || i > 1 && len(list) < len(shortest) {
			shortest = list
		}
	}
	return shortest
}

// traced waits until a tracer has attached.
func traced(t testing.TB, pid int) {
	t.Helper()
	wait.For(t, limit, "strace to attach", func() error {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err == nil && strings.Contains(string(status), "TracerPid:\t0\n") {
			err = fmt.Errorf("process %d has no tracer", pid)
		}
		return err
	})
}

func readFrom(t testing.TB, name string, from int64) (content string, end int64) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.NewSectionReader(file, from, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	return string(b), from + int64(len(b))
}

// What strace writes: the call, its descriptor with its path, the rest, the result.
//
//	123 read(7</proc/stat>, ""..., 512) = 512
//	123 pread64(9</sys/fs/cgroup/cpu/a/cpu.stat>, ""..., 65536, 0) = 48
//	123 openat(AT_FDCWD</>, "/proc/stat", O_RDONLY|O_CLOEXEC) = 7</proc/stat>
//
// A call during which another thread's is written comes in two lines, of which the
// second has the offset and the result.
var (
	readCall  = regexp.MustCompile(`^(\d+) +(read|pread64|getdents64)\(\d+<(/[^>]*)>`)
	resumed   = regexp.MustCompile(`^(\d+) +<\.\.\. pread64 resumed>`)
	atStart   = regexp.MustCompile(`, 0\) += \d`)
	rewinding = regexp.MustCompile(`^\d+ +lseek\(\d+<(/[^>]*)>, 0, SEEK_SET`)
	opened    = regexp.MustCompile(`^\d+ +(?:openat2?\(|<\.\.\. openat2? resumed>).* = \d+<(/[^>]*)>`)
)

// reads finds the reads that begin at the start of a file.
func reads(trace string) []string {
	var list []string
	fresh := map[string]int{}     // opened or rewound, not read yet
	halves := map[string]string{} // thread to the file of a pread that is under way
	for line := range strings.Lines(trace) {
		if m := opened.FindStringSubmatch(line); m != nil {
			fresh[m[1]]++
		} else if m := rewinding.FindStringSubmatch(line); m != nil {
			fresh[m[1]]++
		} else if m := resumed.FindStringSubmatch(line); m != nil && atStart.MatchString(line) {
			list = append(list, halves[m[1]])
		} else if m := readCall.FindStringSubmatch(line); m != nil {
			thread, call, file := m[1], m[2], m[3]
			switch {
			case call == "pread64" && strings.Contains(line, "<unfinished ...>"):
				halves[thread] = file
			case call == "pread64" && atStart.MatchString(line):
				list = append(list, file)
			case call != "pread64" && fresh[file] > 0:
				fresh[file]--
				list = append(list, file)
			}
		}
	}
	return list
}
