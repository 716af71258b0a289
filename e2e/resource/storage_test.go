package resource

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/resource/cri"
)

// block is what a file's space is counted in.
const block = 4096

// countLimit bounds the wait for a runtime, which counts its layers each ten
// seconds.
const countLimit = time.Minute

// write writes a file into a container's file system, as the container would.
func write(t *testing.T, pid, bytes int) {
	t.Helper()
	content := strings.Repeat("x", bytes)
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/root/written", pid), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// layerOf is the writable layer of a container, as the kernel names it.
func layerOf(t *testing.T, pid int) string {
	t.Helper()
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == "/" {
			_, layer, _ := strings.Cut(line, "upperdir=")
			layer, _, _ = strings.Cut(layer, ",")
			return layer
		}
	}
	t.Fatalf("process %d has no root:\n%s", pid, mounts)
	return ""
}

// du is what du(1) says a directory takes.
func du(t *testing.T, dir string) float64 {
	t.Helper()
	out, err := exec.Command("du", "-s", "-x", "--block-size=1", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := strconv.ParseFloat(string(bytes.Fields(out)[0]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func space(t *testing.T, file string) float64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(file, &st); err != nil {
		t.Fatal(err)
	}
	return float64(st.Blocks) * 512
}

// TestStorage compares what the exporter says that containers keep on disk with
// du(1), for layers that the runtime counts and for those that are walked.
func TestStorage(t *testing.T) {
	t.Parallel()
	need.Root(t)
	c := containerd.Start(t, containerd.WithCRI(containerd.Pause))
	d := docker.Start(t)
	pod := c.RunPod(t.Context(), "payments", "ledger-0", podUID)
	app := pod.Run(t.Context(), "app", "idle")
	layer := layerOf(t, app.PID)
	wantOnDisk(t, c.Address, app.ID, layer)
	write(t, app.PID, 10*mebibyte)
	wantOnDisk(t, c.Address, app.ID, layer)

	plain := c.Run(t.Context(), containerd.Spec{ID: "plain"})
	write(t, plain.PID, 10*mebibyte)
	inDocker := d.Run(t.Context(), docker.Spec{Name: "docked"})
	ready(t, dockerOutput(t, inDocker))
	write(t, inDocker.PID, 10*mebibyte)
	found, err := inDocker.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	e := startExporter(t, c.Address, d.Host, "--pod-log-dir="+filepath.Dir(pod.LogDirectory))
	for behaviour, want := range map[string]struct {
		cgroup      string
		layer, logs float64
	}{
		"of a pod, whose layer the runtime counts":   {app.CgroupPath, du(t, layer), space(t, filepath.Join(pod.LogDirectory, "app/0.log"))},
		"of plain containerd, whose layer is walked": {plain.CgroupPath, du(t, layerOf(t, plain.PID)), 0},
		"of Docker, whose layer is walked":           {inDocker.CgroupPath, du(t, layerOf(t, inDocker.PID)), space(t, found.LogPath)},
	} {
		t.Run(behaviour, func(t *testing.T) {
			var x exposition
			wait.For(t, limit, "its usage", func() (err error) {
				if x, err = e.scrape(); err != nil {
					return err
				}
				if x = x.of(want.cgroup); math.Abs(x.value("container_fs_usage_bytes")-want.layer-want.logs) <= block {
					return nil
				}
				return fmt.Errorf("it is %v, want %v and %v", x.value("container_fs_usage_bytes"), want.layer, want.logs)
			})
			if got := x.value("loadline_container_ephemeral_storage_bytes"); got != x.value("container_fs_usage_bytes") {
				t.Errorf("ephemeral storage is %v", got)
			}
			if got := x.family("loadline_container_log_bytes"); len(got) > 0 != (want.logs > 0) || len(got) > 0 && got[0].value != want.logs {
				t.Errorf("logs are %v, want %v", got, want.logs)
			}
			var st syscall.Statfs_t
			if err := syscall.Statfs(layer, &st); err != nil { // all are on the same
				t.Fatal(err)
			}
			if got := x.value("container_fs_limit_bytes"); got != float64(st.Blocks)*float64(st.Bsize) {
				t.Errorf("the file system has %v bytes, want %v", got, st.Blocks*uint64(st.Bsize))
			}
			if got := x.value("container_fs_inodes_total"); got != float64(st.Files) {
				t.Errorf("the file system has %v inodes, want %v", got, st.Files)
			}
		})
	}
	if failed := e.mustScrape(t).family("loadline_storage_directories").with(map[string]string{"state": "failed"}); len(failed) != 1 || failed[0].value != 0 {
		t.Errorf("directories that can't be counted: %v", failed)
	}
}

// wantOnDisk waits until the runtime says by CRI that a layer takes what du says.
func wantOnDisk(t *testing.T, address, id, layer string) {
	t.Helper()
	r, err := cri.New(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	wait.For(t, countLimit, "the runtime to count the layer", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		layers, _, err := r.FetchLayers(ctx)
		if err != nil {
			return err
		}
		got, ok := layers[id]
		if want := du(t, layer); !ok || math.Abs(got.Bytes-want) > block {
			return fmt.Errorf("it has %+v (%v), want %v bytes", got, ok, want)
		}
		return nil
	})
}
