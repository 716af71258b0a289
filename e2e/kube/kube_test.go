//go:build e2e

// Package kube compares what the orchestrator exporter serves under
// kube-state-metrics' names with what kube-state-metrics itself serves of the same API
// server.
package kube

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/peers"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const limit = time.Minute

// everything is what both programs are asked for, beyond their defaults.
var everything = []string{
	"--resources=" + strings.Join([]string{
		"certificatesigningrequests", "clusterrolebindings", "clusterroles", "configmaps", "cronjobs", "daemonsets", "deployments", "endpoints",
		"endpointslices", "horizontalpodautoscalers", "ingressclasses", "ingresses", "jobs", "leases", "limitranges", "mutatingadmissionpolicies",
		"mutatingadmissionpolicybindings", "mutatingwebhookconfigurations", "namespaces", "networkpolicies", "nodes", "persistentvolumeclaims",
		"persistentvolumes", "poddisruptionbudgets", "pods", "replicasets", "replicationcontrollers", "resourcequotas", "rolebindings", "roles",
		"secrets", "serviceaccounts", "services", "statefulsets", "storageclasses", "validatingadmissionpolicies",
		"validatingadmissionpolicybindings", "validatingwebhookconfigurations", "volumeattachments",
	}, ","),
	"--metric-labels-allowlist=*=[*]", "--metric-annotations-allowlist=*=[*]",
	"--metric-opt-in-list=.*",
}

func TestFamiliesAreThoseOfKubeStateMetrics(t *testing.T) {
	p := cluster.StartControlPlane(t)
	apply(t, p, "testdata/core.yaml")
	apply(t, p, "testdata/groups.yaml")
	apply(t, p, "testdata/custom.yaml")
	config := "--custom-resource-state-config-file=testdata/customresourcestate.yaml"
	for name, flags := range map[string][]string{
		"by default but for secrets":  {"--resources=" + defaultsWithoutSecrets},
		"everything there is":         everything,
		"of some namespaces":          append([]string{"--namespaces=odd,bare"}, everything...),
		"without a namespace":         append([]string{"--namespaces-denylist=odd,kube-system"}, everything...),
		"some families":               append([]string{"--metric-allowlist=kube_pod_.*,kube_node_info"}, everything...),
		"without some families":       append([]string{"--metric-denylist=kube_pod_.*,kube_lease_renew_time"}, everything...),
		"families by parts of names":  append([]string{"--metric-allowlist=pod_status, ^kube_node_(?!status).*,own_"}, everything...),
		"without families by parts":   append([]string{"--metric-denylist=_status,(?<!pod)_created$"}, everything...),
		"some that are opt-in":        {"--resources=pods,persistentvolumes", "--metric-opt-in-list=_nodesel"},
		"the pods of a node":          {"--resources=pods", "--node=node-a"},
		"of some namespaces too":      {"--resources=pods", "--node=node-a", "--namespaces-denylist=kube-system,bare"},
		"the pods of no node":         {"--resources=pods", "--track-unscheduled-pods"},
		"of no node, given one":       {"--resources=pods", "--track-unscheduled-pods", "--node=node-a"},
		"some labels":                 {"--resources=pods,nodes", "--metric-labels-allowlist=pods=[app.kubernetes.io/name,app],nodes=[*]"},
		"with custom resources":       {"--resources=pods", config},
		"custom resources by a group": {config, "--custom-resource-state-only"},
		"some of custom resources":    {"--resources=pods", config, "--metric-denylist=pod,^own_[a-m]"},
	} {
		t.Run(name, func(t *testing.T) {
			theirs := peers.KubeStateMetrics(t, p.Kubeconfig, flags...)
			ours := peers.Orchestrator(t, p.Kubeconfig, flags...)
			text := agree(t, func() (string, string, error) { return both(theirs, ours, (*peers.Program).ScrapeText) })
			agree(t, func() (string, string, error) { return both(theirs, ours, (*peers.Program).ScrapeOpenMetrics) })
			if families := strings.Count(text, "# TYPE "); name == "everything there is" && families < 300 {
				t.Errorf("%d families are compared", families)
			}
		})
	}
}

const defaultsWithoutSecrets = "certificatesigningrequests,configmaps,cronjobs,daemonsets,deployments,endpointslices,horizontalpodautoscalers," +
	"ingresses,jobs,leases,limitranges,mutatingadmissionpolicies,mutatingadmissionpolicybindings,mutatingwebhookconfigurations,namespaces," +
	"networkpolicies,nodes,persistentvolumes,persistentvolumeclaims,poddisruptionbudgets,pods,replicasets,replicationcontrollers," +
	"resourcequotas,services,statefulsets,storageclasses,validatingadmissionpolicies,validatingadmissionpolicybindings," +
	"validatingwebhookconfigurations,volumeattachments"

func TestShardsTogetherServeWhatOneDoes(t *testing.T) {
	p := cluster.StartControlPlane(t)
	apply(t, p, "testdata/core.yaml")
	apply(t, p, "testdata/groups.yaml")
	whole := peers.Orchestrator(t, p.Kubeconfig, everything...)
	var shards []*peers.Program
	for i := range 3 {
		shards = append(shards, peers.Orchestrator(t, p.Kubeconfig, append([]string{fmt.Sprintf("--shard=%d", i), "--total-shards=3"}, everything...)...))
	}
	agree(t, func() (string, string, error) {
		want, err := series(whole)
		if err != nil {
			return "", "", err
		}
		var got []string
		for _, s := range shards {
			part, err := series(s)
			if err != nil {
				return "", "", err
			}
			if len(part) == 0 || len(part) == len(want) {
				return "", "", errors.New("a shard has nothing, or all")
			}
			got = append(got, part...)
		}
		slices.Sort(got)
		return strings.Join(want, "\n"), strings.Join(got, "\n"), nil
	})
}

// series are the series of a program, in order: those under kube-state-metrics' names
// whole, those of its own without values, which are of different times. What an
// exporter says of itself, and of its own watching, is left out.
func series(p *peers.Program) ([]string, error) {
	a, err := p.ScrapeText()
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(a.Body)) {
		switch {
		case strings.HasPrefix(line, "kube_"):
			out = append(out, line)
		case strings.HasPrefix(line, "loadline_") && !ofItself.MatchString(line):
			out = append(out, line[:strings.LastIndexByte(line, ' ')])
		}
	}
	slices.Sort(out)
	return out, nil
}

var ofItself = regexp.MustCompile(`^loadline_(build|source|collector|exporter|watch)_|^loadline_[a-z_]+\{orchestrator="[a-z]+"(,(le|reason|registry)="[^"]*")*\}`)

// both scrapes both and returns their compatible families, in order.
func both(theirs, ours *peers.Program, scrape func(*peers.Program) (peers.Answer, error)) (want, got string, err error) {
	w, err := scrape(theirs)
	if err != nil {
		return "", "", err
	}
	g, err := scrape(ours)
	if err != nil {
		return "", "", err
	}
	if !bytes.Contains(w.Body, []byte("kube_")) && !bytes.Contains(w.Body, []byte("own_")) {
		return "", "", errors.New("kube-state-metrics serves nothing yet")
	}
	return ordered(w.Body), ordered(g.Body), nil
}

// ordered are the families that are kube-state-metrics', by name, with their series in
// order: that of objects is random in both.
func ordered(body []byte) string {
	families := map[string][]string{}
	name := ""
	for _, line := range strings.Split(strings.TrimSuffix(string(body), "\n"), "\n") {
		if help, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, _, _ = strings.Cut(help, " ")
		}
		if compatible.MatchString(name) && line != "# EOF" {
			families[name] = append(families[name], line)
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(families)) {
		lines := families[name]
		slices.Sort(lines[2:])
		out = append(out, lines...)
	}
	return strings.Join(out, "\n")
}

// compatible are the names of families that are kube-state-metrics'.
var compatible = regexp.MustCompile(`^(kube|own)_`)

// agree waits until both are equal, and returns what they are: each may be a moment
// behind the API server.
func agree(t *testing.T, look func() (want, got string, err error)) (want string) {
	t.Helper()
	wait.For(t, limit, "both to serve the same", func() error {
		var got string
		var err error
		want, got, err = look()
		if err != nil || want == got {
			return err
		}
		w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
		for i := range min(len(w), len(g)) {
			if w[i] != g[i] {
				return fmt.Errorf("line %d of %d is\n%.600s\nwant, of %d,\n%.600s", i, len(g), g[i], len(w), w[i])
			}
		}
		return fmt.Errorf("%d lines, want %d", len(g), len(w))
	})
	return want
}

// apply makes the objects of a file, with their status.
func apply(t *testing.T, p *cluster.ControlPlane, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("$LONG", strings.Repeat("lang und länger ", 312), "$CSR", signingRequest(t)).Replace(string(content))
	config := rest.CopyConfig(p.Config)
	config.WarningHandler = rest.NoWarnings{} // some is deprecated, and has families
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(p.Client.Discovery()))
	decoder := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(o); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		wait.For(t, limit, fmt.Sprintf("%s %s to be made", o.GetKind(), o.GetName()), func() error {
			mapping, err := mapper.RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
			if err != nil {
				mapper.Reset() // its definition may have been made just now
				return err
			}
			err = create(t.Context(), client, mapping.Resource, o)
			if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) {
				t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
				return nil
			}
			return err
		})
	}
}

func create(ctx context.Context, client dynamic.Interface, r schema.GroupVersionResource, o *unstructured.Unstructured) error {
	in := client.Resource(r).Namespace(o.GetNamespace())
	made, err := in.Create(ctx, o, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if status, ok := o.Object["status"]; ok {
		made.Object["status"] = status
		_, err = in.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	}
	return err
}

// signingRequest is a request for a certificate, as an object has it.
func signingRequest(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "x"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}
