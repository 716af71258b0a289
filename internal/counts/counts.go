// Package counts keeps counters that outlive what they count: an account, mostly a
// workload's, is there from its first pod until an hour after its last.
//
// Counters start at 0 when their account is first seen and count what happens from
// then on. What is new is served at 0 once before it counts, so that Prometheus
// sees it rise from there, whatever has been counted already.
package counts

import (
	"slices"
	"sync"
	"time"

	"github.com/loadline-exporters/loadline/internal/family"
)

// Bounds of what is kept.
const (
	// KeepEnded is how long an account stays after its last holder and its last count.
	KeepEnded = time.Hour
	// MaxEnded is how many accounts without a holder are kept; the earliest go first.
	MaxEnded = 2000
	// MaxCells bounds the series of one account; a histogram is one.
	MaxCells = 256
)

// Book holds the accounts. K names an account, such as a workload. It is safe for
// concurrent use.
type Book[K comparable] struct {
	labels  []string
	valueOf func(K) []string
	start   []cell

	mu       sync.Mutex
	accounts map[K]*account[K]
	order    []*account[K] // as they came
	ended    int           // accounts without a holder
}

// account is what one key has.
type account[K comparable] struct {
	key     K
	block   family.Block
	holders int
	endedAt time.Time // of the last holder, or the last count without one
	cells   []cell
}

// cell is one counter or histogram.
type cell struct {
	family *family.Family
	labels []string // beyond the account's

	value        float64
	distribution *family.Distribution // of a histogram, once it has observed anything
	shown        bool                 // it was served at 0
}

// NewBook returns an empty book whose accounts have these labels, first in each of
// the book's families. valueOf tells their values.
func NewBook[K comparable](labels []string, valueOf func(K) []string) *Book[K] {
	return &Book[K]{labels: labels, valueOf: valueOf, accounts: map[K]*account[K]{}}
}

// Start has each new account begin with a series of f at 0, with these labels beyond
// the account's. Without, a series begins with what is counted first. It is called
// before the book is used.
func (b *Book[K]) Start(f *family.Family, labels ...string) {
	b.start = append(b.start, cell{family: f, labels: labels})
}

// Hold keeps the account of k, and makes it where it is new, until Release is called
// as often as Hold was.
func (b *Book[K]) Hold(k K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.account(k)
	if a.holders == 0 {
		b.ended--
	}
	a.holders++
}

// Release says that one who held k is gone.
func (b *Book[K]) Release(k K) { b.ReleaseAt(k, time.Now()) }

// ReleaseAt says that one who held k is gone since a time.
func (b *Book[K]) ReleaseAt(k K, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[k]
	if a == nil || a.holders == 0 {
		return
	}
	a.holders--
	if at.After(a.endedAt) {
		a.endedAt = at
	}
	if a.holders == 0 {
		b.ended++
		b.bound()
	}
}

// Add counts n on k's counter f of these labels; 0 begins it. It says whether there was
// room on the account.
func (b *Book[K]) Add(f *family.Family, k K, n float64, labels ...string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.cell(f, k, labels)
	if c != nil {
		c.value += n
	}
	return c != nil
}

// Observe adds a value to k's histogram f of these labels. It says whether there was
// room on the account.
func (b *Book[K]) Observe(f *family.Family, k K, v float64, labels ...string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.cell(f, k, labels)
	if c != nil {
		if c.distribution == nil {
			c.distribution = &family.Distribution{}
		}
		c.distribution.Observe(f, v)
	}
	return c != nil
}

// Collect serves what the writer has a place for.
func (b *Book[K]) Collect(w *family.Writer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prune(time.Now())
	for _, a := range b.order {
		for i := range a.cells {
			a.cells[i].collect(w, a.block)
		}
	}
}

func (c *cell) collect(w *family.Writer, block family.Block) {
	s := w.Series(c.family)
	if !s.Enabled() {
		return
	}
	var value float64
	var distribution family.Distribution
	if c.shown {
		value = c.value
		if c.distribution != nil {
			distribution = *c.distribution
		}
	}
	c.shown = true
	if c.family.Type == family.Histogram {
		s.AddHistogram(block, distribution, c.labels...)
		return
	}
	s.AddBlock(block, value, c.labels...)
}

// account returns k's account, and makes it, without a holder, where there is none.
func (b *Book[K]) account(k K) *account[K] {
	if a := b.accounts[k]; a != nil {
		return a
	}
	a := &account[K]{
		key: k, endedAt: time.Now(), cells: slices.Clone(b.start),
		block: family.NewBlock(b.labels, b.valueOf(k)),
	}
	b.accounts[k] = a
	b.order = append(b.order, a)
	b.ended++
	b.bound()
	return a
}

func (b *Book[K]) cell(f *family.Family, k K, labels []string) *cell {
	a := b.account(k)
	if a.holders == 0 {
		a.endedAt = time.Now()
	}
	for i := range a.cells {
		if c := &a.cells[i]; c.family == f && slices.Equal(c.labels, labels) {
			return c
		}
	}
	if len(a.cells) >= MaxCells {
		return nil
	}
	a.cells = append(a.cells, cell{family: f, labels: slices.Clone(labels)})
	return &a.cells[len(a.cells)-1]
}

// bound prunes between two scrapes too, should there be none.
func (b *Book[K]) bound() {
	if b.ended > 2*MaxEnded {
		b.prune(time.Now())
	}
}

// prune forgets accounts that ended long ago, or earliest when there are many.
func (b *Book[K]) prune(now time.Time) {
	if b.ended == 0 {
		return
	}
	var ended []*account[K]
	for _, a := range b.order {
		if a.holders == 0 {
			ended = append(ended, a)
		}
	}
	slices.SortStableFunc(ended, func(x, y *account[K]) int { return x.endedAt.Compare(y.endedAt) })
	gone := 0
	for ; gone < len(ended); gone++ {
		if len(ended)-gone <= MaxEnded && now.Sub(ended[gone].endedAt) < KeepEnded {
			break
		}
		delete(b.accounts, ended[gone].key)
	}
	if gone == 0 {
		return
	}
	b.ended -= gone
	b.order = slices.DeleteFunc(b.order, func(a *account[K]) bool { return b.accounts[a.key] != a })
}
