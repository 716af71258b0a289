package up

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kingpin/v2"
)

func TestTheOrchestratorExporterRunsWhereSomebodyCanBeAsked(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	socket := filepath.Join(t.TempDir(), "docker.sock")
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		kubeconfig, docker, cluster string
		want                        bool
	}{
		"nobody":               {"", "unix://" + socket + ".none", "", false},
		"Docker":               {"", "unix://" + socket, "", true},
		"Docker elsewhere":     {"", "tcp://127.0.0.1:2375", "", true},
		"a kubeconfig":         {"kubeconfig", "unix://" + socket + ".none", "", true},
		"the cluster around":   {"", "unix://" + socket + ".none", "10.96.0.1", true},
		"a kubeconfig, Docker": {"kubeconfig", "unix://" + socket, "", true},
	} {
		t.Setenv("KUBERNETES_SERVICE_HOST", test.cluster)
		var c Command
		c.resource.Kubeconfig, c.resource.Docker = test.kubeconfig, test.docker
		if got := c.orchestrated(); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAFlagOfTwoExportersIsThereOnceAndKeepsItsDefault(t *testing.T) {
	app := kingpin.New("test", "")
	command := app.Command("up", "")
	var first, second, other string
	command.Flag("where", "").Default("a").StringVar(&first)
	further := besides{command, kingpin.New("", "")}
	further.Flag("where", "").Default("b").StringVar(&second)
	further.Flag("other", "").StringVar(&other)
	if _, err := further.hidden.Parse(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Parse([]string{"up", "--where=x", "--other=y"}); err != nil {
		t.Fatal(err)
	}
	if first != "x" || second != "b" || other != "y" {
		t.Errorf("got %q, %q, %q", first, second, other)
	}
}
