// Command cadvisor serves what cAdvisor's library collects, as the library is
// published: its manager, with the sets of metrics and the housekeeping that the
// flags say, and its Prometheus collectors with their default labels.
//
// It stands in for cAdvisor's program, whose main package is not in the module
// proxy, and for the kubelet's /metrics/cadvisor, which is the same library.
// Without flags the housekeeping is that of the program; the kubelet's is
//
//	-housekeeping_interval=10s -max_housekeeping_interval=15s
//
// Once it serves it prints its address.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/cadvisor/lib/cache/memory"
	"github.com/google/cadvisor/lib/container"
	"github.com/google/cadvisor/lib/container/containerd"
	"github.com/google/cadvisor/lib/container/systemd"
	"github.com/google/cadvisor/lib/manager"
	"github.com/google/cadvisor/lib/metrics"
	info "github.com/google/cadvisor/lib/model"
	"github.com/google/cadvisor/lib/utils/sysfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/utils/clock"
)

// kept is for how long samples are kept, as the program and the kubelet have it.
const kept = 2 * time.Minute

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "cadvisor:", err)
		os.Exit(1)
	}
}

func run() error {
	sets := container.MetricSet{}
	flag.Var(&sets, "sets", "the library's sets of metrics, separated by commas")
	fresh := flag.Bool("fresh", false, "read the containers at each scrape, not only by housekeeping")
	groups := flag.String("groups", "", "prefixes, separated by commas, of the control groups to serve that are no containers; all by default")
	flag.Parse()

	for name, plugin := range map[string]container.Plugin{"containerd": containerd.NewPlugin(), "systemd": systemd.NewPlugin()} {
		if err := container.RegisterPlugin(name, plugin); err != nil {
			return fmt.Errorf("register the plugin %s: %w", name, err)
		}
	}
	m, err := manager.New(memory.New(kept, nil), sysfs.NewRealSysFs(), manager.HousekeepingConfigFlags, sets, strings.Split(*groups, ","), nil, "", 0)
	if err != nil {
		return fmt.Errorf("make the manager: %w", err)
	}
	if err := m.Start(); err != nil {
		return fmt.Errorf("start the manager: %w", err)
	}
	registry := prometheus.NewRegistry()
	options := info.RequestOptions{IdType: info.TypeName, Count: 1, Recursive: true}
	if *fresh {
		options.MaxAge = new(time.Duration)
	}
	registry.MustRegister(
		metrics.NewPrometheusCollector(m, metrics.DefaultContainerLabels, sets, clock.RealClock{}, options),
		metrics.NewPrometheusMachineCollector(m, sets),
	)
	return serve(promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
}

// serve answers on a free port of loopback until the program is told to stop.
func serve(handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", handler)
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(listener, mux) }()
	fmt.Println(listener.Addr())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-failed:
		return err
	case <-stop:
		return nil // the manager has nothing to flush
	}
}
