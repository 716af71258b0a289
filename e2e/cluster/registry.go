package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/loadline-exporters/loadline/e2e/registry"
)

// StartRegistry starts a registry that nodes pull from. Give its images names that
// begin with its address.
func (c *Cluster) StartRegistry() *registry.Registry {
	c.t.Helper()
	r := registry.Start(c.t, c.network.host)
	// containerd takes a registry that is not on loopback for one with TLS, unless
	// it is told.
	hosts := fmt.Sprintf("server = %[1]q\n[host.%[1]q]\n  capabilities = [\"pull\", \"resolve\"]\n", "http://"+r.Address)
	dir := filepath.Join(c.registries, r.Address)
	if err := os.Mkdir(dir, 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hosts.toml"), []byte(hosts), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return r
}
