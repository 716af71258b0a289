package counts

// Holder holds the accounts of what is listed again and again. It belongs to one
// goroutine at a time.
type Holder[K comparable] struct {
	book *Book[K]
	held map[K]bool
}

// NewHolder returns a holder of accounts of a book.
func NewHolder[K comparable](b *Book[K]) *Holder[K] {
	return &Holder[K]{book: b, held: map[K]bool{}}
}

// Hold holds the accounts of what is there now, and no others any longer. The map is
// the holder's from then on.
func (h *Holder[K]) Hold(now map[K]bool) {
	for k := range now {
		if !h.held[k] {
			h.book.Hold(k)
		}
	}
	for k := range h.held {
		if !now[k] {
			h.book.Release(k)
		}
	}
	h.held = now
}
