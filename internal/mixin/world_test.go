package mixin

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
)

// labelSet are a series' labels by name, without the family's.
type labelSet map[string]string

// with is the set and others, which win.
func (l labelSet) with(others labelSet) labelSet {
	out := make(labelSet, len(l)+len(others))
	maps.Copy(out, l)
	maps.Copy(out, others)
	return out
}

// place is a container of a made-up cluster.
type place struct {
	node, namespace, workload, workloadType, pod, container string
	services                                                []string
	// phase is that of its pod.
	phase string
}

func (p place) ofWorkload() labelSet {
	return labelSet{"namespace": p.namespace, "workload": p.workload, "workload_type": p.workloadType}
}

func (p place) ofPod() labelSet { return p.ofWorkload().with(labelSet{"pod": p.pod}) }

func (p place) ofContainer() labelSet {
	return p.ofPod().with(labelSet{"container": p.container, "id": p.id()})
}

// id is the control group.
func (p place) id() string { return fmt.Sprintf("/pods/%s/%s/%s", p.namespace, p.pod, p.container) }

// smallWorld has what makes a difference: two nodes, a service before two workloads,
// a pod in two services and pods in none, an init and an ephemeral container, equal
// names in two namespaces, a Swarm's service, a plain container.
func smallWorld() []place {
	return []place{
		{"n1", "shop", "web", "deployment", "web-1", "app", []string{"web", "all"}, "running"},
		{"n1", "shop", "web", "deployment", "web-1", "proxy", []string{"web", "all"}, "running"},
		{"n2", "shop", "web", "deployment", "web-2", "app", []string{"web", "all"}, "running"},
		{"n2", "shop", "web", "deployment", "web-2", "debugger-x", []string{"web", "all"}, "running"},
		{"n2", "shop", "web", "deployment", "web-3", "migrate", nil, "pending"},
		{"n1", "shop", "queue", "statefulset", "queue-0", "app", []string{"all"}, "running"},
		{"n1", "other", "web", "deployment", "web-1", "app", []string{"web"}, "running"},
		{"n2", "kube-system", "proxy", "daemonset", "proxy-a", "proxy", nil, "running"},
		{"n1", "stack", "api", "service", "api.1", "api", []string{"api"}, "running"},
		{"n1", "default", "lonely", "container", "lonely", "lonely", nil, "running"},
	}
}

// largeWorld has as many pods, ten of a workload with a service each, on a node for a
// hundred.
func largeWorld(pods int) (out []place) {
	for i := range pods {
		w := i / 10
		out = append(out, place{
			fmt.Sprintf("node-%d", i%max(pods/100, 1)), fmt.Sprintf("namespace-%d", w%50), fmt.Sprintf("workload-%d", w), "deployment",
			fmt.Sprintf("workload-%d-%d", w, i%10), "app", []string{fmt.Sprintf("service-%d", w)}, "running",
		})
	}
	return out
}

// series is one that an exporter serves.
type series struct {
	family  string
	labels  labelSet
	counter bool
	// value is that of a gauge, and a counter's rise in a second.
	value float64
	// foreign is one that no rule may read: of another source, or of something else.
	foreign bool
}

// builder makes the series of a world, each with a value of its own.
type builder struct{ out []series }

func (b *builder) add(counter bool, labels labelSet, families ...string) {
	for _, family := range families {
		b.out = append(b.out, series{family: family, labels: labels, counter: counter, value: valueOf(family, labels)})
	}
}

// valueOf is a number from 1 to 97 that depends on the series alone.
func valueOf(family string, labels labelSet) float64 {
	h := fnv.New32a()
	fmt.Fprint(h, family, labels) // maps are printed in order
	return float64(1 + h.Sum32()%97)
}

// distinct calls f for each value of key once.
func distinct(places []place, key func(place) string, f func(place)) {
	seen := map[string]bool{}
	for _, p := range places {
		if k := key(p); !seen[k] {
			seen[k] = true
			f(p)
		}
	}
}

const (
	gauge   = false
	counter = true
)

// resourceSeries are what the resource exporters say.
func resourceSeries(places []place) []series {
	b := &builder{}
	at := func(p place, l labelSet) labelSet { return l.with(labelSet{"job": "resource", "node": p.node}) }
	for _, p := range places {
		l := at(p, p.ofContainer())
		b.add(counter, l.with(labelSet{"cpu": "total"}), "container_cpu_usage_seconds_total")
		b.add(counter, l, "container_cpu_cfs_periods_total", "container_cpu_cfs_throttled_periods_total",
			"container_pressure_cpu_waiting_seconds_total", "container_pressure_memory_waiting_seconds_total", "container_pressure_io_waiting_seconds_total")
		b.add(gauge, l, "container_memory_working_set_bytes", "container_memory_rss", "container_memory_cache", "container_threads", "container_threads_max")
		for _, resource := range []string{"cpu", "memory"} {
			b.add(gauge, l.with(labelSet{"resource": resource}), "loadline_container_resource_requests", "loadline_container_resource_limits")
		}
		for _, device := range []string{"sda", "sdb"} {
			b.add(counter, l.with(labelSet{"device": device}), "container_fs_reads_bytes_total", "container_fs_writes_bytes_total")
		}
	}
	distinct(places, func(p place) string { return p.namespace + "/" + p.pod }, func(p place) {
		l := at(p, p.ofPod())
		for _, device := range []string{"eth0", "eth1"} {
			b.add(counter, l.with(labelSet{"id": "/pods/" + p.pod, "container": "POD", "interface": device}),
				"container_network_receive_bytes_total", "container_network_transmit_bytes_total",
				"container_network_receive_packets_dropped_total", "container_network_transmit_packets_dropped_total")
		}
		b.add(counter, l, "loadline_pod_tcp_segments_sent_total", "loadline_pod_tcp_segments_retransmitted_total", "loadline_pod_tcp_accept_queue_overflows_total")
		b.add(gauge, l, "loadline_pod_ephemeral_storage_bytes")
		for _, peer := range []string{"pod", "outside"} {
			b.add(gauge, l.with(labelSet{"state": "established", "peer": peer}), "loadline_pod_tcp_connections")
		}
	})
	distinct(places, func(p place) string { return p.namespace }, func(p place) {
		claim := at(p, labelSet{"namespace": p.namespace, "persistentvolumeclaim": "data"})
		b.add(gauge, claim, "kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes")
	})
	distinct(places, func(p place) string { return p.node + p.namespace + "/" + p.workload + "/" + p.container }, func(p place) {
		l := at(p, p.ofWorkload().with(labelSet{"container": p.container}))
		b.add(counter, l, "loadline_workload_container_starts_total")
		b.add(counter, l.with(labelSet{"scope": "container", "victim": "init"}), "loadline_workload_oom_kills_total")
		b.add(counter, l.with(labelSet{"scope": "node", "victim": "child"}), "loadline_workload_oom_kills_total")
	})
	distinct(places, func(p place) string { return p.node }, func(p place) { b.node(at(p, nil)) })
	return append(b.out, decoys(places[0])...)
}

// node adds what is said of a machine.
func (b *builder) node(l labelSet) {
	for _, cpu := range []string{"0", "1"} {
		for _, mode := range []string{"idle", "user", "system", "iowait"} {
			b.add(counter, l.with(labelSet{"cpu": cpu, "mode": mode}), "node_cpu_seconds_total")
		}
	}
	b.add(counter, l, "node_pressure_cpu_waiting_seconds_total", "node_pressure_memory_waiting_seconds_total", "node_pressure_io_waiting_seconds_total")
	b.add(gauge, l, "node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes")
	for _, device := range []string{"eth0", "eth1", "lo"} {
		b.add(counter, l.with(labelSet{"device": device}), "node_network_receive_bytes_total", "node_network_transmit_bytes_total")
	}
	for _, device := range []string{"sda", "sdb"} {
		b.add(counter, l.with(labelSet{"device": device}), "node_disk_read_bytes_total", "node_disk_written_bytes_total")
		mount := labelSet{"device": device, "mountpoint": "/" + device, "fstype": "ext4"}
		b.add(gauge, l.with(mount), "node_filesystem_avail_bytes", "node_filesystem_size_bytes", "node_filesystem_files_free", "node_filesystem_files")
	}
	b.self(l)
	for _, resource := range []string{"cpu", "memory"} {
		b.add(gauge, l.with(labelSet{"resource": resource}), "loadline_node_resource_requested", "loadline_node_resource_limits", "loadline_node_resource_allocatable")
	}
}

// self adds what an exporter and Prometheus say of the exporter.
func (b *builder) self(target labelSet) {
	b.add(gauge, target, "up", "scrape_duration_seconds", "scrape_samples_scraped", "loadline_exporter_series")
	b.add(gauge, target.with(labelSet{"reason": "budget"}), "loadline_exporter_series_dropped")
	for _, collector := range []string{"cpu", "container"} {
		b.add(gauge, target.with(labelSet{"collector": collector}), "loadline_collector_success", "loadline_collector_duration_seconds")
	}
	b.add(gauge, target.with(labelSet{"source": "kubelet", "reason": ""}), "loadline_source_available")
	b.out = append(b.out, series{family: "loadline_source_available", labels: target.with(labelSet{"source": "docker", "reason": "absent"})})
}

// decoys are series of the same families that say something else: a pod's sandbox, the
// groups around containers, a service of systemd's, and what others say of the same.
func decoys(p place) (out []series) {
	l := p.ofContainer().with(labelSet{"job": "resource", "node": p.node})
	for _, decoy := range []labelSet{
		{"container": "POD", "id": "/pods/sandbox"}, {"container": "", "id": "/pods/group"}, {"pod": "", "container": "", "namespace": "", "id": "/system.slice/ssh.service"},
		{"job": "kubelet"},
	} {
		for _, family := range []string{"container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "container_fs_reads_bytes_total"} {
			out = append(out, series{family: family, labels: l.with(decoy), value: 1e9, foreign: true})
		}
	}
	tmpfs := labelSet{"job": "resource", "node": p.node, "device": "tmpfs", "mountpoint": "/run", "fstype": "tmpfs"}
	return append(out, series{family: "node_filesystem_avail_bytes", labels: tmpfs, value: 1, foreign: true},
		series{family: "node_filesystem_size_bytes", labels: tmpfs, value: 1e9, foreign: true})
}

// orchestratorSeries are what the orchestrator exporter says.
func orchestratorSeries(places []place) []series {
	b := &builder{}
	own := labelSet{"job": "orchestrator", "orchestrator": "kubernetes"}
	distinct(places, func(p place) string { return p.namespace + "/" + p.workload }, func(p place) { b.workload(p, p.ofWorkload().with(own)) })
	distinct(places, func(p place) string { return p.namespace + "/" + p.pod }, func(p place) {
		l := p.ofPod().with(own)
		b.out = append(b.out, series{family: "loadline_pod_info", labels: l.with(labelSet{"node": p.node, "qos": "burstable", "host_network": "false"}), value: 1},
			series{family: "loadline_pod_phase", labels: l.with(labelSet{"phase": p.phase}), value: 1})
		if p.phase == "pending" {
			b.add(gauge, l.with(labelSet{"phase": p.phase}), "loadline_pod_overdue_seconds")
			waiting := l.with(labelSet{"container": p.container, "reason": "crash_back_off"})
			b.out = append(b.out, series{family: "loadline_container_waiting", labels: waiting, value: 1})
		}
		b.container(l.with(labelSet{"container": p.container}))
		for _, service := range p.services {
			link := labelSet{"namespace": p.namespace, "service": service, "pod": p.pod}
			b.out = append(b.out, series{family: "loadline_service_pod", labels: link.with(own), value: 1})
		}
	})
	services := map[string]bool{}
	for _, p := range places {
		for _, service := range p.services {
			if key := p.namespace + "/" + service; !services[key] {
				services[key] = true
				for _, state := range []string{"ready", "not_ready", "terminating"} {
					b.add(gauge, own.with(labelSet{"namespace": p.namespace, "service": service, "state": state}), "loadline_service_endpoints")
				}
			}
		}
	}
	distinct(places, func(p place) string { return p.node }, func(p place) {
		b.add(gauge, own.with(labelSet{"node": p.node}), "loadline_orchestrator_node_ready", "loadline_orchestrator_node_schedulable")
		b.out = append(b.out, series{family: "loadline_orchestrator_node_condition", labels: own.with(labelSet{"node": p.node, "condition": "DiskPressure"})})
	})
	distinct(places, func(p place) string { return p.namespace }, func(p place) {
		owner := own.with(labelSet{"namespace": p.namespace, "owner": "owner-of-" + p.namespace})
		b.out = append(b.out, series{family: "loadline_namespace_owner", labels: owner, value: 1})
		for _, kind := range []string{"used", "hard"} {
			quota := labelSet{"job": "orchestrator", "namespace": p.namespace, "resourcequota": "all", "resource": "pods", "type": kind}
			b.add(gauge, quota, "kube_resourcequota")
		}
		for _, phase := range []string{"Bound", "Pending", "Lost"} {
			claim := labelSet{"job": "orchestrator", "namespace": p.namespace, "persistentvolumeclaim": "data", "phase": phase}
			b.add(gauge, claim, "kube_persistentvolumeclaim_status_phase")
		}
	})
	b.self(own)
	b.add(counter, own.with(labelSet{"resource": "pods"}), "loadline_watch_lists_total")
	b.histogram("loadline_image_pull_duration_seconds", own.with(labelSet{"registry": "registry.example"}))
	return b.out
}

// workload adds what is said of a workload.
func (b *builder) workload(p place, l labelSet) {
	for _, state := range []string{"desired", "ready", "available", "updated", "schedulable"} {
		b.add(gauge, l, "loadline_workload_replicas_"+state)
	}
	for _, container := range []string{"app", "proxy"} {
		b.add(counter, l.with(labelSet{"container": container}), "loadline_workload_restarts_total")
		b.add(counter, l.with(labelSet{"container": container, "reason": "error"}), "loadline_workload_terminations_total")
		b.add(counter, l.with(labelSet{"container": container, "reason": "oom_killed"}), "loadline_workload_terminations_total")
	}
	b.add(counter, l.with(labelSet{"pod": p.workload + ".1", "reason": "rejected"}), "loadline_workload_pod_failures_total")
	b.add(counter, l.with(labelSet{"pod": p.workload + ".2", "reason": "rejected"}), "loadline_workload_pod_failures_total")
	for _, result := range []string{"completed", "failed", "rolled_back"} {
		b.add(counter, l.with(labelSet{"result": result}), "loadline_workload_rollouts_total")
	}
	b.add(counter, l.with(labelSet{"result": "complete"}), "loadline_workload_job_runs_total")
	for _, class := range []string{"pull_succeeded", "container_started", "scheduled", "unhealthy_readiness", "killed_by_probe", "pull_failed_not_found", "pod_create_failed_quota"} {
		b.add(counter, l.with(labelSet{"class": class, "type": "normal"}), "loadline_events_total")
	}
	state := cmp.Or(map[string]string{"queue": "progressing", "api": "stalled"}[p.workload], "complete")
	b.out = append(b.out, series{family: "loadline_workload_rollout_state", labels: l.with(labelSet{"state": state}), value: 1})
	b.add(gauge, l, "loadline_workload_rollout_start_timestamp_seconds", "loadline_cronjob_missed_schedules")
	b.add(gauge, l.with(labelSet{"autoscaler": p.workload}), "loadline_autoscaler_replicas_desired", "loadline_autoscaler_replicas_max")
	if p.workload != "queue" { // which nobody owns
		b.out = append(b.out, series{family: "loadline_workload_owner", labels: l.with(labelSet{"owner": "owner-of-" + p.workload}), value: 1})
	}
	for _, what := range []string{"scheduling", "start", "ready"} {
		b.histogram("loadline_workload_pod_"+what+"_duration_seconds", l)
	}
}

// container adds what is said of a container of a pod.
func (b *builder) container(l labelSet) {
	image := l.with(labelSet{"image": "registry.example/app:1", "kind": "app"})
	b.out = append(b.out, series{family: "loadline_container_image_info", labels: image, value: 1},
		series{family: "loadline_container_last_termination", labels: l.with(labelSet{"reason": "error"}), value: 1})
	b.add(gauge, l, "loadline_container_last_termination_timestamp_seconds")
}

// histogram adds buckets of which the second has nine of ten and the third all.
func (b *builder) histogram(family string, l labelSet) {
	for le, share := range map[string]float64{"1": 0, "5": 0.9, "10": 1, "+Inf": 1} {
		b.out = append(b.out, series{family: family + "_bucket", labels: l.with(labelSet{"le": le}), counter: true, value: share})
	}
}

// inClusters are the series as they are scraped: with the exporters' replicas, and the
// cluster's name if it has one.
func inCluster(all []series, cluster string, replicas int) (out []series) {
	for i := range replicas {
		target := labelSet{"instance": fmt.Sprintf("replica-%d", i)}
		if cluster != "" {
			target["cluster"] = cluster
		}
		for _, s := range all {
			s.labels = s.labels.with(target)
			out = append(out, s)
		}
	}
	return slices.Clip(out)
}
