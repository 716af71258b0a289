// An alert, with what all alerts have: where it is in the hierarchy, who owns it, what to
// read about it and which dashboard shows it. Its fields:
//
//   name         in CamelCase; its runbook is docs/runbooks/ with the name in lower case
//   level        what it is about: cluster, node, namespace, service, workload, pod, container
//   severity     page: users are hit now; ticket: they will be; event: for the digest
//   expr         PromQL, whose series have the level's labels and no more than `labels` adds
//   labels       further labels that its series have
//   pending      how long it has to be so (for)
//   held         how long it stays after (keep_firing_for)
//   summary      one line; $labels can be used
//   description  what is so, with the value in a form that people read
local promql = import 'promql.libsonnet';

// The dashboard of a level.
local dashboards = {
  cluster: 'loadline-overview',
  namespace: 'loadline-overview',
  node: 'loadline-node',
  service: 'loadline-service',
  workload: 'loadline-workload',
  pod: 'loadline-pod',
  container: 'loadline-pod',
};

local kebab(name) = std.lstripChars(std.join('', [
  if c != std.asciiLower(c) then '-' + std.asciiLower(c) else c
  for c in std.stringChars(name)
]), '-');

function(config)
  local levels = (import 'levels.libsonnet')(config);

  // The labels by which a level's owner is found.
  local owned = {
    namespace: { by: levels.labels.namespace, series: 'namespace:owner:info' },
    service: { by: levels.labels.service, series: 'service:owner:info' },
    workload: { by: levels.labels.workload, series: 'workload:owner:info' },
    pod: self.workload,
    container: self.workload,
  };
  local withOwner(level, expr) =
    if !config.joinOwners || !std.objectHas(owned, level) then expr
    else promql.binary(
      '(\n%s\n)' % promql.indent(expr),
      '* on (%s) group_left (%s)' % [promql.list(owned[level].by), 'owner'],
      owned[level].series,
    );

  local variables(level) = std.join('&', [
    'var-%s={{ $labels.%s | urlquery }}' % [label, label]
    for label in levels.labels[level]
    if label != 'workload_type' && (label != config.nodeLabel || level == 'node') && (label != config.clusterLabel || config.multiCluster)
  ]);

  local label(name) = '{{ $labels.%s }}' % name;
  local inCluster = if config.multiCluster then ' in cluster ' + label(config.clusterLabel) else '';
  {
    // The file of an alert's runbook, without its ending.
    runbook(name):: kebab(name),

    // What an alert of a level is about, as its texts name it. A cluster has a name only
    // where there is more than one.
    what:: {
      cluster: if config.multiCluster then 'cluster ' + label(config.clusterLabel) else 'the cluster',
      node: 'node ' + label(config.nodeLabel) + inCluster,
      namespace: 'namespace ' + label('namespace') + inCluster,
      service: 'service %s/%s' % [label('namespace'), label('service')] + inCluster,
      workload: '%s %s/%s' % [label('workload_type'), label('namespace'), label('workload')] + inCluster,
      pod: 'pod %s/%s' % [label('namespace'), label('pod')] + inCluster,
      container: 'container %s of pod %s/%s' % [label('container'), label('namespace'), label('pod')] + inCluster,
    },

    // The labels of a level, further ones added, as PromQL lists them.
    by(level, further=[]):: promql.list(levels.labels[level] + further),

    // Series at a level, told once however many exporters tell them.
    once(level, expr, further=[]):: promql.aggregate('max', levels.labels[level] + further, expr),

    // What a signal that is a rise in the window of rates adds up to in an hour.
    inAnHour(series):: 'sum_over_time(%s[1h:%s])' % [series, config.rateWindow],

    // A group of alerts, which may be of rules that only they read.
    group(name, rules, interval=if std.startsWith(name, 'resource') then config.resourceInterval else config.interval):: { name: 'loadline-' + name, interval: interval, rules: rules },

    new(fields):: {
      alert: fields.name,
      expr: withOwner(fields.level, std.rstripChars(fields.expr, '\n')) + '\n',
      [if std.objectHas(fields, 'pending') then 'for']: fields.pending,
      [if std.objectHas(fields, 'held') then 'keep_firing_for']: fields.held,
      labels: { severity: config.severities[fields.severity], level: fields.level },
      annotations: {
        summary: fields.summary,
        description: std.strReplace(std.rstripChars(fields.description, '\n'), '\n', ' '),
        runbook_url: config.runbookURL % kebab(fields.name),
        [if config.dashboardURL != '' then 'dashboard_url']:
          config.dashboardURL % { dashboard: dashboards[fields.level], variables: variables(fields.level) },
      },
    },
  }
