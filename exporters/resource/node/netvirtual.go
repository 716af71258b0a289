package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// VirtualMode says what becomes of the network devices whose other end is in a
// container.
type VirtualMode string

// The modes. A node with 250 pods has as many such devices, whose series nobody
// looks at one by one: container_network_* has each pod's under its name.
const (
	VirtualSum  VirtualMode = "sum"  // count them and add them up
	VirtualList VirtualMode = "list" // list them as any other, as node_exporter does
	VirtualOff  VirtualMode = "off"  // leave them out
)

// netDevices tells the network devices whose other end is in a container from the
// node's own. It is safe for concurrent use.
//
// What tells them is the kernel's: such a device is virtual, is no part of another
// (a VLAN has a lower_ link), and its iflink is the number of its peer, which is
// not here. In a container or a node that is one, the node's own uplink looks the
// same; it is the one that default routes go through.
type netDevices struct {
	routes string // /proc/net
	dir    string // /sys/class/net

	mu      sync.Mutex
	known   map[netDeviceID]netDeviceFacts
	uplinks map[string]bool // devices with a default route
	asked   time.Time       // when uplinks were read
}

func newNetDevices(proc, sys string) *netDevices {
	return &netDevices{
		routes: filepath.Join(proc, "net"), dir: filepath.Join(sys, "class/net"),
		known: map[netDeviceID]netDeviceFacts{},
	}
}

// netDeviceID is a device for as long as it lives: a name is given again, as
// Calico does to the next pod of a StatefulSet, the inode in sysfs is not.
type netDeviceID struct {
	name  string
	inode uint64 // 0 where sysfs does not know the device
}

// netDeviceFacts are what a device is born with; the rest of its files may change.
type netDeviceFacts struct {
	peering     bool // virtual, not stacked upon another device, of a type that has peers
	index, link int64
}

// virtualNames are the names that runtimes and CNI plugins give to the node's end,
// for when the kernel does not say: sysfs is not that of this network namespace, or
// both ends happen to have the same number.
var virtualNames = regexp.MustCompile(`^(veth|cali|lxc|azv|gke[0-9a-f]|eni[0-9a-f]{11}|tap\d+_kata)`)

// uplinksEvery is how long the default routes are taken to stay when no device
// comes or goes: with many pods there is a route to each.
const uplinksEvery = time.Minute

// netDevicesSeen are the devices at one time.
type netDevicesSeen struct {
	ids     map[string]netDeviceID
	virtual map[netDeviceID]bool
}

// id returns the device of a name.
func (s netDevicesSeen) id(name string) netDeviceID {
	if id, ok := s.ids[name]; ok {
		return id
	}
	return netDeviceID{name: name}
}

// isVirtual says whether a device's other end is in a container.
func (s netDevicesSeen) isVirtual(name string) bool {
	id := s.id(name)
	if id.inode == 0 {
		return virtualNames.MatchString(name)
	}
	return s.virtual[id]
}

// look reads the directory of devices, and the files only of those that are new.
func (n *netDevices) look() (netDevicesSeen, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ids, err := inodes(n.dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return netDevicesSeen{}, err
	}
	known := make(map[netDeviceID]netDeviceFacts, len(ids))
	byIndex := make(map[int64]netDeviceFacts, len(ids))
	changed := len(ids) != len(n.known)
	for _, id := range ids {
		facts, ok := n.known[id]
		if !ok {
			changed = true
			facts = n.facts(id.name)
		}
		known[id], byIndex[facts.index] = facts, facts
	}
	n.known = known
	if changed || time.Since(n.asked) >= uplinksEvery {
		n.uplinks, n.asked = uplinks(n.routes), time.Now()
	}
	seen := netDevicesSeen{ids: ids, virtual: make(map[netDeviceID]bool, len(ids))}
	for id, facts := range known {
		seen.virtual[id] = facts.peering && !n.uplinks[id.name] && facts.peerIsAway(id.name, byIndex)
	}
	return seen, nil
}

// peerIsAway says whether the device has a peer that is not among the devices here.
// Both ends may have the same number, each in its own namespace; then the name says.
func (f netDeviceFacts) peerIsAway(name string, here map[int64]netDeviceFacts) bool {
	if f.link == f.index {
		return virtualNames.MatchString(name)
	}
	peer, ok := here[f.link]
	return f.link != 0 && !(ok && peer.link == f.index)
}

// Types of devices that have a peer (include/uapi/linux/if_arp.h): veth, and
// netkit, which carries no Ethernet header by default. Tunnels, whose iflink is the
// device that they go through, have others.
const (
	arphrdEther = 1
	arphrdNone  = 0xFFFE
)

// facts reads what a device is. A device that is just going reads as no peer.
func (n *netDevices) facts(name string) netDeviceFacts {
	dir := filepath.Join(n.dir, name)
	if _, err := os.Lstat(filepath.Join(dir, "device")); err == nil {
		return netDeviceFacts{index: n.number(name, "ifindex")} // hardware, or a hypervisor's
	}
	f := netDeviceFacts{index: n.number(name, "ifindex"), link: n.number(name, "iflink")}
	kind := n.number(name, "type")
	f.peering = f.index != 0 && (kind == arphrdEther || kind == arphrdNone) && !stacked(dir)
	return f
}

func (n *netDevices) number(device, file string) int64 {
	data, err := os.ReadFile(filepath.Join(n.dir, device, file))
	if err != nil {
		return 0
	}
	v, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		return 0
	}
	return v
}

// stacked says whether a device is a VLAN, macvlan or the like of another one.
func stacked(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "lower_") {
			return true
		}
	}
	return false
}

// checkVirtualMode returns an error for what is no mode.
func checkVirtualMode(m VirtualMode) error {
	switch m {
	case VirtualSum, VirtualList, VirtualOff:
		return nil
	}
	return fmt.Errorf("--%s: %q is none of sum, list, off", flagVirtual, m)
}
