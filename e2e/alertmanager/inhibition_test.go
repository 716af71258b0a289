package alertmanager

import (
	"fmt"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// muting is a case: an alert that fires, and whether it mutes another.
type muting struct {
	name           string
	source, target Alert
	mutes          bool
}

// without is an alert without some labels.
func without(a Alert, labels ...string) Alert {
	for _, label := range labels {
		delete(a.Labels, label)
	}
	return a
}

// with is an alert with a label.
func with(a Alert, label, value string) Alert {
	a.Labels[label] = value
	return a
}

func mutings() []muting {
	node := func() Alert { return alert("NodeIsGone", "page", "node", "node", "a") }
	service := func() Alert {
		return alert("ServiceHasNoReadyEndpoint", "page", "service", "namespace", "n", "service", "s")
	}
	workload := func(severity string) Alert {
		return alert("WorkloadIsStalled", severity, "workload", "namespace", "n", "workload", "w", "workload_type", "deployment")
	}
	pod := func(severity string) Alert {
		return alert("PodIsOverdue", severity, "pod", "node", "a", "namespace", "n", "workload", "w", "workload_type", "deployment", "pod", "w-1")
	}
	container := func(severity string) Alert {
		return alert("ContainerIsOverdue", severity, "container", "node", "a", "namespace", "n", "workload", "w", "workload_type", "deployment", "pod", "w-1", "container", "c")
	}
	controlPlane := func() Alert { return alert("OrchestratorDoesNotAnswer", "page", "cluster") }
	manyNodes := func() Alert { return alert("ManyNodesAreGone", "page", "cluster") }
	nodeMark := func(level string, pairs ...string) Alert { return mark("NodeOutage", level, "node", pairs...) }
	ofWorkload := []string{"namespace", "n", "workload", "w", "workload_type", "deployment"}
	return []muting{
		{"a node over its pod", node(), pod("page"), true},
		{"a node over its container", node(), container("ticket"), true},
		{"a node over a pod where nothing has a cluster", without(node(), "cluster"), without(pod("page"), "cluster"), true},
		{"a node over a pod of another cluster", node(), with(pod("page"), "cluster", "us"), false},
		{"a node over a pod without a cluster", node(), without(pod("page"), "cluster"), false},
		{"a node over a pod of another node", node(), with(pod("page"), "node", "b"), false},
		{"a node over a pod that has none yet", node(), without(pod("page"), "node"), false},
		{"a node that says no name over a pod that has no node", without(node(), "node"), without(pod("page"), "node"), false},
		{"a ticket of a node over its pod", with(node(), "severity", "ticket"), pod("page"), false},
		{"a node over an event of its pod", node(), pod("event"), false},
		{"a node over an alert of others on it", node(), without(pod("page"), "level"), false},
		{"a node over a workload that it is not known to hit", node(), workload("page"), false},
		{"a mark of a node over its workload", nodeMark("workload", ofWorkload...), workload("page"), true},
		{"a mark of a node over another workload", nodeMark("workload", ofWorkload...), with(workload("page"), "workload", "x"), false},
		{"a mark of a node over a workload of another type", nodeMark("workload", ofWorkload...), with(workload("page"), "workload_type", "job"), false},
		{"a mark of a node without names over a namespace's alert", nodeMark("workload"), without(workload("page"), "namespace", "workload", "workload_type"), false},
		{"a mark of a node over a service that nobody owns", nodeMark("service", "namespace", "n", "service", "s"), service(), true},
		{"a mark of a node over a service that somebody owns", nodeMark("service", "namespace", "n", "service", "s"), with(service(), "owner", "shop"), false},
		{"a mark over a mark", nodeMark("workload", ofWorkload...), mark("ServiceOutage", "workload", "service", ofWorkload...), false},
		{"a service over a workload that is not known to be behind it", service(), workload("page"), false},
		{"a mark of a service over its workload", mark("ServiceOutage", "workload", "service", ofWorkload...), workload("page"), true},
		{"a mark of a service over its workload's container", mark("ServiceOutage", "workload", "service", ofWorkload...), container("ticket"), true},
		{"a workload over its container", workload("page"), container("page"), true},
		{"a workload over another's container", workload("page"), with(container("page"), "workload", "x"), false},
		{"a workload over the container of its namesake", workload("page"), with(container("page"), "namespace", "m"), false},
		{"a workload without a name over a bare pod's container", without(workload("page"), "workload", "workload_type"), without(container("page"), "workload", "workload_type"), false},
		{"a ticket of a workload over its container", workload("ticket"), container("ticket"), false},
		{"a pod over its container", pod("page"), container("page"), true},
		{"a page over a ticket of the same service", service(), with(service(), "severity", "ticket"), true},
		{"a page over a ticket of the same container", container("page"), container("ticket"), true},
		{"a page over a ticket of another container", container("page"), with(container("ticket"), "container", "d"), false},
		{"a page over a page of the same service", service(), with(service(), "alertname", "ServiceIsShort"), false},
		{"a page over a ticket of the same node", node(), with(with(node(), "severity", "ticket"), "alertname", "Clock"), true},
		{"the control plane over a namespace", controlPlane(), alert("Quota", "ticket", "namespace", "namespace", "n"), true},
		{"the control plane over a service of an owner", controlPlane(), with(service(), "owner", "shop"), true},
		{"the control plane over another cluster", controlPlane(), with(service(), "cluster", "us"), false},
		{"the control plane over what others tell", controlPlane(), without(service(), "level"), false},
		{"many nodes over one of them", manyNodes(), node(), true},
		{"many nodes over a node of another cluster", manyNodes(), with(node(), "cluster", "us"), false},
		{"many nodes over a service", manyNodes(), service(), false},
		{"a full cluster over a service", alert("ClusterIsFull", "ticket", "cluster"), service(), false},
		{"maintenance of a namespace over its pod", mark("MaintenanceWindow", "namespace", "maintenance", "namespace", "n"), pod("page"), true},
		{"maintenance of a namespace over its event", mark("MaintenanceWindow", "namespace", "maintenance", "namespace", "n"), pod("event"), true},
		{"maintenance of a namespace over another's pod", mark("MaintenanceWindow", "namespace", "maintenance", "namespace", "m"), pod("page"), false},
		{"maintenance without a name over a cluster's node", mark("MaintenanceWindow", "namespace", "maintenance"), node(), false},
		{"maintenance of a node over itself", mark("MaintenanceWindow", "node", "maintenance", "node", "a"), node(), true},
		{"maintenance of a service over itself, with an owner", mark("MaintenanceWindow", "service", "maintenance", "namespace", "n", "service", "s"), with(service(), "owner", "shop"), true},
		{"maintenance of a cluster over its service", mark("MaintenanceWindow", "cluster", "maintenance"), service(), true},
	}
}

// alone names everything in an alert after its case, so that cases do not meet, and
// marks both sides.
func alone(a Alert, i int, side string) Alert {
	for _, label := range []string{"cluster", "node", "namespace"} {
		if a.Labels[label] != "" {
			a.Labels[label] += fmt.Sprint("-", i)
		}
	}
	a.Labels["case"] = fmt.Sprint(i, side)
	return a
}

func TestAnAlertMutesWhatFollowsFromItAndNothingElse(t *testing.T) {
	s := Start(t, Render(t, "{}"))
	cases := mutings()
	var alerts []Alert
	for i, c := range cases {
		// What has no cluster would meet other cases without one: its names do not.
		alerts = append(alerts, alone(c.source, i, "source"), alone(c.target, i, "target"))
	}
	s.Send(alerts...)
	// The last pair was sent last and is known last.
	s.Send(alert("NodeIsGone", "page", "node", "node", "z"), with(alert("PodIsOverdue", "page", "pod", "node", "z"), "case", "last"))
	var held map[string]Held
	wait.For(t, soon, "all alerts", func() error {
		all, err := s.Alerts()
		if err != nil {
			return err
		}
		held = map[string]Held{}
		for _, a := range all {
			held[a.Labels["case"]] = a
		}
		if len(held["last"].Status.InhibitedBy) == 0 {
			return fmt.Errorf("there are %d", len(all))
		}
		return nil
	})
	for i, c := range cases {
		target, there := held[fmt.Sprint(i, "target")]
		if !there {
			t.Errorf("%s: there is no such alert", c.name)
		} else if mutes := len(target.Status.InhibitedBy) > 0; mutes != c.mutes {
			t.Errorf("%s: mutes: %v, want %v", c.name, mutes, c.mutes)
		}
	}
}
