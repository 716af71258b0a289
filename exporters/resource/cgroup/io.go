package cgroup

import (
	"bytes"

	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
)

// device returns a device's place in the list, and adds it where it is new. A
// group has a handful.
func device(list *[]Device, major, minor uint32) *Device {
	for i := range *list {
		if d := &(*list)[i]; d.Major == major && d.Minor == minor {
			return d
		}
	}
	*list = append(*list, Device{Major: major, Minor: minor})
	return &(*list)[len(*list)-1]
}

// eachOperation parses v1's blkio files: "8:0 Read 4096" a line, and a last one
// without a device, "Total 4096". It says whether every line was of that form.
func eachOperation(b []byte, list *[]Device, of func(*Device) *[operations]float64) bool {
	names, whole := Operations(), true
	for len(b) > 0 {
		var line []byte
		line, b = kernelfile.CutLine(b)
		if len(line) == 0 || bytes.HasPrefix(line, []byte("Total ")) {
			continue
		}
		dev, rest, _ := bytes.Cut(line, []byte(" "))
		name, value, _ := bytes.Cut(rest, []byte(" "))
		major, minor, okDev := majorMinor(dev)
		v, okValue := kernelfile.ParseUint(value)
		if !okDev || !okValue {
			whole = false
			continue
		}
		for op := range names {
			if string(name) == names[op] {
				d := device(list, major, minor)
				of(d)[op], d.Has[op] = float64(v), true
			}
		}
	}
	return whole
}

// eachDevice parses v2's io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5
// dios=6" a line, with what other controllers add behind it. A device without I/O
// has no values.
func eachDevice(b []byte, list *[]Device) bool {
	whole := true
	for len(b) > 0 {
		var line []byte
		line, b = kernelfile.CutLine(b)
		dev, rest, _ := bytes.Cut(line, []byte(" "))
		major, minor, ok := majorMinor(dev)
		if !ok {
			whole = whole && len(line) == 0
			continue
		}
		for len(rest) > 0 {
			var field []byte
			field, rest, _ = bytes.Cut(rest, []byte(" "))
			key, value, _ := bytes.Cut(field, []byte("="))
			v, ok := kernelfile.ParseUint(value)
			if !ok {
				continue
			}
			d := device(list, major, minor)
			set := func(to *[operations]float64, op Operation) { to[op], d.Has[op] = float64(v), true }
			switch string(key) {
			case "rbytes":
				set(&d.Bytes, Read)
			case "wbytes":
				set(&d.Bytes, Write)
			case "dbytes":
				set(&d.Bytes, Discard)
			case "rios":
				set(&d.Requests, Read)
			case "wios":
				set(&d.Requests, Write)
			case "dios":
				set(&d.Requests, Discard)
			}
		}
	}
	return whole
}

func majorMinor(b []byte) (major, minor uint32, ok bool) {
	x, y, _ := bytes.Cut(b, []byte(":"))
	a, okMajor := kernelfile.ParseUint(x)
	i, okMinor := kernelfile.ParseUint(y)
	const bits = 32
	return uint32(a), uint32(i), okMajor && okMinor && a>>bits == 0 && i>>bits == 0
}
