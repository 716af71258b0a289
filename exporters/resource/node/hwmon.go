package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// hwmon serves the sensors of the machine: temperatures, fans, voltages, power. No
// library parses their files.
type hwmon struct {
	dir     string // /sys/class/hwmon
	chips   matcher
	sensors matcher // of CHIP;SENSOR
}

// Collect reads the attributes of each chip's sensors
// (Documentation/hwmon/sysfs-interface.rst). Those of a device whose driver is old
// are in its device's directory. An attribute that cannot be read is left out.
func (c hwmon) Collect(_ context.Context, w *family.Writer) error {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list sensors: %w", err)
	}
	other := others{w: w}
	for _, chip := range nameChips(c.dir, entries) {
		if !c.chips.wants(chip.name) {
			continue
		}
		if chip.driver != "" {
			w.Series(metrics.NodeHwmonChipNames).Add(1, chip.name, chip.driver)
		}
		c.add(w, &other, chip)
	}
	return errors.Join(other.errs...)
}

func (c hwmon) add(w *family.Writer, other *others, chip hwmonChip) {
	sensors := readSensors(chip.dir)
	seen := map[[2]string]bool{}
	for _, name := range sortedNames(sensors) {
		if !c.sensors.wants(chip.name + ";" + name) {
			continue
		}
		s := sensors[name]
		if label, ok := s.attributes["label"]; ok {
			w.Series(metrics.NodeHwmonSensorLabel).Add(1, chip.name, name, label)
		}
		for _, v := range s.values() {
			sensor := name
			if v.sensor != "" {
				sensor = v.sensor
			}
			id := [2]string{v.name, sensor}
			if seen[id] {
				continue // two clocks of one label
			}
			seen[id] = true
			if f := metrics.NodeHwmon.Of(v.name); f != nil {
				w.Series(f).Add(v.value, chip.name, sensor)
				continue
			}
			other.add(v.family(), v.value, chip.name, sensor)
		}
	}
}

// hwmonChip is a directory of sensors.
type hwmonChip struct {
	dir    string
	name   string // what the device is called by its place, which is the same after each boot
	driver string // what its driver calls it; "" for nothing
}

// nameChips gives each chip a name of its own. Two of one device are told apart by
// what their driver calls them, or else by their number.
func nameChips(dir string, entries []fs.DirEntry) []hwmonChip {
	var chips []hwmonChip
	places, drivers := map[string]int{}, map[[2]string]int{}
	for _, e := range entries {
		chip := hwmonChip{dir: filepath.Join(dir, e.Name())}
		if info, err := os.Stat(chip.dir); err != nil || !info.IsDir() {
			continue
		}
		driver, _ := readSysFile(filepath.Join(chip.dir, "name"))
		chip.driver = cleanName(driver)
		chip.name = chipPlace(chip.dir)
		if chip.name == "" {
			chip.name = chip.driver
		}
		if chip.name == "" {
			chip.name = cleanName(e.Name())
		}
		places[chip.name]++
		drivers[[2]string{chip.name, chip.driver}]++
		chips = append(chips, chip)
	}
	taken := map[string]bool{}
	for i, chip := range chips {
		number := cleanName(filepath.Base(chip.dir))
		if places[chip.name] > 1 {
			suffix := chip.driver
			if suffix == "" || drivers[[2]string{chip.name, chip.driver}] > 1 {
				suffix = number
			}
			chips[i].name += "_" + suffix
		}
		for taken[chips[i].name] {
			chips[i].name += "_" + number
		}
		taken[chips[i].name] = true
	}
	return chips
}

// chipPlace is a name made of the device's bus and the device, such as
// platform_coretemp_0; "" for a chip without a device.
func chipPlace(dir string) string {
	device, err := filepath.EvalSymlinks(filepath.Join(dir, "device"))
	if err != nil {
		return ""
	}
	bus, name := cleanName(filepath.Base(filepath.Dir(device))), cleanName(filepath.Base(device))
	if bus == "" || name == "" {
		return name
	}
	return bus + "_" + name
}

// cleanName is a name as node_exporter writes it into names and labels.
func cleanName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == ':' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
	return strings.Trim(clean, "_")
}
