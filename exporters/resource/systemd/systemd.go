// Package systemd serves what systemd says of its units, under node_exporter's
// names. It asks over D-Bus in the background: systemd answers one question after
// the other, and each unit is several.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"

	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// Options say which units are listed and what is asked of each.
type Options struct {
	Include, Exclude string // regular expressions of whole unit names; both must agree

	Private    bool // ask systemd itself, which needs root, instead of over the bus
	Tasks      bool // ask each service for its processes and threads
	Restarts   bool // ask each service for its restarts
	StartTimes bool // ask each unit for its start
}

// Every is the time between two polls.
const Every = 15 * time.Second

// AddFlags adds flags under node_exporter's names.
func (o *Options) AddFlags(g serve.FlagGroup) {
	g.Flag(flagInclude, "Regular expression of the systemd units to list, which must match the whole name.").
		Default(".+").StringVar(&o.Include)
	g.Flag(flagExclude, "Regular expression of the systemd units not to list, which must match the whole name.").
		Default(`.+\.(automount|device|mount|scope|slice)`).StringVar(&o.Exclude)
	g.Flag("collector.systemd.private", "Ask systemd on its private socket instead of over the system's bus, which needs root.").BoolVar(&o.Private)
	g.Flag("collector.systemd.enable-task-metrics", "Serve the processes and threads of systemd's services.").BoolVar(&o.Tasks)
	g.Flag("collector.systemd.enable-restarts-metrics", "Serve the restarts of systemd's services.").BoolVar(&o.Restarts)
	g.Flag("collector.systemd.enable-start-time-metrics", "Serve when systemd's units became active.").BoolVar(&o.StartTimes)
}

const (
	flagInclude = "collector.systemd.unit-include"
	flagExclude = "collector.systemd.unit-exclude"
)

// Client asks systemd.
type Client struct {
	options          Options
	root             string // where the node's root is mounted
	include, exclude *regexp.Regexp

	types map[string]serviceType // by unit
}

// New returns a client for the systemd of the node whose root is mounted at root. A
// regular expression that does not compile is an error that names the flag.
func New(root string, o Options) (*Client, error) {
	c := &Client{options: o, root: root, types: map[string]serviceType{}}
	var errs []error
	whole := func(flag, expr string) *regexp.Regexp {
		re, err := regexp.Compile("^(?:" + expr + ")$")
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
		}
		return re
	}
	c.include, c.exclude = whole(flagInclude, o.Include), whole(flagExclude, o.Exclude)
	return c, errors.Join(errs...)
}

// Fetch asks for everything that is served. It is called once at a time.
func (c *Client) Fetch(ctx context.Context) (*Snapshot, string, error) {
	conn, at, err := c.connect(ctx)
	if err != nil {
		return nil, "", because(ctx, err)
	}
	defer conn.Close()
	s, err := c.read(ctx, conn)
	if err != nil {
		return nil, "", because(ctx, fmt.Errorf("asking systemd at %s: %w", at, err))
	}
	return s, at, nil
}

// connect goes to the system's bus, else to systemd's own socket, which root may
// use where there is no bus.
func (c *Client) connect(ctx context.Context) (conn *dbus.Conn, at string, err error) {
	if !c.options.Private {
		at = filepath.Join(c.root, "run/dbus/system_bus_socket")
		if conn, err = dbus.NewConnection(func() (*godbus.Conn, error) { return dial(ctx, at, true) }); err == nil {
			return conn, at, nil
		}
	}
	private := filepath.Join(c.root, "run/systemd/private")
	conn, privateErr := dbus.NewConnection(func() (*godbus.Conn, error) { return dial(ctx, private, false) })
	if privateErr == nil {
		return conn, private, nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) && !errors.Is(privateErr, fs.ErrNotExist) {
		err, at = privateErr, private
	}
	return nil, "", fmt.Errorf("connecting to %s: %w", at, err)
}

// dial connects to a D-Bus server; one that is a bus wants to be greeted. Whatever
// it does or doesn't do, it is over when ctx ends.
func dial(ctx context.Context, socket string, bus bool) (*godbus.Conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok {
		if err := raw.SetDeadline(end); err != nil {
			raw.Close()
			return nil, err
		}
	}
	conn, err := godbus.NewConn(raw, godbus.WithContext(ctx))
	if err != nil {
		raw.Close()
		return nil, err
	}
	if err = conn.Auth([]godbus.Auth{godbus.AuthExternal(strconv.Itoa(os.Getuid()))}); err == nil && bus {
		err = conn.Hello()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// because finds out what an error means: D-Bus has names for it, and a connection
// that was given up at the deadline says no more than that it is closed.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	var answer godbus.Error
	if !errors.As(err, &answer) {
		return err
	}
	switch answer.Name {
	case "org.freedesktop.DBus.Error.AccessDenied":
		return source.Because(source.Forbidden, err)
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner", "org.freedesktop.DBus.Error.UnknownObject":
		return source.Because(source.Absent, err)
	case "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.TimedOut":
		return source.Because(source.Timeout, err)
	}
	return err
}
