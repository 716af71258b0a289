// Package soak starts and stops many containers under a running exporter and looks
// for what it kept of them.
package soak

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/peers"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

var starts = flag.Int("starts", 0, "containers to start and to stop, 1000 by make soak")

const (
	// warm is how many containers come and go before the base is taken: pools and
	// connections are filled then.
	warm = 20
	// settled bounds how long the exporter may take until all is gone: it rescans
	// its control groups each minute.
	settled = 3 * time.Minute
	// pause between scrapes, while containers come and go.
	pause = 200 * time.Millisecond
)

func TestNothingStaysOfGoneContainers(t *testing.T) {
	if *starts == 0 {
		t.Skip("for make soak")
	}
	need.Root(t)
	c := containerd.Start(t)
	exporter := peers.Exporter(t, c.Address, "--web.enable-pprof")
	comeAndGo(t, c, exporter, "warm", warm)
	gone(t, exporter, "warm")
	var base state
	wait.For(t, settled, "the exporter to be at rest", func() error {
		before, err := look(exporter)
		if err != nil {
			return err
		}
		if base, err = look(exporter); err == nil {
			err = base.above(before) // it does not grow by being looked at
		}
		return err
	})
	comeAndGo(t, c, exporter, "soak", *starts)
	gone(t, exporter, "soak")
	var last state
	wait.For(t, settled, "the exporter to give back what it took", func() error {
		var err error
		if last, err = look(exporter); err == nil {
			err = last.above(base)
		}
		return err
	})
	t.Logf("after %d containers: %v; before: %v", *starts, last, base)
}

// comeAndGo starts containers, four at a time, and removes each at once, while the
// exporter is scraped all the time.
func comeAndGo(t *testing.T, c *containerd.Containerd, exporter *peers.Program, prefix string, count int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var scraping, running sync.WaitGroup
	scraping.Go(func() {
		for tick := time.NewTicker(pause); ctx.Err() == nil; <-tick.C {
			if _, err := exporter.Scrape(); err != nil {
				t.Errorf("scrape while containers come and go: %v", err)
			}
		}
	})
	next := make(chan int)
	for range 4 {
		running.Go(func() {
			for i := range next {
				one(t, c, prefix, i)
			}
		})
	}
	for i := range count {
		next <- i
	}
	close(next)
	running.Wait()
	stop()
	scraping.Wait()
}

// one runs a container of one of ten pods: it ends by itself, is killed for its
// memory, or is removed while it runs.
func one(t *testing.T, c *containerd.Containerd, prefix string, i int) {
	pod := fmt.Sprintf("pod-%d", i%10)
	uid := fmt.Sprintf("%08d-50ac-4c9f-9f5e-2d1b6a4c8e01", i%10)
	spec := containerd.Spec{
		Namespace: "k8s.io", ID: id(prefix, i), CgroupsPath: "/kubepods/burstable/pod" + uid + "/" + id(prefix, i), MemoryLimit: 16 << 20,
		Labels: map[string]string{
			"io.cri-containerd.kind": "container", "io.kubernetes.container.name": "app",
			"io.kubernetes.pod.name": pod, "io.kubernetes.pod.namespace": "soak", "io.kubernetes.pod.uid": uid,
		},
		Args: [][]string{{"exit", "0"}, {"oom"}, {"idle"}}[i%3],
	}
	container := c.Run(t.Context(), spec)
	if spec.Args[0] != "idle" {
		if _, err := container.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := container.Remove(t.Context()); err != nil {
		t.Error(err)
	}
}

// id is of the form that CRI gives: 64 hexadecimal digits. The prefix is in it.
func id(prefix string, i int) string {
	return fmt.Sprintf("%x%064d", prefix, i)[:8] + fmt.Sprintf("%056d", i)
}

// gone waits until no series is about one of the containers any more.
func gone(t *testing.T, exporter *peers.Program, prefix string) {
	t.Helper()
	part := []byte(id(prefix, 0)[:8] + "0000")
	wait.For(t, settled, "the series of containers that are gone to go", func() error {
		a, err := exporter.Scrape()
		if err != nil {
			return err
		}
		for line := range bytes.Lines(a.Body) {
			if bytes.Contains(line, part) {
				return fmt.Errorf("there is still %s", line)
			}
		}
		return nil
	})
}

// state is what an exporter holds.
type state struct {
	goroutines, descriptors, watches int
	heap                             int            // bytes in use after a collection
	groups                           int            // control groups that it serves
	files                            map[string]int // what descriptors are open on
}

// look reads it, by the exporter's own profile for its heap, since that collects
// garbage first.
func look(p *peers.Program) (s state, err error) {
	if err := p.Collect(); err != nil {
		return s, err
	}
	a, err := p.Scrape()
	if err != nil {
		return s, err
	}
	for name, to := range map[string]*int{"go_goroutines ": &s.goroutines, "go_memstats_heap_alloc_bytes ": &s.heap} {
		_, rest, found := strings.Cut("\n"+string(a.Body), "\n"+name)
		text, _, _ := strings.Cut(rest, "\n")
		value, err := strconv.ParseFloat(text, 64)
		if !found || err != nil {
			return s, fmt.Errorf("%sis not served (%w)", name, err)
		}
		*to = int(value)
	}
	s.groups = bytes.Count(a.Body, []byte("\ncontainer_memory_usage_bytes{"))
	if s.descriptors, err = p.Descriptors(); err != nil {
		return s, err
	}
	if s.files, err = files(p.PID); err != nil {
		return s, err
	}
	s.watches, err = watches(p.PID)
	return s, err
}

// files counts what descriptors are open on, by path without its numbers.
func files(pid int) (map[string]int, error) {
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	out := map[string]int{}
	for _, name := range names {
		if target, err := os.Readlink(name); err == nil {
			out[digits.ReplaceAllString(target, "N")]++
		}
	}
	return out, err
}

var digits = regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]*`)

// watches counts a process' watches of inotify, by proc_pid_fdinfo(5).
func watches(pid int) (n int, err error) {
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			continue // closed meanwhile
		}
		n += bytes.Count(content, []byte("inotify wd:"))
	}
	return n, err
}

// above says in what the state exceeds an earlier one. Goroutines and descriptors of
// a poll or a connection may be there at one look and not at another; the heap is
// never twice the same. The exporter sees every container of the machine, so what
// others that have come since then may take is allowed.
func (s state) above(base state) error {
	const (
		some = 4 // goroutines, descriptors
		heap = 2 << 20

		// Of each group that has come:
		descriptors = 25
		watches     = 8
		bytes       = 64 << 10
	)
	others := max(0, s.groups-base.groups)
	switch {
	case s.goroutines > base.goroutines+some:
		return fmt.Errorf("%d goroutines, %d before", s.goroutines, base.goroutines)
	case s.descriptors > base.descriptors+some+others*descriptors:
		return fmt.Errorf("%d descriptors, %d before: %v", s.descriptors, base.descriptors, s.files)
	case s.watches > base.watches+others*watches:
		return fmt.Errorf("%d watches, %d before", s.watches, base.watches)
	case s.heap > base.heap+heap+others*bytes:
		return fmt.Errorf("%d bytes in use, %d before", s.heap, base.heap)
	}
	return nil
}
