// What a node is short of, and which pods take it.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local t = config.thresholds;
  local of = d.match([config.nodeLabel]);
  local third = { w: 8, min: 0 };
  local one(name, legend, fields={}) = d.signal(signals[name], 'node', of, legend, third + fields);
  local lines(title, description, unit, names) = d.timeSeries(third {
    title: title,
    description: description,
    unit: unit,
    targets: [d.target(signals[names[line]].query('node', of), line) for line in std.objectFields(names)],
  });
  local top(name) = d.barGauge({
    title: signals[name].title + ' by pods',
    description: 'The ten pods of the node that use most.',
    unit: signals[name].unit,
    targets: [d.target('topk(10, sum by (namespace, pod) (%s))' % signals[name].query('pod', of), '{{namespace}}/{{pod}}')],
  });
  local disks = 'fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660"';
  local filesystem(family) = 'min by (device, mountpoint) (%s)' % (family + promql.selector([config.selectors.node, disks] + of));
  local free(family, all) = '1 -\n  %s\n  /\n    (%s > 0)' % [filesystem(family), filesystem(all)];
  {
    'loadline-node': outline['loadline-node'] {
      rows+: {
        cpu: d.row('CPU', [
          one('hostCpuPressure', 'waits', { thresholds: { bad: t.nodeCpuPressureRatio } }),
          one('hostCpuUsage', 'busy', { max: 1 }),
          lines('CPU asked for', 'Cores that are busy, that pods ask for and that the node has for pods.', 'cores', { busy: 'hostCpuBusy', requested: 'hostCpuRequested', allocatable: 'hostCpuAllocatable' }),
        ]) { order: 10 },
        memory: d.row('Memory', [
          one('hostMemoryPressure', 'waits', { thresholds: { bad: t.nodeMemoryPressureRatio } }),
          one('hostMemoryUsage', 'used', { max: 1, thresholds: { bad: t.nodeMemoryUsageRatio } }),
          lines('Memory asked for', 'Memory that is used, that pods ask for and that the node has for pods.', 'bytes', { used: 'hostMemoryUsed', requested: 'hostMemoryRequested', allocatable: 'hostMemoryAllocatable' }),
        ]) { order: 20 },
        pods: d.row('Which pods take it?', [top('cpuUsage'), top('memoryWorkingSet')]) { order: 30 },
        disk: d.row('Disk and network', [
          one('hostIoPressure', 'waits', { thresholds: { bad: t.nodeIoPressureRatio } }),
          lines('Node disk', 'Bytes that the machine read from its disks and wrote to them.', 'bytes_per_second', { read: 'hostDiskRead', written: 'hostDiskWrite' }),
          lines('Node network', 'Bytes that the machine received and sent, without the loopback.', 'bytes_per_second', { received: 'hostNetworkReceive', sent: 'hostNetworkTransmit' }),
          d.table({
            title: 'File systems, the fullest first',
            description: 'Space and inodes of the file systems of the node that are in use, without those in memory.',
            h: 6,
            by: ['device', 'mountpoint'],
            sort: 'space used',
            targets: [
              d.column(free('node_filesystem_avail_bytes', 'node_filesystem_size_bytes'), 'space used', 'ratio') { thresholds: { warn: 1 - t.filesystemPredictedRatio, bad: 1 - t.filesystemFreeRatio } },
              d.column(free('node_filesystem_files_free', 'node_filesystem_files'), 'inodes used', 'ratio') { thresholds: { warn: 1 - t.filesystemPredictedRatio, bad: 1 - t.filesystemFreeRatio } },
            ],
          }),
        ]) { order: 40 },
      },
    },
  }
