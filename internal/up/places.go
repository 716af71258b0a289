package up

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/loadline-exporters/loadline/exporters/resource/containerd"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// Where containerd, Docker and kubeconfigs are found besides their default places.
var (
	containerdPlaces = []string{
		"/run/k3s/containerd/containerd.sock",
		"/var/snap/microk8s/common/run/containerd.sock",
		"/run/k0s/containerd.sock",
		"/run/docker/containerd/containerd.sock", // dockerd's own
	}
	kubeconfigPlaces = []string{
		"/etc/kubernetes/admin.conf",
		"/etc/rancher/k3s/k3s.yaml",
		"/var/lib/k0s/pki/admin.conf",
		"/var/snap/microk8s/current/credentials/client.config",
	}
)

// usualPlaces replaces defaults that are not there by what is at another usual
// place. What was given is left as it is.
func (c *Command) usualPlaces() {
	r := &c.resource
	if r.Containerd == containerd.DefaultAddress && !exists(r.Containerd) {
		r.Containerd = or(firstThere(containerdPlaces), r.Containerd)
	}
	if r.Docker == dockerclient.DefaultHost {
		rootless := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "docker.sock")
		switch {
		// Another scheme (tcp, ssh) means another machine.
		case strings.HasPrefix(os.Getenv("DOCKER_HOST"), "unix://"):
			r.Docker = os.Getenv("DOCKER_HOST")
		case !exists("/var/run/docker.sock") && os.Getenv("XDG_RUNTIME_DIR") != "" && exists(rootless):
			r.Docker = "unix://" + rootless
		}
	}
	if r.Kubeconfig == "" {
		r.Kubeconfig = findKubeconfig()
	}
}

// orchestrated says that there may be somebody to ask what is wanted here: an API
// server, or a Docker engine, which may manage a Swarm.
func (c *Command) orchestrated() bool {
	if c.resource.Kubeconfig != "" || os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return true
	}
	socket, local := strings.CutPrefix(c.resource.Docker, "unix://")
	return !local || exists(socket)
}

// findKubeconfig returns the first usable kubeconfig of the usual places.
func findKubeconfig() string {
	home, err := os.UserHomeDir()
	places := filepath.SplitList(os.Getenv("KUBECONFIG"))
	if err == nil {
		places = append(places, filepath.Join(home, ".kube/config"))
	}
	for _, file := range append(places, kubeconfigPlaces...) {
		if !exists(file) {
			continue
		}
		// One that nobody gave must not keep the program from starting.
		if _, err := clientcmd.BuildConfigFromFlags("", file); err == nil {
			return file
		}
	}
	return ""
}

func firstThere(places []string) string {
	for _, p := range places {
		if exists(p) {
			return p
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// defaultDataDir is where a service, or a user, keeps what it may lose.
func defaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/loadline"
	}
	if state := os.Getenv("XDG_STATE_HOME"); state != "" {
		return filepath.Join(state, "loadline")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "loadline-data"
	}
	return filepath.Join(home, ".local/state/loadline")
}

// patience is how long the announcement waits for sources that do not answer.
const patience = 5 * time.Second

// announce tells what was found, what was not and why, and where to look.
func announce(ctx context.Context, stdout io.Writer, exporters []embedded, address string) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for waiting := true; waiting && !allReady(exporters); {
		select {
		case <-ctx.Done():
			return
		case <-deadline.C:
			waiting = false
		case <-again.C:
		}
	}
	for _, e := range exporters {
		fmt.Fprintf(stdout, "%s-exporter:\n", e.Name)
		for _, s := range e.Statuses() {
			if s.Available() {
				fmt.Fprintf(stdout, "  found      %-16s %s\n", s.Name, s.Detail)
			} else {
				fmt.Fprintf(stdout, "  not found  %-16s %s: %s\n", s.Name, s.Reason, oneLine(s.Detail))
			}
		}
	}
	fmt.Fprintf(stdout, "Open %s\n", address)
}

func allReady(exporters []embedded) bool {
	for _, e := range exporters {
		if !e.Ready() {
			return false
		}
	}
	return true
}

// oneLine bounds a detail that somebody else wrote.
func oneLine(s string) string {
	const most = 160
	r := []rune(s)
	for i, c := range r {
		if c < ' ' {
			r[i] = ' '
		}
	}
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}

// address is what a person on this machine opens.
func (c *Command) address(s *serve.Server) string {
	scheme := "http"
	if *c.web.WebConfigFile != "" {
		scheme = "https" // a web configuration file is usually there for TLS
	}
	all := s.Addresses()
	if len(all) == 0 {
		return scheme + "://" + Address + "/"
	}
	host, port, err := net.SplitHostPort(all[0])
	if err != nil {
		return scheme + "://" + all[0] + "/"
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}
