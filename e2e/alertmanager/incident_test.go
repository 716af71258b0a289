package alertmanager

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// soon is how long a message may take that waits a second for what belongs to it.
const soon = 30 * time.Second

// quick has messages go out after a second, by day and night, to a receiver: what
// nobody owns, and what the owner shop is told.
func quick(r *Receiver, further string) string {
	return fmt.Sprintf(`{
	  local to = { page: %s, ticket: self.page, event: self.page },
	  default: to, owners: { shop: to },
	  severities+: { [name]+: { groupWait: '1s', groupInterval: '1s', hours: [] } for name in ['page', 'ticket', 'event'] },
	} + %s`, r.Webhook(), further)
}

// alert is one of a level in the cluster eu, with labels in pairs.
func alert(name, severity, level string, pairs ...string) Alert {
	labels := Labels{"alertname": name, "severity": severity, "level": level, "cluster": "eu"}
	for pair := range slices.Chunk(pairs, 2) {
		labels[pair[0]] = pair[1]
	}
	return Alert{Labels: labels, StartsAt: time.Now()}
}

// mark is an alert of jsonnet/routing/marks.libsonnet.
func mark(name, level, cause string, pairs ...string) Alert {
	a := alert(name, "event", level, pairs...)
	a.Labels["loadline_cause"] = cause
	return a
}

// nodeOutage is what fires when the node a is out that has 30 pods of ten workloads
// behind ten services; the first of each lot says what is wrong.
func nodeOutage() []Alert {
	alerts := []Alert{alert("NodeIsGone", "page", "node", "node", "a")}
	for i := range 10 {
		workload := []string{"namespace", "shop", "workload", fmt.Sprint("web-", i), "workload_type", "deployment"}
		service := []string{"namespace", "shop", "service", fmt.Sprint("web-", i)}
		alerts = append(alerts,
			mark("NodeOutageHitsWorkload", "workload", "node", workload...),
			mark("NodeOutageHitsService", "service", "node", service...),
			alert("WorkloadIsStalled", "page", "workload", workload...),
			alert("WorkloadIsShort", "ticket", "workload", workload...),
			alert("ServiceHasNoReadyEndpoint", "page", "service", service...),
		)
		for j := range 3 {
			pod := append([]string{"node", "a", "pod", fmt.Sprintf("web-%d-%d", i, j)}, workload...)
			alerts = append(alerts,
				alert("PodIsUnknown", "page", "pod", pod...),
				alert("PodIsOverdue", "ticket", "pod", pod...),
				alert("ContainerIsUnknown", "page", "container", append([]string{"container", "app"}, pod...)...),
			)
		}
	}
	return alerts
}

// ended is the same alerts when they have ended.
func ended(alerts []Alert) []Alert {
	now := time.Now()
	var all []Alert
	for _, a := range alerts {
		a.EndsAt = now
		all = append(all, a)
	}
	return all
}

// settle waits until Alertmanager has looked at all that it was sent before: it sends an
// alert of its own, which waits as long as others, and waits for the message. It returns
// the messages that came before, without its own.
func settle(t *testing.T, s *Server, r *Receiver, name string) []Notification {
	t.Helper()
	s.Send(alert(name, "page", "service", "namespace", "settle", "service", name))
	var others []Notification
	wait.For(t, soon, "the message of an alert that nothing mutes", func() error {
		others = nil
		found := false
		for _, n := range r.Notifications() {
			switch names := n.Names(); {
			case slices.Equal(names, []string{name}):
				found = true
			case n.Alerts[0].Labels["namespace"] != "settle":
				others = append(others, n)
			}
		}
		if !found {
			return fmt.Errorf("there are %d others", len(others))
		}
		return nil
	})
	return others
}

// allMuted waits until every alert but those of some names is muted by another.
func allMuted(t *testing.T, s *Server, but ...string) {
	t.Helper()
	wait.For(t, soon, "alerts to be muted", func() error {
		alerts, err := s.Alerts()
		if err != nil {
			return err
		}
		for _, a := range alerts {
			marked := a.Labels["loadline_cause"] != ""
			if !marked && !slices.Contains(but, a.Labels["alertname"]) && len(a.Status.InhibitedBy) == 0 {
				return fmt.Errorf("%v is %s", a.Labels, a.Status.State)
			}
		}
		return nil
	})
}

// came fails the test unless the messages are these: receiver, status and names.
func came(t *testing.T, got []Notification, want ...string) {
	t.Helper()
	var all []string
	for _, n := range got {
		names := slices.Compact(slices.Sorted(slices.Values(n.Names())))
		all = append(all, fmt.Sprint(n.Receiver, " ", n.Status, " ", names))
	}
	slices.Sort(all)
	slices.Sort(want)
	if !slices.Equal(all, want) {
		t.Errorf("there were these messages:\n%v\nwant:\n%v", all, want)
	}
}

func TestANodeOutageWithThirtyPodsIsOneMessage(t *testing.T) {
	r := Receive(t)
	s := Start(t, Render(t, quick(r, "{}")))
	outage := nodeOutage()
	s.Send(outage...)
	allMuted(t, s, "NodeIsGone")
	came(t, settle(t, s, r, "First"), "default-page firing [NodeIsGone]")

	s.Send(ended(outage)...)
	wait.For(t, soon, "the end of the outage", func() error {
		if all := r.Notifications(); !slices.ContainsFunc(all, func(n Notification) bool { return n.Status == "resolved" }) {
			return fmt.Errorf("there are %d messages", len(all))
		}
		return nil
	})
	came(t, settle(t, s, r, "Second"), "default-page firing [NodeIsGone]", "default-page resolved [NodeIsGone]")
}

func TestNodesThatGoTogetherAreOneMessage(t *testing.T) {
	r := Receive(t)
	s := Start(t, Render(t, quick(r, "{}")))
	s.Send(alert("NodeIsGone", "page", "node", "node", "a"), alert("NodeIsGone", "page", "node", "node", "b"), alert("NodeIsGone", "page", "node", "node", "c"))
	came(t, settle(t, s, r, "First"), "default-page firing [NodeIsGone]")
}

func TestWhoeverOwnsAServiceHearsOfItsOutageByANodeThatOthersOwn(t *testing.T) {
	r := Receive(t)
	s := Start(t, Render(t, quick(r, "{}")))
	outage := nodeOutage()
	for _, a := range outage {
		if a.Labels["service"] == "web-3" && a.Labels["loadline_cause"] == "" {
			a.Labels["owner"] = "shop"
		}
	}
	s.Send(outage...)
	came(t, settle(t, s, r, "First"), "default-page firing [NodeIsGone]", "shop-page firing [ServiceHasNoReadyEndpoint]")
}

func TestAServiceOutageIsOneMessageThoughItsWorkloadsComplain(t *testing.T) {
	r := Receive(t)
	s := Start(t, Render(t, quick(r, "{}")))
	alerts := []Alert{
		alert("ServiceHasNoReadyEndpoint", "page", "service", "namespace", "shop", "service", "web", "owner", "shop"),
		alert("ServiceIsShort", "page", "service", "namespace", "shop", "service", "web", "owner", "shop"),
	}
	for _, workload := range []string{"web-blue", "web-green"} {
		of := []string{"namespace", "shop", "workload", workload, "workload_type", "deployment", "owner", "shop"}
		alerts = append(alerts,
			mark("ServiceOutageHitsWorkload", "workload", "service", of[:6]...),
			alert("WorkloadIsStalled", "page", "workload", of...),
			alert("PullsFail", "ticket", "workload", of...),
			alert("ContainerMemoryNearLimit", "ticket", "container", append([]string{"node", "a", "pod", workload + "-1", "container", "app"}, of...)...),
		)
	}
	s.Send(alerts...)
	allMuted(t, s, "ServiceHasNoReadyEndpoint", "ServiceIsShort")
	came(t, settle(t, s, r, "First"), "shop-page firing [ServiceHasNoReadyEndpoint ServiceIsShort]")
}

func TestTheControlPlaneMutesItsWholeClusterAndNoOther(t *testing.T) {
	r := Receive(t)
	s := Start(t, Render(t, quick(r, "{}")))
	us := alert("NodeIsGone", "page", "node", "node", "a")
	us.Labels["cluster"] = "us"
	s.Send(append(nodeOutage(), us, alert("OrchestratorDoesNotAnswer", "page", "cluster"),
		alert("QuotaIsUsedUp", "ticket", "namespace", "namespace", "shop", "owner", "shop"))...)
	wait.For(t, soon, "messages of both clusters", func() error {
		if all := r.Notifications(); len(all) < 2 {
			return fmt.Errorf("there are %d", len(all))
		}
		return nil
	})
	var got []string
	for _, n := range r.Notifications() {
		got = append(got, fmt.Sprint(n.Alerts[0].Labels["cluster"], n.Names()))
	}
	slices.Sort(got)
	if want := []string{"eu[OrchestratorDoesNotAnswer]", "us[NodeIsGone]"}; !slices.Equal(got, want) {
		t.Errorf("messages are %v, want %v", got, want)
	}
	allMuted(t, s, "OrchestratorDoesNotAnswer", "NodeIsGone")
}

func TestEachSeverityGoesToItsOwnerElseToTheDefault(t *testing.T) {
	r := Receive(t)
	s := Start(t, Render(t, quick(r, fmt.Sprintf("{ owners+: { web: { page: %s } } }", r.Webhook()))))
	for _, severity := range []string{"page", "ticket", "event"} {
		for _, owner := range []string{"shop", "web", "unknown", ""} {
			s.Send(alert("Any", severity, "service", "namespace", "n-"+owner, "service", severity, "owner", owner))
		}
	}
	got := map[string][]string{}
	wait.For(t, soon, "twelve alerts", func() error {
		clear(got)
		for _, n := range r.Notifications() {
			for _, a := range n.Alerts {
				got[n.Receiver] = append(got[n.Receiver], a.Labels["owner"])
			}
		}
		alerts := 0
		for receiver, owners := range got {
			slices.Sort(owners)
			got[receiver] = slices.Compact(owners) // a message is sent again when an alert joins
			alerts += len(got[receiver])
		}
		if alerts < 12 {
			return fmt.Errorf("there are %d", alerts)
		}
		return nil
	})
	want := map[string][]string{
		"shop-page": {"shop"}, "shop-ticket": {"shop"}, "shop-event": {"shop"}, "web-page": {"web"},
		"default-page": {"", "unknown"}, "default-ticket": {"", "unknown", "web"}, "default-event": {"", "unknown", "web"},
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("alerts went to %v, want %v", got, want)
	}
}

func TestEventsOfADayAreOneMessageInTheHoursOfTheDigest(t *testing.T) {
	always := `{ weekdays: ['sunday:saturday'] }`
	never := `{ years: ['1999'] }`
	r := Receive(t)
	s := Start(t, Render(t, quick(r, fmt.Sprintf(`{ severities+: { event+: { groupWait: '1s', groupInterval: '1s', hours: [%s] }, ticket+: { groupWait: '1s', groupInterval: '1s', hours: [%s] } } }`, always, never))))
	var events []Alert
	for i := range 5 {
		workload := []string{"namespace", "shop", "workload", fmt.Sprint("web-", i), "workload_type", "deployment"}
		events = append(events, alert("WorkloadWasRolledOut", "event", "workload", workload...), alert("PullsFail", "ticket", "workload", workload...))
	}
	s.Send(append(events, alert("NodeIsGone", "page", "node", "node", "a"))...)
	came(t, settle(t, s, r, "First"), "default-event firing [WorkloadWasRolledOut]", "default-page firing [NodeIsGone]")
}

func TestNothingIsToldInAMaintenanceWindow(t *testing.T) {
	windows := `{ owners+: { web: self.shop, search: { page: {} } }, windows: [
	  { name: 'shop', times: [{ weekdays: ['sunday:saturday'] }], owners: ['shop', 'search'] },
	  { name: 'tickets', times: [{ weekdays: ['sunday:saturday'] }], severities: ['ticket'] },
	  { name: 'past', times: [{ years: ['1999'] }] },
	] }`
	r := Receive(t)
	s := Start(t, Render(t, quick(r, windows)))
	for _, owner := range []string{"shop", "web", ""} {
		for _, severity := range []string{"page", "ticket"} {
			s.Send(
				alert("Service", severity, "service", "namespace", "n", "service", severity+owner, "owner", owner),
				alert("Node"+owner+severity, severity, "node", "node", severity+owner, "owner", owner))
		}
	}
	s.Send(alert("Owner without a receiver of its own", "event", "service", "namespace", "n", "service", "search", "owner", "search"))
	came(t, settle(t, s, r, "First"),
		"web-page firing [Service]", "web-page firing [Nodewebpage]", "default-page firing [Service]", "default-page firing [Nodepage]")
}

func TestANodeWithASilenceStillMutesItsPods(t *testing.T) {
	r := Receive(t)
	s := Start(t, Render(t, quick(r, "{}")))
	out, err := amtool(t, "--alertmanager.url="+s.Address, "silence", "add", "level=~.+", "node=a", "--duration=2h", "--author=me", "--comment=new disk")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.Send(nodeOutage()...)
	came(t, settle(t, s, r, "First"))
}
