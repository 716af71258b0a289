// Which nodes and namespaces are short of what.
function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local alerts = (import '../lib/alert.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local t = config.thresholds;
  local of = d.matchAll(['namespace']);
  local name = '{{namespace}}/{{workload}}';
  local node = config.nodeLabel;
  // A column of the nodes that are listed: those that use most of their memory.
  local ofNode(signal, title, thresholds={}) = d.column(
    'max by (%s) (%s)\nand on (%s)\n  topk(20, %s)' % [node, signal.query('node', d.match([])), node, signals.hostMemoryUsage.query('node', d.match([]))],
    title,
    signal.unit,
  ) + { thresholds: thresholds };
  local byNamespace(signal) = d.timeSeries({
    title: signal.title,
    description: signal.description + ' The ten namespaces with most.',
    unit: signal.unit,
    stack: true,
    min: 0,
    targets: [d.target('topk(10, sum by (namespace) (%s))' % signal.query('namespace', of), '{{namespace}}')],
  });
  {
    'loadline-overview': outline['loadline-overview'] {
      rows+: {
        memory: d.row('Who runs out of memory?', [
          d.barGauge({
            title: 'OOM kills in the last hour',
            description: 'Processes that the OOM killer ended, of the workloads with most of them.',
            thresholds: { warn: 1, bad: t.oomKillsPerHour },
            targets: [d.target('topk(10, sum by (namespace, workload) (%s))' % alerts.inAnHour(signals.oomKills.query('workload', of)), name)],
          }),
          d.barGauge({
            title: 'Nearest to their memory limit',
            description: signals.memoryLimitUsage.description,
            unit: 'ratio',
            max: 1,
            thresholds: { warn: t.memoryLimitFastRatio, bad: t.memoryLimitSlowRatio },
            targets: [d.target('topk(10, max by (namespace, workload) (%s))' % signals.memoryLimitUsage.query('workload', of), name)],
          }),
        ]) { order: 30 },
        nodes: d.row('Which nodes are short of something?', [
          d.table({
            title: 'Nodes, those with least memory left first',
            description: 'Pressure is the share of time in which something waited. Twenty nodes at the most.',
            by: [node],
            sort: 'memory used',
            link: d.link('loadline-node', [node]),
            targets: [
              ofNode(signals.hostMemoryUsage, 'memory used', { bad: t.nodeMemoryUsageRatio }),
              ofNode(signals.hostMemoryPressure, 'memory pressure', { bad: t.nodeMemoryPressureRatio }),
              ofNode(signals.hostCpuUsage, 'CPU used'),
              ofNode(signals.hostCpuPressure, 'CPU pressure', { bad: t.nodeCpuPressureRatio }),
              ofNode(signals.hostIoPressure, 'disk pressure', { bad: t.nodeIoPressureRatio }),
              ofNode(signals.hostFilesystemUsage, 'fullest file system', { bad: 1 - t.filesystemFreeRatio }),
            ],
          }),
        ]) { order: 40 },
        use: d.row('Who uses what?', [
          byNamespace(signals.cpuUsage),
          byNamespace(signals.memoryWorkingSet),
        ]) { order: 50 },
      },
    },
  }
