package systemd

import (
	"cmp"
	"context"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// Snapshot is what systemd said at one time.
type Snapshot struct {
	Version        float64 // 0 when unknown
	VersionText    string
	Virtualization string
	Running        *bool // nil before systemd 212
	States         map[string]int
	Units          []Unit // those that are listed, by name
}

// Unit is one unit. What was not asked, or not answered, is nil.
type Unit struct {
	Name, State, Type string

	Restarts, Tasks, TasksMax      *uint64
	Start, LastTrigger             *uint64 // microseconds since the epoch
	Accepted, Connections, Refused *uint64
}

// states are the states that a unit can be in, as node_exporter lists them.
var states = [...]string{"active", "activating", "deactivating", "inactive", "failed"}

// stateVersion is the version of systemd from which it says whether the system is
// up and when timers elapsed.
const stateVersion = 212

var versionNumber = regexp.MustCompile(`[0-9]{3,}(\.[0-9]+)?`)

func (c *Client) read(ctx context.Context, conn *dbus.Conn) (*Snapshot, error) {
	all, err := conn.ListUnitsContext(ctx)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{States: make(map[string]int, len(states)), Virtualization: "unknown"}
	if text, err := property(conn, "Version"); err == nil {
		if v, err := strconv.ParseFloat(versionNumber.FindString(text), 64); err == nil {
			s.Version, s.VersionText = v, text
		}
	}
	if text, err := property(conn, "Virtualization"); err == nil {
		s.Virtualization = cmp.Or(text, "none")
	}
	if s.Version >= stateVersion {
		text, err := property(conn, "SystemState")
		if err != nil {
			return nil, err
		}
		running := text == "running"
		s.Running = &running
	}
	s.Units = c.list(all, s)
	c.forget(s.Units)
	for i := range s.Units {
		c.ask(ctx, conn, &s.Units[i], s.Version)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return s, nil
}

// property is a property of systemd itself that is a text.
func property(conn *dbus.Conn, name string) (string, error) {
	text, err := conn.GetManagerProperty(name)
	return strings.Trim(text, `"`), err
}

// list counts all units by state and returns those that are to be listed, each once.
func (c *Client) list(all []dbus.UnitStatus, s *Snapshot) []Unit {
	for _, state := range states {
		s.States[state] = 0
	}
	var units []Unit
	for _, u := range all {
		s.States[u.ActiveState]++
		if u.LoadState == "loaded" && c.include.MatchString(u.Name) && !c.exclude.MatchString(u.Name) {
			units = append(units, Unit{Name: u.Name, State: u.ActiveState})
		}
	}
	slices.SortFunc(units, func(a, b Unit) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(units, func(a, b Unit) bool { return a.Name == b.Name })
}

// serviceType is the type of a service or mount, and when it was asked for: it
// changes with the unit's file only, and is one question a unit.
type serviceType struct {
	text  string
	asked time.Time
}

// typesEvery is how long a type is taken to stay.
const typesEvery = 10 * time.Minute

// forget drops the types of units that are gone.
func (c *Client) forget(units []Unit) {
	kept := make(map[string]serviceType, len(units))
	for _, u := range units {
		if t, ok := c.types[u.Name]; ok && time.Since(t.asked) < typesEvery {
			kept[u.Name] = t
		}
	}
	c.types = kept
}

// ask asks for what ListUnits does not say. A unit may be gone meanwhile, and old
// versions of systemd lack some; what is not answered is left out.
func (c *Client) ask(ctx context.Context, conn *dbus.Conn, u *Unit, version float64) {
	number := func(kind, name string) *uint64 {
		p, err := conn.GetUnitTypePropertyContext(ctx, u.Name, kind, name)
		if err != nil {
			return nil
		}
		return count(p.Value)
	}
	kind := strings.TrimPrefix(path.Ext(u.Name), ".")
	switch kind {
	case "service":
		u.Type = c.typeOf(ctx, conn, u.Name, "Service")
		if c.options.Restarts {
			u.Restarts = number("Service", "NRestarts")
		}
		if c.options.Tasks {
			u.Tasks, u.TasksMax = limited(number("Service", "TasksCurrent")), limited(number("Service", "TasksMax"))
		}
	case "mount":
		u.Type = c.typeOf(ctx, conn, u.Name, "Mount")
	case "socket":
		u.Accepted, u.Connections = number("Socket", "NAccepted"), number("Socket", "NConnections")
		u.Refused = number("Socket", "NRefused")
	case "timer":
		if version >= stateVersion {
			u.LastTrigger = number("Timer", "LastTriggerUSec")
		}
	}
	if c.options.StartTimes {
		u.Start = new(uint64)
		if u.State == "active" {
			u.Start = number("Unit", "ActiveEnterTimestamp")
		}
	}
}

func (c *Client) typeOf(ctx context.Context, conn *dbus.Conn, unit, kind string) string {
	if t, ok := c.types[unit]; ok {
		return t.text
	}
	p, err := conn.GetUnitTypePropertyContext(ctx, unit, kind, "Type")
	if err != nil {
		return ""
	}
	text, _ := p.Value.Value().(string)
	c.types[unit] = serviceType{text, time.Now()}
	return text
}

// count is a property that is a number; nil for one that is none.
func count(v godbus.Variant) *uint64 {
	switch n := v.Value().(type) {
	case uint32:
		wide := uint64(n)
		return &wide
	case uint64:
		return &n
	}
	return nil
}

// limited is nil for the number that systemd has for no limit, and for a service
// that is not counted.
func limited(n *uint64) *uint64 {
	if n == nil || *n == math.MaxUint64 {
		return nil
	}
	return n
}
