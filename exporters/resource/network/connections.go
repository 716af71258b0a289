package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/source"
)

// Connections emits the TCP connections and listening sockets of pods. It is used by
// one goroutine at a time.
//
// Counters are read below /proc/PID/net, which needs no right; sockets are listed in
// the pod's network namespace, which needs those that enter says. Without them the
// counters stay.
type Connections struct {
	Namespaces *Namespaces
	// Source says whether sockets can be listed.
	Source *source.Source
	// Cluster are the networks of the cluster's pods and services, as far as they are
	// not those that pods of this node are on.
	Cluster []netip.Prefix

	buffer   buffer
	lister   lister
	pace     pace
	round    uint64
	memories map[uint64]*memory // by the namespace's inode
	pods     map[podKey]*podTCP

	node   nodeAddresses
	nodeAt time.Time
	around *neighbourhood
}

// addressesFor is how long addresses are taken for what they were. Engines can
// connect a running container to another network.
const addressesFor = time.Minute

// memory is what is known of a namespace's TCP, from scrape to scrape.
type memory struct {
	round uint64
	owner string // the cgroup path of who answers: inodes are used again

	counters      counters
	countersKnown bool

	queues      queues
	queuesOf    counters // when they were listed
	queuesAt    time.Time
	queuesKnown bool

	connections     connections
	connectionsOf   counters // when they were counted
	connectionsAt   time.Time
	connectionsDone bool

	addresses   []netip.Prefix
	addressesAt time.Time
}

// Probe finds out whether sockets can be listed, by listing the own namespace's, and
// reports it to the source.
func (c *Connections) Probe(ctx context.Context) {
	err := visit(func(v *visitor) error {
		if err := v.leave(); err != nil { // which enters the own, and takes the same rights
			return err
		}
		return c.lister.each(ctx, listening, func(*socket) {})
	})
	c.Source.Report(reasoned(err), "sock_diag of each pod's network namespace")
}

// reasoned adds to an error what it means for the source: a kernel without inet_diag
// answers that there is no such thing.
func reasoned(err error) error {
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return source.Because(source.Absent, err)
	}
	return err
}

// Collect reads the counters of each namespace, and lists its sockets. A namespace
// that has gone meanwhile is left out; one that can't be read loses nothing else and
// is named in the error.
func (c *Connections) Collect(ctx context.Context, w *family.Writer) error {
	now := time.Now()
	namespaces, err := c.Namespaces.Current()
	failed := failures{}
	failed.add("find processes", err)
	c.remember(namespaces)
	for _, ns := range namespaces {
		failed.add("counters of "+ns.Pod.String(), c.count(ns))
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("not all pods' connections were read: %w", err)
		}
	}
	if err := c.list(ctx, namespaces, now, &failed); err != nil {
		return err
	}
	e := newConnectionEmitter(w)
	for _, p := range c.sum(namespaces) {
		e.emit(p)
	}
	return failed.join()
}

// remember makes what is known of new namespaces, and forgets it of those that went.
func (c *Connections) remember(namespaces []*Namespace) {
	if c.memories == nil {
		c.memories, c.pods = map[uint64]*memory{}, map[podKey]*podTCP{}
	}
	c.round++
	for _, ns := range namespaces {
		m := c.memories[ns.inode]
		if m == nil || m.owner != ns.process.path {
			m = &memory{owner: ns.process.path}
			c.memories[ns.inode] = m
		}
		m.round = c.round
	}
	for inode, m := range c.memories {
		if m.round != c.round {
			delete(c.memories, inode)
		}
	}
}

// count reads a namespace's counters. Those of net/netstat, the longest of the files,
// change with nothing but what was received.
func (c *Connections) count(ns *Namespace) error {
	m := c.memories[ns.inode]
	received := m.counters.received
	content, err := c.Namespaces.read(ns, &c.buffer, "net/snmp")
	if err != nil {
		m.countersKnown = false
		return err
	}
	known := m.countersKnown
	m.countersKnown = m.counters.readSNMP(content)
	if known && m.counters.received == received {
		return nil
	}
	content, err = c.Namespaces.read(ns, &c.buffer, "net/netstat")
	if err != nil {
		m.countersKnown = false
		return err
	}
	m.counters.readNetstat(content)
	return nil
}

// list lists the sockets of the namespaces, as far as it is allowed to and in time.
func (c *Connections) list(ctx context.Context, namespaces []*Namespace, now time.Time, failed *failures) error {
	var refused error
	entered := 0
	err := visit(func(v *visitor) error {
		c.lookAround(v, now)
		for _, ns := range namespaces {
			m := c.memories[ns.inode]
			if m.quiet(now) {
				continue
			}
			err := c.listen(ctx, v, ns, now)
			m.queuesKnown, m.queuesOf, m.queuesAt = err == nil, m.counters, now
			switch {
			case err == nil:
				entered++
			case ctx.Err() != nil:
				return fmt.Errorf("not all pods' sockets were listed: %w", ctx.Err())
			case forbidden(err):
				refused = err
			default:
				failed.add("listening sockets of "+ns.Pod.String(), err)
			}
		}
		return c.connect(ctx, v, namespaces, now, failed)
	})
	if entered > 0 || refused != nil {
		if entered > 0 {
			refused = nil
		}
		c.Source.Report(reasoned(refused), "sock_diag of each pod's network namespace")
	}
	return err
}

// forbidden says whether an error is what Source is there to say.
func forbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.ENOENT)
}

// enter enters a pod's namespace.
func (c *Connections) enter(v *visitor, ns *Namespace) error {
	return c.Namespaces.with(ns, func(dir int) error { return v.enterOf(dir, "ns/net") })
}

// listen lists a pod's listening sockets, and its addresses now and then.
func (c *Connections) listen(ctx context.Context, v *visitor, ns *Namespace, now time.Time) error {
	if err := c.enter(v, ns); err != nil {
		return err
	}
	m := c.memories[ns.inode]
	if m.addressesAt.IsZero() || now.Sub(m.addressesAt) >= addressesFor {
		found, err := addresses()
		if err != nil {
			return err
		}
		found = found[:min(len(found), maxAddresses)]
		if !slices.Equal(found, m.addresses) {
			c.around = nil
		}
		m.addresses, m.addressesAt = found, now
	}
	m.queues = queues{}
	return c.lister.each(ctx, listening, m.queues.add)
}

// lookAround reads the node's addresses now and then. What can't be read is not
// known: its peers are outside then.
func (c *Connections) lookAround(v *visitor, now time.Time) {
	if !c.nodeAt.IsZero() && now.Sub(c.nodeAt) < addressesFor {
		return
	}
	c.nodeAt, c.around = now, nil
	host := c.Namespaces.host()
	if host == 0 {
		return
	}
	// On the node's network there is nothing to enter; PID 1 may be guarded even from
	// root.
	if own, err := namespaceOf(unix.AT_FDCWD, "/proc/thread-self"); err != nil || own != host {
		if v.enterOf(unix.AT_FDCWD, filepath.Join(c.Namespaces.world.procfs, "1/ns/net")) != nil {
			return
		}
	}
	if node, err := readNode(); err == nil {
		c.node = node
	}
}

// connect counts the connections of those pods where something happened, as pace
// allows.
func (c *Connections) connect(ctx context.Context, v *visitor, namespaces []*Namespace, now time.Time, failed *failures) error {
	if c.around == nil {
		var pods [][]netip.Prefix
		for _, ns := range namespaces {
			pods = append(pods, c.memories[ns.inode].addresses)
		}
		c.around = newNeighbourhood(c.node, pods, c.Cluster)
	}
	c.pace.pass(now)
	due := slices.DeleteFunc(slices.Clone(namespaces), func(ns *Namespace) bool {
		m := c.memories[ns.inode]
		return !m.queuesKnown || m.due() == notDue
	})
	slices.SortStableFunc(due, func(a, b *Namespace) int {
		m, o := c.memories[a.inode], c.memories[b.inode]
		return cmp.Or(-cmp.Compare(m.due(), o.due()), m.connectionsAt.Compare(o.connectionsAt))
	})
	for _, ns := range due {
		m := c.memories[ns.inode]
		age := now.Sub(m.connectionsAt)
		if !c.pace.allows(age) {
			continue
		}
		began := threadTime()
		err := c.enter(v, ns)
		if err == nil {
			m.connections = connections{}
			err = c.lister.each(ctx, connected, func(s *socket) { m.connections.add(s, c.around.of(s, m.addresses)) })
		}
		c.pace.spend(threadTime()-began, age)
		if ctx.Err() != nil {
			m.connectionsAt, m.connectionsDone = time.Time{}, false
			return fmt.Errorf("not all pods' connections were counted: %w", ctx.Err())
		}
		m.connectionsAt, m.connectionsOf, m.connectionsDone = now, m.counters, err == nil
		failed.add("connections of "+ns.Pod.String(), err)
	}
	return nil
}

// quiet says whether nothing can have changed of accept queues since they were listed:
// nothing was sent or received, and nothing waits that a program could have accepted
// meanwhile. That a program begins to listen can't be seen from counters; it is found
// within a minute, or with the first connection.
func (m *memory) quiet(now time.Time) bool {
	return m.queuesKnown && m.countersKnown && m.counters == m.queuesOf && m.queues.waiting == 0 && now.Sub(m.queuesAt) < countedAtLeast
}

// Whether connections are to be counted anew.
const (
	notDue    = iota
	maybeDue  // something was sent or received, or some were about to end by themselves
	surelyDue // some were opened or have ended
)

func (m *memory) due() int {
	now, then := m.counters, m.connectionsOf
	switch {
	case m.connectionsAt.IsZero() || !m.countersKnown:
		return surelyDue
	case now.opened != then.opened, now.accepted != then.accepted, now.failed != then.failed, now.reset != then.reset,
		now.established != then.established:
		return surelyDue
	case now != then || m.connections.passing():
		return maybeDue
	}
	return notDue
}

// sum adds the namespaces up by pod, in their order, and forgets pods that have gone.
func (c *Connections) sum(namespaces []*Namespace) []*podTCP {
	out := make([]*podTCP, 0, len(namespaces))
	for _, ns := range namespaces {
		p := c.pods[ns.Pod.key()]
		if p == nil {
			p = &podTCP{}
			c.pods[ns.Pod.key()] = p
		}
		if p.round != c.round {
			p.begin(ns.Pod, c.round)
			out = append(out, p)
		}
		p.add(c.memories[ns.inode])
	}
	for key, p := range c.pods {
		if p.round != c.round {
			delete(c.pods, key)
		}
	}
	return out
}
