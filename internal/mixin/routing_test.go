package mixin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
)

func TestAMistakeInRoutingIsNamed(t *testing.T) {
	for _, c := range []struct{ name, change, says string }{
		{"an unknown field", `{ owner: {} }`, "_config.routing.owner is not known; known are controlPlane, default"},
		{"an unknown severity", `{ severities+: { pages: {} } }`, "_config.routing.severities.pages is not known"},
		{"an unknown field of a severity", `{ severities+: { page+: { group_wait: '1s' } } }`, "_config.routing.severities.page.group_wait is not known"},
		{"no duration", `{ severities+: { page+: { groupWait: 30 } } }`, "_config.routing.severities.page.groupWait: 30 is not a duration"},
		{"no time between messages", `{ severities+: { page+: { groupInterval: '0s' } } }`, "_config.routing.severities.page.groupInterval: it is zero"},
		{"told again before others are told", `{ severities+: { ticket+: { repeatInterval: '1m' } } }`, "_config.routing.severities.ticket.repeatInterval: 1m is shorter than groupInterval, 30m"},
		{"hours that are none", `{ severities+: { ticket+: { hours: [{ time: '08:00' }] } } }`, "_config.routing.severities.ticket.hours[0].time is not known"},
		{"another's severity that is an expression", `{ severities+: { page+: { also: ['.*'] } } }`, `_config.routing.severities.page.also: [".*"] is not a list of names`},
		{"no default for a severity", `{ default: { page: {}, ticket: {} } }`, "_config.routing.default.event is missing"},
		{"an unknown kind of receiver", `{ owners: { shop: { page: { pager_duty_configs: [] } } } }`, "_config.routing.owners.shop.page.pager_duty_configs is not known"},
		{"one receiver in place of a list", `{ owners: { shop: { page: { slack_configs: {} } } } }`, "_config.routing.owners.shop.page.slack_configs: {} is not a list of objects"},
		{"an owner with the name of nobody", `{ owners: { default: {} } }`, "_config.routing.owners.default: the name is taken"},
		{"a secret", `{ owners: { shop: { page: { pagerduty_configs: [{ routing_key: 'x' }] } } } }`, "_config.routing.owners.shop.page.pagerduty_configs[0].routing_key: a secret does not stand here: name its file by routing_key_file"},
		{"a secret further down", `{ default+: { page: { webhook_configs: [{ http_config: { basic_auth: { password: 'x' } } }] } } }`, "_config.routing.default.page.webhook_configs[0].http_config.basic_auth.password: a secret"},
		{"a secret that is an address", `{ default+: { page: { slack_configs: [{ api_url: 'https://hooks.example.org/x' }] } } }`, "slack_configs[0].api_url: a secret"},
		{"a secret for all", `{ global: { smtp_auth_password: 'x' } }`, "_config.routing.global.smtp_auth_password: a secret"},
		{"a window without a name", `{ windows: [{ times: [{}] }] }`, "_config.routing.windows[0].name: a name"},
		{"a window without times", `{ windows: [{ name: 'w' }] }`, "_config.routing.windows[0].times: time intervals are missing"},
		{"a window of an unknown owner", `{ windows: [{ name: 'w', times: [{}], owners: ['shop'] }] }`, `_config.routing.windows[0].owners: ["shop"] is not a list of owners`},
		{"a window of an unknown severity", `{ windows: [{ name: 'w', times: [{}], severities: ['critical'] }] }`, `_config.routing.windows[0].severities: ["critical"] is not a list of page, ticket or event`},
		{"two windows of one name", `{ windows: [{ name: 'w', times: [{}] }, { name: 'w', times: [{}] }] }`, "_config.routing.windows: two have one name"},
		{"a control plane that is an expression", `{ controlPlane: ['.*'] }`, `_config.routing.controlPlane: [".*"] is not a list of names of alerts`},
		{"maintenance of what is no level", `{ maintenance: { rack: 'up' } }`, "_config.routing.maintenance.rack is not known"},
		{"maintenance that is no query", `{ maintenance: { node: 1 } }`, "_config.routing.maintenance.node: 1 is not PromQL"},
		{"a link that is none", `{ linkBase: 'loadline.example.org' }`, "_config.routing.linkBase: loadline.example.org is not an address"},
		{"a link that breaks out of a template", "{ linkBase: 'https://a{{`' }", "_config.routing.linkBase: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := vm().EvaluateAnonymousSnippet("test", `((import 'mixin.libsonnet') + { _config+:: { routing+: `+c.change+` } }).alertmanagerConfig`)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v, want %s", err, c.says)
			}
		})
	}
}

// marks are the rules of jsonnet/routing/marks.libsonnet.
func marks(t *testing.T, config string) []rule {
	t.Helper()
	var rules []rule
	evaluate(t, `((import 'mixin.libsonnet') + { _config+:: `+config+` }).alertmanagerMarks.groups[0].rules`, &rules)
	return rules
}

func TestEverySeriesThatMarksNameExists(t *testing.T) {
	known := catalogue(t)
	recorded := map[string]bool{"ALERTS": true}
	for _, g := range allRules(t) {
		for _, r := range g.Rules {
			recorded[r.Record] = true
		}
	}
	for _, r := range marks(t, "{}") {
		for _, s := range selectors(t, r.Expr) {
			if recorded[s.Name] {
				continue
			}
			f, ok := known[s.Name]
			if !ok {
				t.Errorf("%s names %s, which nothing emits", r.Alert, s.Name)
				continue
			}
			for _, m := range s.LabelMatchers {
				if !hasLabel(f, m) {
					t.Errorf("%s matches %s, a label that %s does not have", r.Alert, m, s.Name)
				}
			}
		}
	}
}

// The routing stands on what alerts are like: here are all that the suite has.
func TestAlertsAreAsTheRoutingTakesThemToBe(t *testing.T) {
	var routing struct{ ControlPlane []string }
	evaluate(t, `(import 'mixin.libsonnet')._config.routing`, &routing)
	levels := []string{"cluster", "node", "namespace", "service", "workload", "pod", "container"}
	var reason, consequence time.Duration // the longest and the shortest that one waits
	var controlPlane []string
	for _, r := range allAlerts(t) {
		level, severity := r.Labels["level"], r.Labels["severity"]
		if !slices.Contains(levels, level) {
			t.Errorf("%s has the level %q", r.Alert, level)
		}
		waits := lasts(t, r.For)
		switch {
		case severity == "event":
			if lasts(t, r.KeepFiringFor) < 24*time.Hour {
				t.Errorf("%s is an event that does not last until the next digest: %q", r.Alert, r.KeepFiringFor)
			}
		case severity == "page" && level == "node":
			reason = max(reason, waits)
		case severity == "page" && slices.Contains(levels[3:], level):
			if consequence == 0 || waits < consequence {
				consequence = waits
			}
		case severity == "page" && slices.Contains(routing.ControlPlane, r.Alert) && level == "cluster":
			controlPlane = append(controlPlane, r.Alert)
		case severity != "page" && severity != "ticket":
			t.Errorf("%s has the severity %q", r.Alert, severity)
		}
	}
	if reason == 0 || reason > consequence {
		t.Errorf("a node is told after %v, what follows from it after %v", reason, consequence)
	}
	if !slices.Equal(controlPlane, routing.ControlPlane) {
		t.Errorf("pages of the control plane are %v, want %v", controlPlane, routing.ControlPlane)
	}
}

// allAlerts are those of the whole suite at its defaults.
func allAlerts(t *testing.T) []alertRule {
	t.Helper()
	var rules []alertRule
	evaluate(t, `[r for g in (import 'mixin.libsonnet').prometheusAlerts.groups for r in g.rules if std.objectHas(r, 'alert')]`, &rules)
	return rules
}

// alertRule is an alert with how long it lasts.
type alertRule struct {
	Alert, For    string
	KeepFiringFor string `json:"keep_firing_for"`
	Labels        map[string]string
}

// lasts is how long a duration of Prometheus is, zero without one.
func lasts(t *testing.T, text string) time.Duration {
	t.Helper()
	if text == "" {
		return 0
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		t.Error(err)
	}
	return time.Duration(d)
}

// outage are series of two replicas of the exporter: the deployment web has a pod on the
// node a and one on b, behind a service; the deployment api has one on b.
const outage = `
load 30s
	loadline_pod_info{job="orchestrator", instance="1"CLUSTER, namespace="shop", pod="web-1", workload="web", workload_type="deployment", node="a"} 1x10
	loadline_pod_info{job="orchestrator", instance="2"CLUSTER, namespace="shop", pod="web-1", workload="web", workload_type="deployment", node="a"} 1x10
	loadline_pod_info{job="orchestrator", instance="1"CLUSTER, namespace="shop", pod="web-2", workload="web", workload_type="deployment", node="b"} 1x10
	loadline_pod_info{job="orchestrator", instance="2"CLUSTER, namespace="shop", pod="web-2", workload="web", workload_type="deployment", node="b"} 1x10
	loadline_pod_info{job="orchestrator", instance="1"CLUSTER, namespace="shop", pod="web-3", workload="web", workload_type="deployment", node=""} 1x10
	loadline_pod_info{job="orchestrator", instance="1"CLUSTER, namespace="shop", pod="api-1", workload="api", workload_type="deployment", node="b"} 1x10
	loadline_service_pod{job="orchestrator", instance="1"CLUSTER, namespace="shop", service="web", pod="web-1"} 1x10
	loadline_service_pod{job="orchestrator", instance="2"CLUSTER, namespace="shop", service="web", pod="web-1"} 1x10
	loadline_service_pod{job="orchestrator", instance="1"CLUSTER, namespace="shop", service="web", pod="web-2"} 1x10
	loadline_service_pod{job="orchestrator", instance="1"CLUSTER, namespace="shop", service="all", pod="web-1"} 1x10
	loadline_service_pod{job="orchestrator", instance="1"CLUSTER, namespace="shop", service="all", pod="api-1"} 1x10
	service:workload_known:max{namespace="shop"CLUSTER, service="web", workload="web", workload_type="deployment"} 1x10
	service:workload_known:max{namespace="shop"CLUSTER, service="all", workload="web", workload_type="deployment"} 1x10
	service:workload_known:max{namespace="shop"CLUSTER, service="all", workload="api", workload_type="deployment"} 1x10
	loadline_workload_replicas_desired{job="orchestrator", instance="1"CLUSTER, namespace="shop", workload="web", workload_type="deployment"} 2x10
	loadline_workload_replicas_desired{job="orchestrator", instance="2"CLUSTER, namespace="shop", workload="web", workload_type="deployment"} 2x10
	loadline_workload_replicas_desired{job="orchestrator", instance="1"CLUSTER, namespace="shop", workload="api", workload_type="deployment"} 1x10
`

// missing says how many pods of web are ready and how many endpoints of its service are
// not.
func missing(ready, notReady int) string {
	return fmt.Sprintf(`
	loadline_workload_replicas_ready{job="orchestrator", instance="1"CLUSTER, namespace="shop", workload="web", workload_type="deployment"} %dx10
	loadline_workload_replicas_ready{job="orchestrator", instance="1"CLUSTER, namespace="shop", workload="api", workload_type="deployment"} 1x10
	loadline_service_endpoints{job="orchestrator", instance="1"CLUSTER, namespace="shop", service="web", state="not_ready"} %dx10
`, ready, notReady)
}

func TestMarksSayWhatANodesOrAServicesOutageHits(t *testing.T) {
	node := `
	ALERTS{alertname="NodeIsGone", alertstate="pending", severity="page", level="node"CLUSTER, node="a"} 1x10
`
	service := `
	ALERTS{alertname="ServiceHasNoReadyEndpoint", alertstate="firing", severity="page", level="service"CLUSTER, namespace="shop", service="web"} 1x10
`
	hitWorkload, hitService, behind := "NodeOutageHitsWorkload shop/web", "NodeOutageHitsService shop/web", "ServiceOutageHitsWorkload shop/web"
	for _, c := range []struct {
		name, data string
		want       []string
	}{
		{"nothing is out", missing(1, 1), nil},
		{"a node is out, and what had a pod there misses that", node + missing(1, 1), []string{hitService, hitWorkload}},
		{"a node is out, and more is missing than was there", node + missing(0, 2), nil},
		{"a node is out, and the service alone misses more", node + missing(1, 2), []string{hitWorkload}},
		{"a node has a ticket", strings.Replace(node, "page", "ticket", 1) + missing(1, 1), nil},
		{"a node that somebody owns is out", strings.Replace(node, `level=`, `owner="platform", level=`, 1) + missing(1, 1), []string{hitWorkload}},
		{"another node is out", strings.Replace(node, `"a"`, `"c"`, 1) + missing(1, 1), nil},
		{"a service is out", service + missing(0, 2), []string{behind}},
		{"a service of two workloads is out", strings.Replace(service, `service="web"`, `service="all"`, 1) + missing(0, 2), []string{"ServiceOutageHitsWorkload shop/api", behind}},
		{"a service of the same name is out elsewhere", strings.Replace(service, `"shop"`, `"test"`, 1) + missing(0, 2), nil},
	} {
		for _, cluster := range []string{"", `, cluster="eu"`} {
			t.Run(c.name+cluster, func(t *testing.T) {
				data := strings.ReplaceAll(outage+c.data, "CLUSTER", cluster)
				if got := firing(t, marks(t, "{}"), data); !slices.Equal(got, c.want) {
					t.Errorf("marks are %v, want %v", got, c.want)
				}
			})
		}
	}
}

func TestMaintenanceIsMarked(t *testing.T) {
	rules := marks(t, `{ routing+: { maintenance: { node: 'loadline_orchestrator_node_schedulable == 0' } } }`)
	got := firing(t, rules, `
load 30s
	loadline_orchestrator_node_schedulable{instance="1", node="a"} 0x10
	loadline_orchestrator_node_schedulable{instance="2", node="a"} 0x10
	loadline_orchestrator_node_schedulable{instance="1", node="b"} 1x10
`)
	if want := []string{"MaintenanceWindow a"}; !slices.Equal(got, want) {
		t.Errorf("marks are %v, want %v", got, want)
	}
}

// firing are the alerts of rules on data, with what they are about.
func firing(t *testing.T, rules []rule, data string) []string {
	t.Helper()
	storage := promqltest.LoadedStorage(t, strings.ReplaceAll(data, "\n\n", "\n")) // an empty line ends them
	t.Cleanup(func() { _ = storage.Close() })
	engine := promqltest.NewTestEngine(t, false, time.Minute, 10000)
	var out []string
	for _, r := range rules {
		query, err := engine.NewInstantQuery(context.Background(), storage, nil, r.Expr, time.Unix(120, 0))
		if err != nil {
			t.Fatalf("%s: %v", r.Alert, err)
		}
		result := query.Exec(context.Background())
		if result.Err != nil {
			t.Errorf("%s: %v", r.Alert, result.Err)
			continue
		}
		for _, sample := range result.Value.(promql.Vector) {
			l := sample.Metric
			about := l.Get("node")
			if about == "" {
				about = l.Get("namespace") + "/" + l.Get("service") + l.Get("workload")
			}
			out = append(out, r.Alert+" "+about)
		}
		query.Close()
	}
	slices.Sort(out)
	return out
}
