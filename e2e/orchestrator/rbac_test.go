//go:build e2e

package orchestrator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/internal/source"
)

// shippedRole is the role that users are told to grant.
func shippedRole(t *testing.T) *rbacv1.ClusterRole {
	t.Helper()
	f, err := os.Open("../../deploy/rbac/orchestrator-exporter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for d := yaml.NewYAMLOrJSONDecoder(f, 4096); ; {
		var role rbacv1.ClusterRole
		err := d.Decode(&role)
		switch {
		case errors.Is(err, io.EOF):
			t.Fatal("there is no ClusterRole")
		case err != nil:
			t.Fatal(err)
		case role.Kind == "ClusterRole":
			return &role
		}
	}
}

// granted are the resources of a role.
func granted(role *rbacv1.ClusterRole) (out []string) {
	for _, r := range role.Rules {
		out = append(out, r.Resources...)
	}
	slices.Sort(out)
	return out
}

// without is a role without a resource, or without a verb of it.
func without(role *rbacv1.ClusterRole, resource, verb string) *rbacv1.ClusterRole {
	out := role.DeepCopy()
	for i := range out.Rules {
		r := &out.Rules[i]
		if !slices.Contains(r.Resources, resource) {
			continue
		}
		r.Resources = slices.DeleteFunc(r.Resources, func(s string) bool { return s == resource })
		if verb != "" {
			out.Rules = append(out.Rules, rbacv1.PolicyRule{
				APIGroups: r.APIGroups, Resources: []string{resource},
				Verbs: slices.DeleteFunc(slices.Clone(r.Verbs), func(s string) bool { return s == verb }),
			})
		}
		break
	}
	out.Rules = slices.DeleteFunc(out.Rules, func(r rbacv1.PolicyRule) bool { return len(r.Resources) == 0 })
	return out
}

// startAs starts the exporter with a role's rights.
func startAs(t *testing.T, p *cluster.ControlPlane, name string, role *rbacv1.ClusterRole, args ...string) *Exporter {
	t.Helper()
	config := p.ServiceAccount(t.Context(), "default", name)
	role.ObjectMeta = metav1.ObjectMeta{Name: name}
	rbac := p.Client.RbacV1()
	if _, err := rbac.ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := rbac.ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: name}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return Start(t, append(args, "--kubeconfig="+p.WriteKubeconfig(name, config), "--docker-host=unix:///loadline-e2e/nothing")...)
}

// engines are sources that are not of the API server.
var engines = []string{"docker", "docker-events", "swarm"}

// sources are the names of the sources of the API server for which a condition holds.
func (e *Exporter) sources(holds func(source.Status) bool) ([]string, error) {
	body, err := e.get("/loadline/v1/sources")
	if err != nil {
		return nil, err
	}
	var all []source.Status
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("%w in %.200s", err, body)
	}
	var out []string
	for _, s := range all {
		if !slices.Contains(engines, s.Name) && holds(s) {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// forbidden waits until exactly these sources are forbidden, and all others available.
func (e *Exporter) forbidden(want ...string) {
	e.t.Helper()
	wait.For(e.t, Limit, fmt.Sprintf("%v alone to be forbidden", want), func() error {
		forbidden, err := e.sources(func(s source.Status) bool { return s.Reason == source.Forbidden })
		if err != nil {
			return err
		}
		others, err := e.sources(func(s source.Status) bool { return s.Reason != source.Forbidden && !s.Available() })
		if err == nil && (!slices.Equal(forbidden, want) || len(others) > 0) {
			err = fmt.Errorf("%v are forbidden, %v not available otherwise", forbidden, others)
		}
		return err
	})
}

func TestTheShippedRoleIsEnoughAndNoMoreThanIsUsed(t *testing.T) {
	p := cluster.StartControlPlane(t)
	role := shippedRole(t)
	for _, r := range role.Rules {
		if !slices.Equal(r.Verbs, []string{"list", "watch"}) {
			t.Errorf("%v may be used by %v: want list and watch alone", r.Resources, r.Verbs)
		}
	}
	if slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
		return slices.ContainsFunc(slices.Concat(r.Resources, r.APIGroups), func(s string) bool { return s == "secrets" || strings.Contains(s, "*") })
	}) {
		t.Error("the role has Secrets, or everything")
	}
	e := startAs(t, p, "whole", role.DeepCopy())
	e.forbidden()
	used, err := e.sources(func(source.Status) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(used, granted(role)) {
		t.Errorf("granted are\n%v\nused are\n%v", granted(role), used)
	}
	for _, resource := range granted(role) {
		t.Run("without "+resource, func(t *testing.T) {
			t.Parallel()
			startAs(t, p, "without-"+resource, without(role, resource, "")).forbidden(resource)
		})
	}
	t.Run("without the right to watch pods", func(t *testing.T) {
		t.Parallel()
		startAs(t, p, "no-watch", without(role, "pods", "watch")).forbidden("pods")
	})
}

func TestTheFamiliesOfLoadlinesOwnNeedTheFirstPartOfTheRole(t *testing.T) {
	p := cluster.StartControlPlane(t)
	role := shippedRole(t)
	e := startAs(t, p, "own", role, "--compat=")
	e.forbidden()
	used, err := e.sources(source.Status.Available)
	if err != nil {
		t.Fatal(err)
	}
	if first := granted(&rbacv1.ClusterRole{Rules: role.Rules[:5]}); !slices.Equal(used, first) {
		t.Errorf("used are\n%v\nthe first part grants\n%v", used, first)
	}
}

func TestTheRightToListIsNeededWhereListsAreNotStreamed(t *testing.T) {
	p := cluster.StartControlPlane(t, cluster.WithAPIServerFlags("--feature-gates=WatchList=false"))
	startAs(t, p, "no-list", without(shippedRole(t), "pods", "list")).forbidden("pods")
}

func TestTheExporterOnlyListsAndWatches(t *testing.T) {
	dir := t.TempDir()
	policy, log := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "audit.log")
	if err := os.WriteFile(policy, []byte("apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := cluster.StartControlPlane(t, cluster.WithAPIServerFlags("--audit-policy-file="+policy, "--audit-log-path="+log))
	startAs(t, p, "audited", shippedRole(t)).forbidden()
	used := map[string]bool{}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var e struct {
			Verb, RequestURI string
			User             struct{ Username string }
			ObjectRef        struct{ Resource string }
		}
		if json.Unmarshal(line, &e) != nil || e.User.Username != "system:serviceaccount:default:audited" {
			continue
		}
		if e.Verb != "list" && e.Verb != "watch" {
			t.Errorf("it has used %s of %s", e.Verb, e.RequestURI)
		}
		used[e.ObjectRef.Resource] = true
	}
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, granted(shippedRole(t))) {
		t.Errorf("it has read\n%v\ngranted are\n%v", got, granted(shippedRole(t)))
	}
}
