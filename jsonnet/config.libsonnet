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

    // How often rules are evaluated, and the window of rates: four scrapes at least.
    interval: '30s',
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

    // Where alerts begin, and dashboards turn yellow and red.
    thresholds: {},

    // How Alertmanager routes alerts, to whom: routing/config.libsonnet has its fields.
    routing: import 'routing/config.libsonnet',
  },
}
