package node

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Types of a kstat's field (include/sys/kstat.h of OpenZFS) that are numbers.
const (
	kstatInt64  = "3"
	kstatUint64 = "4"
)

// parseNamed reads a kstat of named fields: two lines of head, of which the second
// is "name type data", then a line a field. named is told the dataset's name, which
// may hold spaces; nil where there is none.
func parseNamed(r io.Reader, field func(name string, v float64), named func(name string)) error {
	lines := bufio.NewScanner(r)
	head := false
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) < 3:
		case !head:
			head = f[0] == "name" && f[1] == "type" && f[2] == "data"
		case f[0] == "dataset_name" && named != nil:
			_, rest, _ := strings.Cut(strings.TrimLeft(lines.Text(), " "), " ")
			_, rest, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
			named(strings.Trim(rest, " "))
		default:
			v, ok, err := kstatNumber(f[1], f[2])
			if err != nil {
				return fmt.Errorf("field %s: %w", f[0], err)
			}
			if ok {
				field(f[0], v)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if !head {
		return fmt.Errorf("no line \"name type data\"")
	}
	return nil
}

// kstatNumber returns a field's number; it is false for a field that is none.
func kstatNumber(kind, text string) (float64, bool, error) {
	switch kind {
	case kstatInt64:
		v, err := strconv.ParseInt(text, 10, 64)
		return float64(v), true, err
	case kstatUint64:
		v, err := strconv.ParseUint(text, 10, 64)
		return float64(v), true, err
	}
	return 0, false, nil
}

// parseIO reads a kstat of a pool's I/O: a line of head, one of names that begins
// with nread, one of numbers.
func parseIO(r io.Reader, field func(name string, v float64)) error {
	lines := bufio.NewScanner(r)
	var names []string
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if names == nil {
			if len(f) > 0 && f[0] == "nread" {
				names = f
			}
			continue
		}
		if len(f) != len(names) {
			return fmt.Errorf("%d numbers, want %d", len(f), len(names))
		}
		for i, name := range names {
			v, err := strconv.ParseUint(f[i], 10, 64)
			if err != nil {
				return fmt.Errorf("field %s: %w", name, err)
			}
			field(name, float64(v))
		}
		break
	}
	return lines.Err()
}
