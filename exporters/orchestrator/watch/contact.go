package watch

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/loadline-exporters/loadline/internal/source"
)

// mayStream says whether the next list may be streamed. Where watches do not last long
// enough for a list, as behind a proxy that ends them, streaming never comes to an end.
func (p *part) mayStream() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken < mostBroken
}

// isFilled says whether changes can be added to what was listed.
func (p *part) isFilled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.filled
}

// opened notes that a watch is open. One that begins with a list is contact once the
// list is complete.
func (p *part) opened(s *stream, initial bool) {
	p.mu.Lock()
	if initial {
		p.listing = s
	} else {
		p.open = s
	}
	p.mu.Unlock()
	if !initial {
		p.answered(nil, false)
	}
}

// closed notes that a watch has ended.
func (p *part) closed(s *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch s {
	case p.listing:
		p.listing = nil
		p.broken++
	case p.open:
		p.open, p.last = nil, time.Now()
	}
}

// complete notes that a list is complete. What came in pages is said to be there once
// it is watched too: a resource that may be listed only would be there and forbidden by
// turns.
func (p *part) complete() {
	p.mu.Lock()
	streamed := p.listing != nil
	p.filled, p.last, p.broken = true, time.Now(), 0
	if streamed {
		p.open, p.listing = p.listing, nil
	}
	p.mu.Unlock()
	if streamed {
		p.answered(nil, false)
	}
}

// requested notes how a request failed.
func (p *part) requested(ctx context.Context, err error) {
	// History that is gone is listed anew. When the program ends, that says nothing
	// about the API server.
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || ctx.Err() != nil {
		return
	}
	p.answered(Because(err), false)
}

// answered notes an answer, or its lack; first says to do so only if there was none
// yet.
func (p *part) answered(err error, first bool) {
	p.mu.Lock()
	if first && p.asked {
		p.mu.Unlock()
		return
	}
	p.asked, p.err = true, err
	p.mu.Unlock()
	p.resource.report()
}

func (p *part) answer() (asked bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked, p.err
}

// fresh says whether what was told may be served.
func (p *part) fresh(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.filled && (p.open != nil || now.Sub(p.last) <= source.StaleAfter)
}

// empty says whether a part is stale, and if so has it listed anew.
func (p *part) empty(now time.Time) bool {
	if p.fresh(now) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filled = false
	return true
}
