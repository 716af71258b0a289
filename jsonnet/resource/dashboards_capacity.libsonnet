// What there is, what is asked for and what is used; what to change.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local t = config.thresholds;
  local of = d.matchAll(['namespace']);
  local cluster = d.match([]);
  local workload = ['namespace', 'workload'];
  local by = promql.list(workload);
  local node = config.nodeLabel;

  local share(title, name, thresholds) = d.stat({
    title: title,
    description: signals[name].description,
    unit: 'ratio',
    thresholds: thresholds,
    targets: [d.target('max (%s)' % signals[name].query('cluster', cluster))],
  });
  // Workloads by what of their requests they leave unused, as a table of the largest.
  local unused(title, what, unit, requests, use) =
    local asked = 'sum by (%s) (%s)' % [by, signals[requests].query('workload', of)];
    local used = 'sum by (%s) (%s)' % [by, signals[use].query('workload', of)];
    local top = 'topk(15,\n  %s\n  -\n    %s\n  > 0\n)' % [asked, used];
    local listed(expr) = '%s\nand on (%s)\n%s' % [expr, by, promql.indent(top)];
    d.table({
      title: title,
      description: '%s that workloads ask for and do not use: asking for less makes room on nodes. Mind their peaks.' % what,
      w: 12,
      noDataIsGood: true,
      by: workload,
      sort: 'unused',
      link: d.link('loadline-workload', workload),
      targets: [
        d.column(top, 'unused', unit),
        d.column(listed(asked), 'requested', unit),
        d.column(listed(used), 'used', unit),
      ],
    });
  local top(title, name, thresholds) = d.barGauge({
    title: title,
    description: signals[name].description,
    unit: 'ratio',
    thresholds: thresholds,
    targets: [d.target('topk(10, max by (%s) (%s))' % [by, signals[name].query('workload', of)], '{{namespace}}/{{workload}}')],
  });
  local lines(title, description, unit, names) = d.timeSeries({
    title: title,
    description: description,
    unit: unit,
    min: 0,
    targets: [d.target('sum (%s)' % signals[names[line]].query('cluster', cluster), line) for line in std.objectFields(names)],
  });
  local ofNode(name, title) = d.column(
    'max by (%s) (%s)\nand on (%s)\n  topk(20, %s or %s)' % [node, signals[name].query('node', cluster), node, signals.hostMemoryRequestedRatio.query('node', cluster), signals.hostMemoryUsage.query('node', cluster)],
    title,
    'ratio',
  ) { thresholds: { warn: 0.9, bad: 1 } };
  {
    'loadline-capacity': outline['loadline-capacity'] {
      rows+: {
        room: d.row('Is there room?', [
          share('CPU given away', 'hostCpuRequestedRatio', { warn: 0.8, bad: 1 }),
          share('CPU used', 'hostCpuUsage', {}),
          share('Memory given away', 'hostMemoryRequestedRatio', { warn: 0.8, bad: 1 }),
          share('Memory used', 'hostMemoryUsage', { bad: t.nodeMemoryUsageRatio }),
          share('Memory promised', 'hostMemoryLimitedRatio', { warn: 1 }),
          d.stat({
            title: 'Nodes',
            description: 'Nodes whose resource exporter answers.',
            targets: [d.target('count (%s)' % signals.hostMemory.query('node', cluster))],
          }),
          lines('CPU', 'Cores of all nodes that are busy, that pods ask for and that nodes have for pods.', 'cores', { busy: 'hostCpuBusy', requested: 'hostCpuRequested', allocatable: 'hostCpuAllocatable' }),
          lines('Memory', 'Memory of all nodes that is used, that pods ask for and that nodes have for pods.', 'bytes', { used: 'hostMemoryUsed', requested: 'hostMemoryRequested', allocatable: 'hostMemoryAllocatable' }),
        ]) { order: 0 },
        lower: d.row('Who should ask for less?', [
          unused('CPU that is asked for and not used', 'Cores', 'cores', 'cpuRequests', 'cpuUsage'),
          unused('Memory that is asked for and not used', 'Memory', 'bytes', 'memoryRequests', 'memoryWorkingSet'),
        ]) { order: 10 },
        higher: d.row('Who should be given more?', [
          top('Nearest to their memory limit', 'memoryLimitUsage', { warn: t.memoryLimitFastRatio, bad: t.memoryLimitSlowRatio }),
          top('Use more memory than they asked for', 'memoryRequestUsage', { warn: 1 }),
          top('Use more CPU than they asked for', 'cpuRequestUsage', { warn: 1 }),
          top('Held by their CPU limit', 'cpuThrottled', { warn: 0.25 }),
        ]) { order: 20 },
        nodes: d.row('Which nodes are full?', [
          d.table({
            title: 'Nodes, the fullest first',
            description: 'Share of what nodes have for pods that is asked for, and that pods may take together. Twenty nodes at the most.',
            by: [node],
            sort: 'memory requested',
            link: d.link('loadline-node', [node]),
            targets: [
              ofNode('hostMemoryRequestedRatio', 'memory requested'),
              ofNode('hostMemoryLimitedRatio', 'memory promised'),
              ofNode('hostMemoryUsage', 'memory used'),
              ofNode('hostCpuRequestedRatio', 'CPU requested'),
              ofNode('hostCpuUsage', 'CPU used'),
            ],
          }),
        ]) { order: 30 },
      },
    },
  }
