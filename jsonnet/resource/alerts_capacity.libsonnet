// What pods ask for beside what nodes have.
function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.cluster;
  // What would be missing without the largest node; one node alone can never be lost.
  local missing(resource, requested, allocatable) = |||
    label_replace(
      sum by (%(cluster)s) (%(requested)s)
      -
        (
          (
            sum by (%(cluster)s) (%(allocatable)s)
            -
              max by (%(cluster)s) (%(allocatable)s)
          ) > 0
        ),
      "resource", "%(resource)s", "", ""
    ) > 0
  ||| % {
    cluster: config.clusterLabel,
    resource: resource,
    requested: requested.at('node'),
    allocatable: allocatable.at('node'),
  };

  alerts.group('resource-alerts-capacity', [
    alerts.new({
      name: 'ClusterCannotLoseANode',
      level: 'cluster',
      severity: 'ticket',
      labels: ['resource'],
      pending: '15m',
      expr: missing('cpu', signals.hostCpuRequested, signals.hostCpuAllocatable)
            + 'or\n'
            + missing('memory', signals.hostMemoryRequested, signals.hostMemoryAllocatable),
      summary: 'Without its largest node %s has too little {{ $labels.resource }}.' % it,
      description: 'If the largest node of %s is lost, its pods ask for {{ if eq $labels.resource "memory" }}{{ $value | humanize1024 }}B{{ else }}{{ $value | humanize }} cores{{ end }} more than the others have.' % it,
    }),
  ])
