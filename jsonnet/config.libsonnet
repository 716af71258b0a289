// What whoever installs the mixins can change, with defaults that fit what is
// shipped. Change a field by adding to it:
//
//   (import 'loadline/jsonnet/mixin.libsonnet') + { _config+:: { clusterLabel: 'k8s_cluster' } }
{
  _config+:: {
    // Which series come from where, as label matchers: with an exporter of the same
    // names beside these (node_exporter, cAdvisor, the kubelet's, kube-state-metrics)
    // nothing is counted twice.
    selectors: {
      // node_*.
      node: 'job="resource"',
      // container_* and machine_*.
      container: 'job="resource"',
      // kubelet_volume_stats_*.
      volume: 'job="resource"',
      // loadline_* of the resource exporter.
      resource: 'job="resource"',
      // loadline_* of the orchestrator exporter.
      orchestrator: 'job="orchestrator"',
      // kube_*.
      kube: 'job="orchestrator"',
      // Every exporter of the suite, for what they say of themselves.
      exporters: 'job=~"resource|orchestrator"',
    },

    // The label that tells clusters apart. Rules keep it, and work where no series has it.
    clusterLabel: 'cluster',
    // Whether there is more than one cluster: only then dashboards offer a choice and
    // messages name it.
    multiCluster: false,
    // The label that names the node in the resource exporter's series.
    nodeLabel: 'node',

    // How often rules are evaluated that tell what users feel, and how often those of
    // resources and of what happened, which are many and change little in their window.
    interval: '30s',
    resourceInterval: '1m',
    // The window of rates: four scrapes at least.
    rateWindow: '5m',
    // How often those are evaluated that look back an hour.
    slowInterval: '5m',

    // Names of the three severities: who is woken, what waits until the morning, what
    // is read in a digest.
    severities: { page: 'page', ticket: 'ticket', event: 'event' },
    // Whether alerts name who owns what they are about, in the label owner; the
    // orchestrator exporter tells.
    joinOwners: false,
    // Where an alert's runbook is; %s is the alert's name in the form of its file,
    // such as service-has-no-ready-endpoint.
    runbookURL: 'https://github.com/loadline-exporters/loadline/blob/main/docs/runbooks/%s.md',
    // Where dashboards are; '%(dashboard)s' is one's uid, '%(variables)s' the query
    // string that sets its variables. Empty leaves the link out.
    dashboardURL: '/dashboards/%(dashboard)s?%(variables)s',

    // Where alerts begin, and dashboards turn red. A ratio is a share of one.
    thresholds: {
      // Share of the pods or tasks that a service should have, below which users feel it.
      serviceReadyRatio: 0.5,
      // Share of its replicas below which a workload whose rollout is stuck is in trouble:
      // a rolling update by Kubernetes' defaults never goes below it.
      workloadReadyRatio: 0.75,
      // How long a rollout may leave a service without pods, as one that stops all before
      // it starts the next does.
      rolloutSeconds: 600,
      // How long a pod may be in a phase that it should leave.
      podOverdueSeconds: 900,
      // Restarts of a workload's containers in an hour.
      restartsPerHour: 12,
      // OOM kills of a workload in an hour.
      oomKillsPerHour: 3,
      // Evictions of a workload's pods in an hour by nodes that are short of something.
      evictionsPerHour: 2,
      // How long a job may run.
      jobRunSeconds: 43200,
      // How long it is told that a job failed.
      jobFailedSeconds: 86400,
      // Share of a cluster's nodes that are gone at once.
      nodesGoneRatio: 0.25,
      // Share of a resource quota that is used.
      quotaUsageRatio: 0.9,
      // What all quotas promise, as a share of what the cluster has.
      quotaOvercommitRatio: 1.5,

      // Share of time in which work waits for a resource, of containers and of nodes.
      cpuPressureRatio: 0.3,
      memoryPressureRatio: 0.1,
      ioPressureRatio: 0.3,
      nodeCpuPressureRatio: 0.4,
      nodeMemoryPressureRatio: 0.1,
      nodeIoPressureRatio: 0.4,
      // Share of its memory limit that a container uses, from which on its growth counts:
      // over the next quarter of an hour, and over the next hours.
      memoryLimitFastRatio: 0.7,
      memoryLimitSlowRatio: 0.8,
      // Share of its limit of threads that a container has.
      threadsLimitRatio: 0.9,
      // Share of its limit of space on the node's disk that a container or volume takes.
      ephemeralStorageRatio: 0.85,
      // Connections a second that find the accept queues of a workload full.
      acceptOverflowsPerSecond: 0.05,
      // Share of the TCP segments of a workload that are sent again, and the segments a
      // second below which nothing is said.
      retransmittedRatio: 0.05,
      retransmittedSegmentsPerSecond: 10,
      // Packets a second that a workload's pods drop.
      packetsDroppedPerSecond: 10,

      // Share of a node's memory that is in use.
      nodeMemoryUsageRatio: 0.9,
      // Share of a node's memory that containers without a limit take, on a node whose
      // pods together may take more than there is.
      unlimitedMemoryRatio: 0.2,
      // Share of the pods that a node has room for.
      nodePodsRatio: 0.95,
      // Share of a file system that is left: so little that it is full soon, and so much
      // that no prediction counts. The same for inodes.
      filesystemFreeRatio: 0.05,
      filesystemPredictedRatio: 0.4,
      // How far ahead filling up is told.
      filesystemHours: 24,
      // Share of the packets of a network device that have errors.
      networkErrorRatio: 0.01,
      // Times in a quarter of an hour that the link of a network device comes or goes.
      linkChanges: 4,
      // Share of the connections that the node can track.
      conntrackRatio: 0.75,
      // Share of the open files, of processes and threads that the node allows.
      fileDescriptorsRatio: 0.8,
      processesRatio: 0.9,
      // How far the clock may be off.
      clockOffsetSeconds: 0.05,
      // Restarts of a service by systemd in an hour.
      unitRestartsPerHour: 6,
      // Share of a claim that is left, as of file systems.
      claimFreeRatio: 0.05,
      claimPredictedRatio: 0.3,
      claimHours: 96,

      // Times in an hour that a resource is listed anew because the watch broke.
      listsPerHour: 12,
      // How long a scrape may take, of the ten seconds that Prometheus waits by default.
      scrapeSeconds: 8,
    },

    // How Alertmanager routes alerts, to whom: routing/config.libsonnet has its fields.
    routing: import 'routing/config.libsonnet',
  },
}
