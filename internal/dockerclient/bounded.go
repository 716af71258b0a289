package dockerclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxEvent bounds one event, which has all labels of its container.
const maxEvent = 256 << 10

// ErrTooLong is the error of an answer that is longer than any that is meant.
var ErrTooLong = errors.New("the answer is too long")

// bounded ends answers that are longer than any that is meant: the client reads to
// the end whatever comes. A stream of events has no end; there what is too long is
// an event, and is left out.
type bounded struct {
	http.RoundTripper
	most int // bytes of one answer
}

// RoundTrip makes a request and bounds its answer.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	answered, streams := r.Context().Value(answerKey{}).(func())
	if streams && strings.HasSuffix(r.URL.Path, "/events") && resp.StatusCode == http.StatusOK {
		answered()
		resp.Body = &eventBody{Closer: resp.Body, lines: bufio.NewReaderSize(resp.Body, maxEvent)}
		return resp, nil
	}
	resp.Body = &boundedBody{resp.Body, b.most, b.most}
	return resp, nil
}

type answerKey struct{}

// onAnswer has f called when a stream of events that is asked for in the context
// is open, which the client does not tell.
func onAnswer(ctx context.Context, f func()) context.Context {
	return context.WithValue(ctx, answerKey{}, f)
}

type boundedBody struct {
	io.ReadCloser
	left, most int
}

// Read reads, and fails once the bound is passed.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: more than %d MiB", ErrTooLong, b.most>>20)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// eventBody is a stream of events, one a line, without those that are too long.
type eventBody struct {
	io.Closer
	lines *bufio.Reader
	line  []byte // what is left to read of the present one
}

// Read reads from the next line that is not too long.
func (b *eventBody) Read(p []byte) (int, error) {
	for len(b.line) == 0 {
		line, err := b.lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = b.lines.ReadSlice('\n')
			}
			line = nil
		}
		if err != nil && len(line) == 0 {
			return 0, err
		}
		b.line = line
	}
	n := copy(p, b.line)
	b.line = b.line[n:]
	return n, nil
}
