package resource

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// crowd is how many control groups a node has in these tests: a hundred times what
// a usual one has.
const crowd = 10_000

// ownTree makes a control group and a directory for --path.sysfs that shows it as
// the whole hierarchy, of version 2. It has no controllers where version 1 has them,
// and nobody else on this machine looks at it there; the groups themselves are real.
func ownTree(t *testing.T) (sysfs, root string) {
	t.Helper()
	mounts, err := cgroup.Mounts()
	if err != nil {
		t.Fatal(err)
	}
	hierarchy, ok := mounts[cgroup.V2]
	if !ok {
		t.Fatal("this machine has no cgroup version 2")
	}
	root = filepath.Join(hierarchy, fmt.Sprintf("loadline-e2e-%d-%d", os.Getpid(), time.Now().UnixNano()))
	t.Cleanup(func() { removeGroups(t, root) })
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	sysfs = t.TempDir()
	if err := os.Mkdir(filepath.Join(sysfs, "fs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(root, filepath.Join(sysfs, "fs", "cgroup")); err != nil {
		t.Fatal(err)
	}
	return sysfs, root
}

// makeGroups makes control groups within another.
func makeGroups(t *testing.T, root string, n int, name func(i int) string) {
	t.Helper()
	for i := range n {
		if err := os.MkdirAll(filepath.Join(root, name(i)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func removeGroups(t *testing.T, root string) {
	t.Helper()
	if err := cgroup.Remove(root); err != nil {
		t.Errorf("left behind: %v", err)
	}
}

// wantBounded scrapes and checks that memory does not grow with what has been
// scraped.
func (c *child) wantBounded(t *testing.T, scrapes int) exposition {
	t.Helper()
	var x exposition
	var memory int
	for scrape := range scrapes {
		x = c.mustScrape(t)
		x.wantCollected(t)
		switch peak := c.memory(t, "VmHWM"); {
		case scrape == 2: // buffers have grown to what they need
			memory = peak
		case scrape > 2 && peak > memory*3/2:
			t.Errorf("after scrape %d the peak of memory is %d MiB, after the third %d", scrape+1, peak>>20, memory>>20)
		}
	}
	t.Logf("%d series, %d descriptors, %d MiB, %d at the peak", len(x), c.descriptors(t), c.memory(t, "VmRSS")>>20, c.memory(t, "VmHWM")>>20)
	return x
}

func TestManyControlGroupsOfOthers(t *testing.T) {
	need.Root(t)
	sysfs, root := ownTree(t)
	c := startChild(t, "nothing", "--path.sysfs="+sysfs)
	before := c.descriptors(t)
	makeGroups(t, root, crowd, func(i int) string { return fmt.Sprintf("users/u%d/session-%d.scope", i/100, i) })
	if served := c.wantBounded(t, 6).family("loadline_container_info"); len(served) != 0 {
		t.Errorf("of groups that are no containers %d are served as such", len(served))
	}
	// What is made is looked at for a while: it may become a container's.
	c.wantGivenBack(t, before)
	// One that is a container is found among them.
	one := "/docker-" + id64("c") + ".scope"
	makeGroups(t, root, 1, func(int) string { return one })
	c.shows(t, limit, one)
	removeGroups(t, filepath.Join(root, "users"))
	c.wantBounded(t, 4)
	c.wantGivenBack(t, before)
}

// wantGivenBack waits until hardly more descriptors are open than before.
func (c *child) wantGivenBack(t *testing.T, before int) {
	t.Helper()
	wait.For(t, 4*limit, "descriptors to be given back", func() error {
		if now := c.descriptors(t); now > before+30 {
			return fmt.Errorf("%d are open, %d were before there was a crowd", now, before)
		}
		return nil
	})
}

func TestManyContainers(t *testing.T) {
	need.Root(t)
	sysfs, root := ownTree(t)
	makeGroups(t, root, crowd, func(i int) string { return fmt.Sprintf("all/docker-%064x.scope", i) })
	// It starts among them. What they have does not fit into the budget.
	c := startChild(t, "nothing", "--path.sysfs="+sysfs, "--series-budget=50000")
	const family = "container_cpu_usage_seconds_total"
	wait.For(t, 4*limit, "the exporter to know all containers", func() error {
		x, err := c.scrape()
		if n := len(x.family(family)); err == nil && n < crowd {
			err = fmt.Errorf("%s has %d series of %d", family, n, crowd)
		}
		return err
	})
	x := c.wantBounded(t, 6)
	if len(x) > 50_000+300 { // what the exporter says of itself comes on top
		t.Errorf("%d series are served", len(x))
	}
	if dropped := x.family("loadline_exporter_series_dropped"); len(dropped) == 0 {
		t.Error("nothing is said to be dropped")
	}
	for _, name := range []string{"node_boot_time_seconds", "node_memory_MemTotal_bytes", "node_load1"} {
		if len(x.family(name)) != 1 {
			t.Errorf("%s is %v: the crowd of containers has cost it", name, x.family(name))
		}
	}
	x.wantWholeFamilies(t)
	most := c.descriptors(t)
	if most > crowd+100 {
		t.Errorf("%d descriptors are open, more than one for each container", most)
	}
	removeGroups(t, filepath.Join(root, "all"))
	wait.For(t, 4*limit, "the exporter to forget them", func() error {
		x, err := c.scrape()
		if n := len(x.family(family)); err == nil && n >= crowd/10 {
			err = fmt.Errorf("%d are there", n)
		}
		if now := c.descriptors(t); err == nil && now > most/10+100 {
			err = fmt.Errorf("%d descriptors are open, with the containers it were %d", now, most)
		}
		return err
	})
}

// wantWholeFamilies checks that the budget left families out, and not containers.
func (x exposition) wantWholeFamilies(t *testing.T) {
	t.Helper()
	counts := map[string]int{}
	for _, s := range x {
		if strings.HasPrefix(s.labels["id"], "/all/docker-") {
			counts[s.name]++
		}
	}
	for name, n := range counts {
		if n%crowd != 0 {
			t.Errorf("%s has %d series of %d containers", name, n, crowd)
		}
	}
}
