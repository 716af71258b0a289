package network

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// message makes a netlink message, padded as they are.
func message(kind uint16, body []byte) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(body)+3)
	binary.NativeEndian.PutUint32(b, uint32(unix.NLMSG_HDRLEN+len(body)))
	binary.NativeEndian.PutUint16(b[4:], kind)
	b = append(b, body...)
	for len(b)%unix.NLMSG_ALIGNTO > 0 {
		b = append(b, 0)
	}
	return b
}

// ofSocket makes the body of a socket's message, with an attribute behind it.
func ofSocket(family, state byte, local, remote string, queue, limit uint32) []byte {
	b := make([]byte, socketLen+5)
	b[0], b[1] = family, state
	put := func(b []byte, address string) { copy(b, netip.MustParseAddr(address).AsSlice()) }
	put(b[8:], local)
	put(b[24:], remote)
	binary.NativeEndian.PutUint32(b[56:], queue)
	binary.NativeEndian.PutUint32(b[60:], limit)
	return b
}

func TestSocketsAreReadFromTheKernelsAnswer(t *testing.T) {
	answer := slices.Concat(
		message(typeTCP, ofSocket(unix.AF_INET, stateEstablished, "10.0.0.1", "10.0.0.2", 1, 2)),
		message(typeByFamily, ofSocket(unix.AF_INET6, stateListen, "::", "::", 3, 4)),
		message(99, []byte("what is not known")),
		message(typeByFamily, ofSocket(unix.AF_INET6, stateTimeWait, "::ffff:10.0.0.1", "fd00::1", 0, 0)),
		message(unix.NLMSG_DONE, make([]byte, 4)),
	)
	address := netip.MustParseAddr
	want := []socket{
		{stateEstablished, address("10.0.0.1"), address("10.0.0.2"), 1, 2},
		{stateListen, address("::"), address("::"), 3, 4},
		{stateTimeWait, address("10.0.0.1"), address("fd00::1"), 0, 0},
	}
	var got []socket
	end, err := eachSocket(answer, func(s *socket) { got = append(got, *s) })
	if !end || err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, end %v, %v", got, end, err)
	}
}

func TestTheEndOfAnAnswerIsKnown(t *testing.T) {
	code := func(n int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(n)) }
	one := message(typeTCP, ofSocket(unix.AF_INET, stateEstablished, "10.0.0.1", "10.0.0.2", 0, 0))
	for name, test := range map[string]struct {
		answer []byte
		end    bool
		err    error
	}{
		"more follows":                     {one, false, nil},
		"it is done":                       {message(unix.NLMSG_DONE, code(0)), true, nil},
		"it is done, and says no more":     {message(unix.NLMSG_DONE, nil), true, nil},
		"it failed on the way":             {message(unix.NLMSG_DONE, code(-int32(unix.ENOENT))), true, unix.ENOENT},
		"it was refused":                   {message(unix.NLMSG_ERROR, code(-int32(unix.EPERM))), true, unix.EPERM},
		"it is cut in a header":            {one[:unix.NLMSG_HDRLEN-1], false, errBadAnswer},
		"it is cut in a socket":            {one[:unix.NLMSG_HDRLEN+socketLen-1], false, errBadAnswer},
		"a socket is too short":            {message(typeTCP, make([]byte, socketLen-1)), false, errBadAnswer},
		"a socket is of no known family":   {message(typeTCP, ofSocket(unix.AF_UNIX, 1, "10.0.0.1", "10.0.0.2", 0, 0)), false, errBadAnswer},
		"a length is less than its header": {make([]byte, 64), false, errBadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			end, err := eachSocket(test.answer, func(*socket) {})
			if end != test.end || !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Errorf("got %v, %v", end, err)
			}
		})
	}
}

// TestBothWaysToListAreTheSame compares the one request for both families with one for
// each, which kernels without the former take.
func TestBothWaysToListAreTheSame(t *testing.T) {
	r := newRealPods(t, "web")
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		r.connect("web", r.listen("web", address))
	}
	list := func(l *lister, states uint32) (found []socket) {
		r.in("web", func() error {
			return l.each(t.Context(), states, func(s *socket) { found = append(found, *s) })
		})
		slices.SortFunc(found, func(a, b socket) int { return a.local.Compare(b.local) })
		return found
	}
	for states, n := range map[uint32]int{listening: 3, connected: 6} {
		both, each := list(&lister{}, states), list(&lister{perFamily: true}, states)
		if len(both) != n || !slices.Equal(both, each) {
			t.Errorf("states %b: got %v and %v, want %d", states, both, each, n)
		}
	}
}

func FuzzSocket(f *testing.F) {
	f.Add(message(typeTCP, ofSocket(unix.AF_INET, stateEstablished, "10.0.0.1", "10.0.0.2", 1, 2)))
	f.Add(message(typeByFamily, ofSocket(unix.AF_INET6, stateListen, "::", "::", 3, 4))[:70])
	f.Add(message(unix.NLMSG_DONE, nil))
	f.Fuzz(func(t *testing.T, answer []byte) {
		n := 0
		_, _ = eachSocket(answer, func(s *socket) {
			if n++; !s.local.IsValid() || !s.remote.IsValid() {
				t.Errorf("a socket without addresses: %v", s)
			}
		})
		if n > len(answer)/(unix.NLMSG_HDRLEN+socketLen) {
			t.Errorf("%d sockets in %d bytes", n, len(answer))
		}
	})
}
