package network

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
)

// socket is what the kernel says of one TCP socket (struct inet_diag_msg of
// linux/inet_diag.h).
type socket struct {
	state         uint8 // TCP_ESTABLISHED … of net/tcp_states.h
	local, remote netip.Addr
	// Of a listening socket: connections that wait to be accepted, and how many may.
	queue, limit uint32
}

// The states of the kernel (net/tcp_states.h).
const (
	stateEstablished = 1
	stateSynSent     = 2
	stateSynRecv     = 3
	stateFinWait1    = 4
	stateFinWait2    = 5
	stateTimeWait    = 6
	stateClose       = 7
	stateCloseWait   = 8
	stateLastAck     = 9
	stateListen      = 10
	stateClosing     = 11
	stateNewSynRecv  = 12 // how the kernel keeps what it shows as SYN_RECV
)

// Sets of states.
const (
	listening = 1 << stateListen
	connected = 1<<(stateNewSynRecv+1) - 1 - listening - 1<<stateClose - 1
)

// maxSockets bounds what is looked at in one namespace: one socket takes 1 to 2 µs.
const maxSockets = 500_000

var errTooMany = fmt.Errorf("it has more than %d sockets", maxSockets)

// lister lists the TCP sockets of the network namespace that its thread is in. It is
// used by one goroutine at a time.
type lister struct {
	buffer    []byte
	request   [unix.NLMSG_HDRLEN + requestLen]byte
	perFamily bool // the kernel can't list both families at once
}

const (
	// The kernel sends no message longer than this (NLMSG_GOODSIZE's bound).
	messageLen = 32 << 10
	// struct inet_diag_req; struct inet_diag_req_v2 is 4 bytes shorter.
	requestLen, requestV2Len = 60, 56
	// typeTCP asks for the sockets of TCP of both families, in the form of before
	// Linux 3.3 (TCPDIAG_GETSOCK). It halves the work: the kernel goes through all
	// sockets of the machine, in the same table whatever their namespace or family.
	typeTCP = 18
	// typeByFamily is SOCK_DIAG_BY_FAMILY.
	typeByFamily = 20
)

// each calls f for each socket that is in one of the states. f must not keep its
// argument.
func (l *lister) each(ctx context.Context, states uint32, f func(*socket)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return fmt.Errorf("open a socket of sock_diag: %w", err)
	}
	defer unix.Close(fd)
	n := 0
	if !l.perFamily {
		err := l.list(ctx, fd, unix.AF_UNSPEC, states, &n, f)
		if err == nil || n > 0 || !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOENT) {
			return err
		}
		l.perFamily = true
	}
	if err := l.list(ctx, fd, unix.AF_INET, states, &n, f); err != nil {
		return err
	}
	// A kernel without IPv6 has none to list.
	if err := l.list(ctx, fd, unix.AF_INET6, states, &n, f); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

// list asks once and reads the answer. n counts the sockets.
func (l *lister) list(ctx context.Context, fd, family int, states uint32, n *int, f func(*socket)) error {
	if _, err := kernelfile.Retry(func() (int, error) {
		return 0, unix.Sendto(fd, l.ask(family, states), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}); err != nil {
		return fmt.Errorf("ask for sockets: %w", err)
	}
	if l.buffer == nil {
		l.buffer = make([]byte, messageLen)
	}
	for {
		// The answer is made while it is read, so nothing here waits for anybody.
		m, err := kernelfile.Retry(func() (int, error) {
			m, _, err := unix.Recvfrom(fd, l.buffer, 0)
			return m, err
		})
		if err != nil {
			return fmt.Errorf("read the list of sockets: %w", err)
		}
		end, err := eachSocket(l.buffer[:m], func(s *socket) {
			*n++
			f(s)
		})
		switch {
		case err != nil:
			return fmt.Errorf("list sockets: %w", err)
		case end:
			return nil
		case *n > maxSockets:
			return errTooMany
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// ask writes the request.
func (l *lister) ask(family int, states uint32) []byte {
	b := l.request[:]
	clear(b)
	body := b[unix.NLMSG_HDRLEN:]
	if family == unix.AF_UNSPEC {
		binary.NativeEndian.PutUint16(b[4:], typeTCP)
		binary.NativeEndian.PutUint32(body[52:], states) // after 4 bytes and struct inet_diag_sockid
	} else {
		b = b[:unix.NLMSG_HDRLEN+requestV2Len]
		binary.NativeEndian.PutUint16(b[4:], typeByFamily)
		body[0], body[1] = byte(family), unix.IPPROTO_TCP
		binary.NativeEndian.PutUint32(body[4:], states)
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	return b
}

// socketLen is the size of struct inet_diag_msg; attributes follow it, which are not
// read.
const socketLen = 72

var errBadAnswer = errors.New("the kernel's answer is not as its headers say")

// eachSocket calls f for each socket of a netlink answer, and says whether it is the
// answer's end.
func eachSocket(b []byte, f func(*socket)) (end bool, err error) {
	var s socket
	for len(b) > 0 {
		if len(b) < unix.NLMSG_HDRLEN {
			return false, errBadAnswer
		}
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.NLMSG_HDRLEN || size > len(b) {
			return false, errBadAnswer
		}
		body := b[unix.NLMSG_HDRLEN:size]
		switch kind := binary.NativeEndian.Uint16(b[4:]); kind {
		case unix.NLMSG_DONE, unix.NLMSG_ERROR:
			// Both begin with a negative errno or 0.
			if len(body) >= 4 {
				if code := int32(binary.NativeEndian.Uint32(body)); code < 0 {
					return true, unix.Errno(-code)
				}
			}
			return true, nil
		case typeTCP, typeByFamily:
			if !s.read(body) {
				return false, errBadAnswer
			}
			f(&s)
		}
		b = b[min((size+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1), len(b)):]
	}
	return false, nil
}

func (s *socket) read(b []byte) bool {
	if len(b) < socketLen {
		return false
	}
	s.state = b[1]
	// struct inet_diag_sockid begins at 4: two ports, then 16 bytes an address.
	switch b[0] {
	case unix.AF_INET:
		s.local, s.remote = netip.AddrFrom4([4]byte(b[8:12])), netip.AddrFrom4([4]byte(b[24:28]))
	case unix.AF_INET6: // also IPv4, of sockets that are open to both
		s.local, s.remote = netip.AddrFrom16([16]byte(b[8:24])).Unmap(), netip.AddrFrom16([16]byte(b[24:40])).Unmap()
	default:
		return false
	}
	s.queue, s.limit = binary.NativeEndian.Uint32(b[56:]), binary.NativeEndian.Uint32(b[60:])
	return true
}
