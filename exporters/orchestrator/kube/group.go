package kube

import (
	"encoding/binary"
	"strings"
)

// slots is how many objects a group has. A scrape reads a group's text of one family
// from one place, and a change writes the text of all its objects anew: more would
// make scrapes hardly faster and changes slower (BenchmarkScrape, BenchmarkChange).
const slots = 4

// group is what is kept of some objects: their records, turned so that what a scrape
// reads one after the other lies so. In its beginning is where each part ends, in four
// bytes each; then come the block of each object, and of each family the lines of all
// objects, in the order of their slots. Before each line is a byte with its slot.
type group string

// end is where part i ends, counted from the group's beginning.
func (g group) end(i int) int {
	at := 4 * i
	return int(g[at]) | int(g[at+1])<<8 | int(g[at+2])<<16 | int(g[at+3])<<24
}

// part is part i of a group of so many families. An empty group has empty parts.
func (g group) part(i, families int) string {
	if g == "" {
		return ""
	}
	begin := 4 * (slots + families)
	if i > 0 {
		begin = g.end(i - 1)
	}
	return string(g[begin:g.end(i)])
}

// appendTo appends the series of a family, of so many.
func (g group) appendTo(b []byte, family, families int, name string) []byte {
	lines := g.part(slots+family, families)
	block, of := "", byte(slots)
	for len(lines) > 0 {
		n := strings.IndexByte(lines, '\n') + 1
		b = append(b, name...)
		if lines[1] == ',' || lines[1] == '}' {
			if lines[0] != of {
				of = lines[0]
				block = g.part(int(of), families)
			}
			b = append(b, '{')
			b = append(b, block...)
		}
		b = append(b, lines[1:n]...)
		lines = lines[n:]
	}
	return b
}

// around are a family's lines, parted into those of lower slots, of one, and of higher
// ones.
func around(lines string, slot int) (before, of, after string) {
	begin := skip(lines, 0, func(s byte) bool { return int(s) < slot })
	end := skip(lines, begin, func(s byte) bool { return int(s) == slot })
	return lines[:begin], lines[begin:end], lines[end:]
}

func skip(lines string, at int, while func(slot byte) bool) int {
	for at < len(lines) && while(lines[at]) {
		at += strings.IndexByte(lines[at:], '\n') + 1
	}
	return at
}

// press is where groups are made. series counts the series of each family.
type press struct {
	families int
	series   []int
	text     []byte
}

// with returns old with a record in a slot, in place of what is there; an empty record
// leaves the slot empty.
func (p *press) with(old group, slot int, r record) group {
	p.begin()
	for i := range slots {
		if i == slot {
			p.text = append(p.text, r.block()...)
		} else {
			p.text = append(p.text, old.part(i, p.families)...)
		}
		p.ended(i)
	}
	for f := range p.families {
		before, former, after := around(old.part(slots+f, p.families), slot)
		p.series[f] -= strings.Count(former, "\n")
		p.text = append(p.text, before...)
		p.lines(f, slot, r)
		p.text = append(p.text, after...)
		p.ended(slots + f)
	}
	return group(p.text)
}

// of returns a group of records, as many as there are slots at the most.
func (p *press) of(records []record) group {
	p.begin()
	for i := range slots {
		if i < len(records) {
			p.text = append(p.text, records[i].block()...)
		}
		p.ended(i)
	}
	for f := range p.families {
		for slot, r := range records {
			p.lines(f, slot, r)
		}
		p.ended(slots + f)
	}
	return group(p.text)
}

func (p *press) begin() {
	n := 4 * (slots + p.families)
	if cap(p.text) < n {
		p.text = make([]byte, n)
	}
	p.text = p.text[:n]
}

// ended notes that part i ends here.
func (p *press) ended(i int) { binary.LittleEndian.PutUint32(p.text[4*i:], uint32(len(p.text))) }

// lines appends a record's lines of a family.
func (p *press) lines(family, slot int, r record) {
	lines := r.lines(family)
	for len(lines) > 0 {
		n := strings.IndexByte(lines, '\n') + 1
		p.text = append(p.text, byte(slot))
		p.text = append(p.text, lines[:n]...)
		lines = lines[n:]
		p.series[family]++
	}
}
