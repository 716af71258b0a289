package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// netstat serves the counters of the network protocols in the network namespace
// that the exporter runs in. procfs knows the fields by name, one by one; here a
// regular expression chooses among all that the kernel has.
type netstat struct {
	proc   string
	fields *counters
	buffer buffer
	key    []byte // protocol and counter, as in Tcp_InSegs
}

func newNetstat(proc string, wants *regexp.Regexp) *netstat {
	return &netstat{proc: proc, fields: newCounters(metrics.NodeNetstat, metrics.NetstatField, wants)}
}

// Collect reads /proc/net/netstat and snmp, whose lines come in pairs of names and
// values, and snmp6, which is missing without IPv6.
func (c *netstat) Collect(_ context.Context, w *family.Writer) error {
	c.fields.begin(w)
	var errs []error
	for _, file := range []struct {
		name  string
		parse func([]byte) error
	}{
		{"netstat", c.pairs}, {"snmp", c.pairs}, {"snmp6", c.snmp6},
	} {
		path := filepath.Join(c.proc, "net", file.name)
		data, err := c.buffer.read(path)
		if file.name == "snmp6" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("read counters of protocols: %w", err))
			continue
		}
		if err := errors.Join(file.parse(data), errors.Join(c.fields.errs...)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
		}
		c.fields.errs = nil
	}
	return errors.Join(errs...)
}

// pairs reads "Tcp: A B" and, on the next line, "Tcp: 1 2".
func (c *netstat) pairs(data []byte) error {
	for len(data) > 0 {
		var names, values []byte
		names, data, _ = bytes.Cut(data, []byte{'\n'})
		values, data, _ = bytes.Cut(data, []byte{'\n'})
		protocol, names, ok := bytes.Cut(names, []byte(": "))
		other, values, same := bytes.Cut(values, []byte(": "))
		if !ok || !same || !bytes.Equal(protocol, other) {
			return fmt.Errorf("the values of %.32q are not below their names", protocol)
		}
		for name := range bytes.FieldsSeq(names) {
			var value []byte
			value, values, _ = bytes.Cut(bytes.TrimLeft(values, " "), []byte{' '})
			if len(value) == 0 {
				return fmt.Errorf("%s has fewer values than names", protocol)
			}
			c.add(protocol, name, value)
		}
		if len(bytes.TrimSpace(values)) > 0 {
			return fmt.Errorf("%s has more values than names", protocol)
		}
	}
	return nil
}

// snmp6 reads "Ip6InReceives 1", where the protocol ends in 6.
func (c *netstat) snmp6(data []byte) error {
	eachPair(data, func(field, value []byte) {
		if six := bytes.IndexByte(field, '6') + 1; six > 0 {
			c.add(field[:six], field[six:], value)
		}
	})
	return nil
}

func (c *netstat) add(protocol, name, value []byte) {
	c.key = append(append(append(c.key[:0], protocol...), '_'), name...)
	c.fields.add(c.key, value)
}
