package node

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-exporters/loadline/internal/family"
)

// hwmonSensor is a sensor of a chip, such as temp1, and its attributes by name. The
// attribute without a name is that of a file such as pwm1.
type hwmonSensor struct {
	kind       string
	attributes map[string]string
}

// hwmonKinds are the kinds of sensors that there are.
var hwmonKinds = []string{
	"vrm", "beep_enable", "update_interval", "in", "cpu", "fan", "pwm", "temp", "curr", "power", "energy", "humidity", "intrusion", "freq",
}

// readSensors reads the sensors of a chip by name.
func readSensors(dir string) map[string]hwmonSensor {
	sensors := map[string]hwmonSensor{}
	for _, dir := range []string{dir, filepath.Join(dir, "device")} {
		for _, file := range names(dir) {
			kind, number, attribute, ok := parseSensor(file)
			if !ok || !slices.Contains(hwmonKinds, kind) {
				continue
			}
			value, err := readSysFile(filepath.Join(dir, file))
			if err != nil {
				continue
			}
			name := kind + strconv.Itoa(number)
			if sensors[name].attributes == nil {
				sensors[name] = hwmonSensor{kind, map[string]string{}}
			}
			sensors[name].attributes[attribute] = value
		}
	}
	return sensors
}

// parseSensor takes the name of an attribute's file apart: a kind without digits, a
// number, and what follows an underscore. All but the kind may be missing.
func parseSensor(file string) (kind string, number int, attribute string, ok bool) {
	const decimals = "0123456789"
	at := strings.IndexAny(file, decimals)
	if at < 0 {
		return file, 0, "", file != ""
	}
	rest := strings.TrimLeft(file[at:], decimals)
	number, err := strconv.Atoi(file[at : len(file)-len(rest)])
	if at == 0 || err != nil || rest == "_" || rest != "" && rest[0] != '_' {
		return "", 0, "", false
	}
	return file[:at], number, strings.TrimPrefix(rest, "_"), true
}

// hwmonValue is a number of a sensor, in base units.
type hwmonValue struct {
	name    string // of its family, without node_hwmon_
	value   float64
	counter bool
	sensor  string // what the sensor is called instead; "" for its name
}

func (v hwmonValue) family() *family.Family {
	f := &family.Family{
		Name: "node_hwmon_" + v.name, Type: family.Gauge, Help: "An attribute of a sensor that its driver has besides the usual.",
		Labels: []string{"chip", "sensor"}, Compat: family.Node, Collector: "hwmon",
	}
	if v.counter {
		f.Type = family.Counter
	}
	return f
}

// values are the sensor's attributes that are numbers.
func (s hwmonSensor) values() []hwmonValue {
	var out []hwmonValue
	for _, attribute := range sortedNames(s.attributes) {
		number, err := strconv.ParseFloat(s.attributes[attribute], 64)
		switch {
		case attribute == "label" || err != nil && s.kind != "beep_enable":
		case s.kind == "freq" && attribute == "input" && s.attributes["label"] == "":
			// node_exporter serves no clock that has no name.
		default:
			out = append(out, s.value(attribute, number))
		}
	}
	return out
}

// Units of sysfs: of most sensors thousandths, of power and energy millionths.
const (
	milli = 1e-3
	micro = 1e-6
)

// value is one attribute, under the name and with the factor that node_exporter has
// for it. That it takes an alarm of a bound for a value in the bound's unit is kept,
// and so is its factor for humidity.
func (s hwmonSensor) value(attribute string, number float64) hwmonValue {
	_, bare := s.attributes[""]
	name := s.kind
	if attribute != "" && (attribute != "input" || bare) {
		name += "_" + cleanName(attribute)
	}
	plain := hwmonValue{name: name, value: number}
	in := func(unit string, factor float64) hwmonValue {
		return hwmonValue{name: name + unit, value: number * factor}
	}
	switch {
	case s.kind == "beep_enable":
		return hwmonValue{name: "beep_enabled", value: truth(s.attributes[attribute] == "1")}
	case s.kind == "vrm":
		return hwmonValue{name: "voltage_regulator_version", value: number}
	case s.kind == "update_interval":
		return in("_seconds", milli)
	case attribute == "fault", attribute == "alarm":
		return plain
	case attribute == "beep":
		return in("_enabled", 1)
	case s.kind == "in", s.kind == "cpu":
		return in("_volts", milli)
	case s.kind == "temp" && attribute != "type":
		return in("_celsius", milli)
	case s.kind == "curr":
		return in("_amps", milli)
	case s.kind == "energy":
		return hwmonValue{name: name + "_joule_total", value: number * micro, counter: true}
	case s.kind == "power":
		return powerValue(attribute, in)
	case s.kind == "humidity":
		return in("", micro)
	case s.kind == "fan" && slices.Contains([]string{"input", "min", "max", "target"}, attribute):
		return in("_rpm", 1)
	case s.kind == "freq" && attribute == "input":
		v := in("_freq_mhz", micro)
		v.sensor = cleanName(s.attributes["label"])
		return v
	}
	return plain
}

func powerValue(attribute string, in func(unit string, factor float64) hwmonValue) hwmonValue {
	switch attribute {
	case "accuracy":
		return in("", micro)
	case "average_interval", "average_interval_min", "average_interval_max":
		return in("_seconds", milli)
	}
	return in("_watt", micro)
}
