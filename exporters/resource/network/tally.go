package network

import (
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// state is a state of a connection as it is served.
type state uint8

const (
	established state = iota
	synSent
	synRecv
	finWait
	timeWait
	closeWait
	lastAck
	closing
	states
)

// stateNames are the values of the label state.
var stateNames = [states]string{
	"established", "syn_sent", "syn_recv", "fin_wait", "time_wait", "close_wait", "last_ack", "closing",
}

// stateOf tells how a state of the kernel is served; ok is false for one that is no
// connection's.
func stateOf(kernel uint8) (s state, ok bool) {
	switch kernel {
	case stateEstablished:
		return established, true
	case stateSynSent:
		return synSent, true
	case stateSynRecv, stateNewSynRecv:
		return synRecv, true
	case stateFinWait1, stateFinWait2:
		return finWait, true
	case stateTimeWait:
		return timeWait, true
	case stateCloseWait:
		return closeWait, true
	case stateLastAck:
		return lastAck, true
	case stateClosing:
		return closing, true
	}
	return 0, false
}

// connections are numbers of connections.
type connections [states][peers]int

func (c *connections) add(s *socket, p peer) {
	if state, ok := stateOf(s.state); ok {
		c[state][p]++
	}
}

// passing says whether there are some that the kernel ends after a time.
func (c *connections) passing() bool {
	for s := range c {
		if state(s) != established && state(s) != closeWait && c[s] != [peers]int{} {
			return true
		}
	}
	return false
}

// queues are the accept queues of listening sockets.
type queues struct {
	sockets int
	// Of the fullest.
	waiting, limit uint32
}

func (q *queues) add(s *socket) {
	if s.state == stateListen {
		q.merge(queues{1, s.queue, s.limit})
	}
}

func (q *queues) merge(o queues) {
	if o.sockets == 0 {
		return
	}
	if q.sockets == 0 || fuller(o, *q) {
		q.waiting, q.limit = o.waiting, o.limit
	}
	q.sockets += o.sockets
}

// fuller compares by the share that waits. The kernel lets in one more than the limit
// (sk_acceptq_is_full of net/sock.h).
func fuller(a, b queues) bool {
	x, y := uint64(a.waiting)*(uint64(b.limit)+1), uint64(b.waiting)*(uint64(a.limit)+1)
	return x > y || x == y && a.waiting == 0 && a.limit < b.limit
}

// podTCP is what is served of a pod.
type podTCP struct {
	pod    Pod
	labels family.Block // metrics.PodLabels
	round  uint64
	seen   [states][peers]bool

	counters         counters
	countersKnown    bool
	queues           queues
	queuesKnown      bool
	connections      connections
	connectionsKnown bool
}

// begin makes ready for a round's sums.
func (p *podTCP) begin(pod Pod, round uint64) {
	if p.pod != pod {
		p.pod = pod
		p.labels = family.NewBlock(metrics.PodLabels, []string{pod.Namespace, pod.Name, pod.Workload.Name, pod.Workload.Type})
	}
	*p = podTCP{pod: p.pod, labels: p.labels, seen: p.seen, round: round}
}

// add adds a namespace of the pod.
func (p *podTCP) add(m *memory) {
	if m.countersKnown {
		p.counters.add(&m.counters)
		p.countersKnown = true
	}
	if m.queuesKnown {
		p.queues.merge(m.queues)
		p.queuesKnown = true
	}
	if !m.queuesKnown || !m.connectionsDone {
		return
	}
	p.connectionsKnown = true
	for s := range m.connections {
		for i, n := range m.connections[s] {
			p.connections[s][i] += n
			p.seen[s][i] = p.seen[s][i] || n > 0
		}
	}
}

func (c *counters) add(o *counters) {
	c.opened += o.opened
	c.accepted += o.accepted
	c.failed += o.failed
	c.reset += o.reset
	c.established += o.established
	c.received += o.received
	c.sent += o.sent
	c.retransmitted += o.retransmitted
	c.sentReset += o.sentReset
	c.overflows += o.overflows
	c.drops += o.drops
}

// connectionEmitter holds the places of the families.
type connectionEmitter struct {
	connections, listen, waiting, limit                   *family.Series
	overflows, drops, sent, retransmitted, opened, failed *family.Series
	reset, sentReset                                      *family.Series
}

func newConnectionEmitter(w *family.Writer) *connectionEmitter {
	return &connectionEmitter{
		connections: w.Series(metrics.PodTCPConnections), listen: w.Series(metrics.PodTCPListenSockets),
		waiting: w.Series(metrics.PodTCPAcceptQueueConnections), limit: w.Series(metrics.PodTCPAcceptQueueLimit),
		overflows: w.Series(metrics.PodTCPAcceptQueueOverflows), drops: w.Series(metrics.PodTCPListenDrops),
		sent: w.Series(metrics.PodTCPSegmentsSent), retransmitted: w.Series(metrics.PodTCPSegmentsRetransmitted),
		opened: w.Series(metrics.PodTCPConnectionsOpened), failed: w.Series(metrics.PodTCPConnectionsFailed),
		reset: w.Series(metrics.PodTCPConnectionsReset), sentReset: w.Series(metrics.PodTCPResetsSent),
	}
}

func (e *connectionEmitter) emit(p *podTCP) {
	l := p.labels
	if p.connectionsKnown {
		for s, byPeer := range p.connections {
			for i, n := range byPeer {
				// Established ones are always there, others once there was one: a
				// series that goes at 0 and comes back is awkward in rules.
				if state(s) == established || p.seen[s][i] {
					e.connections.AddBlock(l, float64(n), stateNames[s], peerNames[i])
				}
			}
		}
	}
	if p.queuesKnown {
		e.listen.AddBlock(l, float64(p.queues.sockets))
		if p.queues.sockets > 0 {
			e.waiting.AddBlock(l, float64(p.queues.waiting))
			e.limit.AddBlock(l, float64(p.queues.limit))
		}
	}
	if p.countersKnown {
		e.overflows.AddBlock(l, float64(p.counters.overflows))
		e.drops.AddBlock(l, float64(p.counters.drops))
		e.sent.AddBlock(l, float64(p.counters.sent))
		e.retransmitted.AddBlock(l, float64(p.counters.retransmitted))
		e.opened.AddBlock(l, float64(p.counters.opened), "outgoing")
		e.opened.AddBlock(l, float64(p.counters.accepted), "incoming")
		e.failed.AddBlock(l, float64(p.counters.failed))
		e.reset.AddBlock(l, float64(p.counters.reset))
		e.sentReset.AddBlock(l, float64(p.counters.sentReset))
	}
}
