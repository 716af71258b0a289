package prom

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb"
)

func TestSecondStartContinuesOnTheSameData(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	e := &exporter{text: counting}
	begin := time.Now()
	s, stop := start(t, o, e)
	first := result(t, s, "test_scrapes_total > 2")[0].F
	stop()

	s, _ = start(t, o, e)
	result(t, s, fmt.Sprintf("test_scrapes_total > %g", first+10))
	m, err := s.Range(t.Context(), "test_scrapes_total", begin, time.Now(), 10*time.Millisecond)
	if err != nil || len(m) != 1 {
		t.Fatalf("%d series, error %v; want one", len(m), err)
	}
	points := m[0].Floats
	if points[0].F > first || points[len(points)-1].F <= first {
		t.Errorf("the series goes from %g to %g and should span the restart at %g", points[0].F, points[len(points)-1].F, first)
	}
}

func TestRangeOwnsItsPoints(t *testing.T) {
	t.Parallel()
	s := open(t, testOptions(t))
	now := time.Now()
	query := func(expr string) promql.Matrix {
		m, err := s.Range(t.Context(), expr, now.Add(-time.Minute), now, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := query("vector(time())")
	before := m.String()
	for range 100 { // the engine takes the points of a closed query from a pool
		query("vector(-time())")
	}
	if after := m.String(); after != before {
		t.Errorf("later queries changed\n%s\nto\n%s", before, after)
	}
}

func TestDirectoryInUseIsRefused(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	refused := func() {
		t.Helper()
		_, err := Open(o)
		if err == nil || !containsAll(err.Error(), o.DataDir, "another loadline") || strings.Contains(err.Error(), "\n") {
			t.Errorf("error is %v, want one line that names the directory and the reason", err)
		}
	}
	s := open(t, o)
	compacting := filepath.Join(o.DataDir, "01J0000000000000000000TEST.tmp-for-creation")
	if err := os.Mkdir(compacting, 0o700); err != nil {
		t.Fatal(err)
	}
	refused()
	if _, err := os.Stat(compacting); err != nil {
		t.Errorf("a block that the running process writes was taken away: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	prometheus, err := tsdb.Open(o.DataDir, nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused()
	if err := prometheus.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, o)
}

func TestDirectoryThatCannotBeWrittenIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := writeFile(t, dir, "file", "")
	readOnly := filepath.Join(dir, "read-only")
	if err := os.Mkdir(readOnly, 0o500); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{
		"a file is there":   file,
		"a file is above":   filepath.Join(file, "data"),
		"kernel's own tree": "/proc/loadline",
	}
	if os.Getuid() != 0 {
		cases["no permission"] = readOnly
	}
	for name, dir := range cases {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t)
			o.DataDir = dir
			if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "data directory "+dir) {
				t.Errorf("error is %v, want one that names the directory", err)
			}
		})
	}
}

func TestDataBeyondTheRetentionGoes(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Retention = time.Hour
	s := open(t, o)
	now := time.Now()
	written := 6 * time.Hour
	app := s.store.Appender(t.Context())
	for at := now.Add(-written); at.Before(now); at = at.Add(15 * time.Second) {
		if _, err := app.Append(0, labels.FromStrings("__name__", "old"), at.UnixMilli(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	m, err := s.Range(t.Context(), "timestamp(old)", now.Add(-written), now, time.Minute)
	if err != nil || len(m) != 1 {
		t.Fatalf("%d series, error %v", len(m), err)
	}
	oldest := now.Sub(time.UnixMilli(int64(m[0].Floats[0].F * 1000)))
	if oldest < o.Retention || oldest > o.Retention*1625/1000+time.Minute {
		t.Errorf("the oldest sample is %s old, with a retention of %s", oldest, o.Retention)
	}
}

func TestBlockDurationsFollowTheRetention(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ retention, minBlock, maxBlock time.Duration }{
		{MinRetention, 2 * time.Minute, 2 * time.Minute},
		{time.Hour, 15 * time.Minute, 15 * time.Minute},
		{24 * time.Hour, 2 * time.Hour, 144 * time.Minute},
		{15 * 24 * time.Hour, 2 * time.Hour, 36 * time.Hour},
		{1000 * 24 * time.Hour, 2 * time.Hour, 31 * 24 * time.Hour},
	} {
		if minBlock, maxBlock := blockDurations(c.retention); minBlock != c.minBlock || maxBlock != c.maxBlock {
			t.Errorf("%s: blocks from %s to %s, want from %s to %s", c.retention, minBlock, maxBlock, c.minBlock, c.maxBlock)
		}
	}
}

func TestKilledProcessLosesNothingItHasCommitted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill(); child.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	var value float64
	var at int64
	if _, scanErr := fmt.Sscanf(line, "%g %d", &value, &at); err != nil || scanErr != nil {
		t.Fatalf("the child says %q: %v", line, err)
	}

	o := testOptions(t)
	o.DataDir = dir
	if _, err := Open(o); err == nil || !containsAll(err.Error(), dir, "another loadline") {
		t.Errorf("while the child runs the error is %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()

	s := open(t, o)
	v, err := s.Instant(t.Context(), "test_scrapes_total", time.UnixMilli(at))
	if err != nil || len(v) != 1 || v[0].F != value {
		t.Fatalf("at %d the value is %v (error %v), want %g as the child saw", at, v, err, value)
	}
	n, err := s.Instant(t.Context(), "count_over_time(test_scrapes_total[1h])", time.UnixMilli(at))
	if err != nil || len(n) != 1 || n[0].F < value {
		t.Errorf("%v samples (error %v), want the %g that were scraped", n, err, value)
	}
}

// scrapeUntilKilled prints the value and the time of a sample once it has it.
func scrapeUntilKilled(dir string) error {
	s, err := Open(Options{DataDir: dir, ScrapeInterval: testInterval, Self: []SelfTarget{{Job: "test", Path: "/metrics"}}})
	if err != nil {
		return err
	}
	go http.Serve(s.SelfListener(), &exporter{text: counting})
	go s.Run(context.Background())
	err = wait(func() error {
		v, err := s.Instant(context.Background(), "timestamp(test_scrapes_total > 4)", time.Now())
		if err != nil || len(v) == 0 {
			return fmt.Errorf("no sample: %w", err)
		}
		at := int64(v[0].F*1000 + 0.5)
		v, err = s.Instant(context.Background(), "test_scrapes_total", time.UnixMilli(at))
		if err != nil {
			return err
		}
		fmt.Println(v[0].F, at)
		return nil
	})
	if err != nil {
		return err
	}
	select {}
}
