// Network and storage: who has most, and who suffers.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local t = config.thresholds;
  local of = d.matchAll(['namespace']);
  local cluster = d.match([]);
  local node = config.nodeLabel;
  local third = { w: 8, min: 0 };

  local top(name, thresholds={}, width=8) = d.barGauge({
    title: signals[name].title,
    description: signals[name].description + ' The ten workloads with most.',
    unit: signals[name].unit,
    w: width,
    thresholds: thresholds,
    targets: [d.target('topk(10, max by (namespace, workload) (%s))' % signals[name].query('workload', of), '{{namespace}}/{{workload}}')],
  });
  // What should be none: only those that have any.
  local suffers(name, limit) = top(name, { bad: limit }) {
    noDataIsGood: true,
    targets: [d.target('topk(10, max by (namespace, workload) (%s) > 0)' % signals[name].query('workload', of), '{{namespace}}/{{workload}}')],
  };
  local byNamespace(name) = d.timeSeries({
    title: signals[name].title + ' by namespace',
    description: signals[name].description + ' The ten namespaces with most.',
    unit: signals[name].unit,
    stack: true,
    min: 0,
    targets: [d.target('topk(10, sum by (namespace) (%s))' % signals[name].query('namespace', of), '{{namespace}}')],
  });
  local byNode(name, fields={}) = d.timeSeries(third {
    title: signals[name].title,
    description: signals[name].description + ' The ten nodes with most.',
    unit: signals[name].unit,
    targets: [d.target('topk(10, max by (%s) (%s))' % [node, signals[name].query('node', cluster)], '{{%s}}' % node)],
  } + fields);

  local disks = ['fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660"'];
  local full(labels, free, all) = 'topk(20,\n  1 -\n    min by (%(by)s) (%(free)s)\n    /\n      (min by (%(by)s) (%(all)s) > 0)\n)' % { by: promql.list(labels), free: free, all: all };
  local ofNode(family) = family + promql.selector([config.selectors.node] + cluster + disks);
  local ofClaim(family) = family + promql.selector([config.selectors.volume] + of);
  {
    'loadline-network': outline['loadline-network'] {
      rows+: {
        trouble: d.row('Whose connections suffer?', [
          suffers('retransmitted', t.retransmittedRatio),
          suffers('networkDropped', t.packetsDroppedPerSecond),
          suffers('acceptOverflows', t.acceptOverflowsPerSecond),
        ]) { order: 0 },
        most: d.row('Who sends and receives most?', [
          top('networkReceive', width=12),
          top('networkTransmit', width=12),
          byNamespace('networkReceive'),
          byNamespace('networkTransmit'),
        ]) { order: 10 },
        nodes: d.row('Which nodes?', [
          byNode('hostNetworkReceive', { w: 12 }),
          byNode('hostNetworkTransmit', { w: 12 }),
        ]) { order: 20 },
      },
    },
    'loadline-storage': outline['loadline-storage'] {
      rows+: {
        full: d.row('What is full soon?', [
          d.table({
            title: 'File systems of nodes, the fullest first',
            description: 'Share that is in use, without those in memory. Twenty at the most.',
            w: 12,
            by: ['device', 'mountpoint', node],
            sort: 'used',
            link: d.link('loadline-node', [node]),
            local labels = [node, 'device', 'mountpoint'],
            targets: [d.column(full(labels, ofNode('node_filesystem_avail_bytes'), ofNode('node_filesystem_size_bytes')), 'used', 'ratio') { thresholds: { warn: 1 - t.filesystemPredictedRatio, bad: 1 - t.filesystemFreeRatio } }],
          }),
          d.table({
            title: 'Claims, the fullest first',
            description: "Share of claims' volumes that is in use. Twenty at the most.",
            w: 12,
            by: ['namespace', 'persistentvolumeclaim'],
            sort: 'used',
            local labels = ['namespace', 'persistentvolumeclaim'],
            targets: [d.column(full(labels, ofClaim('kubelet_volume_stats_available_bytes'), ofClaim('kubelet_volume_stats_capacity_bytes')), 'used', 'ratio') { thresholds: { warn: 1 - t.claimPredictedRatio, bad: 1 - t.claimFreeRatio } }],
          }),
        ]) { order: 0 },
        waits: d.row('Who waits for disks, and who uses them?', [
          byNode('hostIoPressure', { thresholds: { bad: t.nodeIoPressureRatio } }),
          byNode('hostDiskRead'),
          byNode('hostDiskWrite'),
          top('ioPressure', { bad: t.ioPressureRatio }),
          top('blockRead'),
          top('blockWrite'),
          top('ephemeralStorage', width=24),
        ]) { order: 20 },
      },
    },
  }
