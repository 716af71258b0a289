// The facts of nodes themselves: not the sum of their pods, but the machine.
local promql = import '../lib/promql.libsonnet';
local signals = import '../lib/signal.libsonnet';

function(config)
  local signal = signals(config);
  local node(family, matchers=[]) = family + promql.selector([config.selectors.node] + matchers);
  local ofNode = { base: 'node', source: 'node' };

  local pressure(resource, what) = signal.rate(ofNode {
    name: 'host_%s_pressure_ratio' % resource,
    op: 'max_rate' + config.rateWindow,
    title: 'Node %s pressure' % what,
    unit: 'ratio',
    description: 'Share of time in which at least one task of the machine waited for %s.' % what,
    up: 'max',
    expr: node('node_pressure_%s_waiting_seconds_total' % resource),
  });

  // What the scheduler has given away on a node.
  local given(family, what, resource, unit, description) = signal.new({
    name: 'host_%s_%s_%s' % [resource, what, unit],
    title: '%s %s' % [if resource == 'cpu' then 'CPU' else 'Memory', what],
    unit: unit,
    description: description,
    base: 'node',
    source: 'resource',
    expr: family + promql.selector([config.selectors.resource, 'resource="%s"' % resource]),
  });
  local each(family, what, description) = {
    ['cpu' + what]: given(family, std.asciiLower(what), 'cpu', 'cores', description),
    ['memory' + what]: given(family, std.asciiLower(what), 'memory', 'bytes', description),
  };

  local requested = each('loadline_node_resource_requested', 'Requested', 'What the pods of a node ask for together, as the scheduler counts it.');
  local limited = each('loadline_node_resource_limits', 'Limited', 'What the pods of a node are limited to together; those without a limit add nothing.');
  local allocatable = each('loadline_node_resource_allocatable', 'Allocatable', 'What a node has for pods.');

  local share(fields) = signal.share({ op: 'ratio', unit: 'ratio' } + fields);

  {
    hostCpuBusy: signal.rate(ofNode {
      name: 'host_cpu_busy_cores',
      title: 'Node CPU busy',
      unit: 'cores',
      description: 'Processors of the machine that were not idle, in cores.',
      distinct: ['cpu', 'mode'],
      expr: node('node_cpu_seconds_total', ['mode!~"idle|iowait|steal"']),
    }),
    hostCpus: signal.new(ofNode {
      name: 'host_cpu_cores',
      op: 'count',
      title: 'Node CPUs',
      unit: 'cores',
      description: 'Logical processors of the machine.',
      up: 'sum',
      distinct: ['cpu'],
      expr: 'count by (%s) (%s)' % [promql.list([config.clusterLabel, config.nodeLabel, 'cpu', 'instance']), node('node_cpu_seconds_total', ['mode="idle"'])],
    }),
    hostCpuUsage: share({
      name: 'host_cpu_usage_ratio',
      title: 'Node CPU used',
      description: 'Share of the processors that was busy. Pressure tells whether anything waits.',
      source: 'node',
      part: $.hostCpuBusy,
      whole: $.hostCpus,
    }),
    hostMemoryUsed: signal.new(ofNode {
      name: 'host_memory_used_bytes',
      title: 'Node memory used',
      unit: 'bytes',
      description: 'Memory that is not available to who asks for it.',
      expr: promql.binary(node('node_memory_MemTotal_bytes'), '-', node('node_memory_MemAvailable_bytes')),
    }),
    hostMemory: signal.new(ofNode {
      name: 'host_memory_bytes',
      title: 'Node memory',
      unit: 'bytes',
      description: 'Memory of the machine.',
      expr: node('node_memory_MemTotal_bytes'),
    }),
    hostMemoryUsage: share({
      name: 'host_memory_usage_ratio',
      title: 'Node memory used',
      description: 'Share of the memory that is not available to who asks for it.',
      source: 'node',
      part: $.hostMemoryUsed,
      whole: $.hostMemory,
    }),
    hostCpuPressure: pressure('cpu', 'CPU'),
    hostMemoryPressure: pressure('memory', 'memory'),
    hostIoPressure: pressure('io', 'disk'),
    hostNetworkReceive: signal.rate(ofNode {
      name: 'host_network_receive_bytes',
      title: 'Node network received',
      unit: 'bytes_per_second',
      description: 'Bytes that the machine received, without the loopback.',
      distinct: ['device'],
      expr: node('node_network_receive_bytes_total', ['device!="lo"']),
    }),
    hostNetworkTransmit: signal.rate(ofNode {
      name: 'host_network_transmit_bytes',
      title: 'Node network sent',
      unit: 'bytes_per_second',
      description: 'Bytes that the machine sent, without the loopback.',
      distinct: ['device'],
      expr: node('node_network_transmit_bytes_total', ['device!="lo"']),
    }),
    hostFilesystemUsage: signal.new(ofNode {
      name: 'host_filesystem_usage_ratio',
      title: 'Fullest file system',
      unit: 'ratio',
      description: 'Share of its fullest file system that is in use, without those in memory.',
      up: 'max',
      expr: promql.binary('1', '-', promql.binary(
        node('node_filesystem_avail_bytes', ['fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660"']),
        '/',
        '(%s > 0)' % node('node_filesystem_size_bytes', ['fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660"']),
      )),
    }),
    hostDiskRead: signal.rate(ofNode {
      name: 'host_disk_read_bytes',
      title: 'Node disk read',
      unit: 'bytes_per_second',
      description: 'Bytes that the machine read from its disks.',
      distinct: ['device'],
      expr: node('node_disk_read_bytes_total'),
    }),
    hostDiskWrite: signal.rate(ofNode {
      name: 'host_disk_written_bytes',
      title: 'Node disk written',
      unit: 'bytes_per_second',
      description: 'Bytes that the machine wrote to its disks.',
      distinct: ['device'],
      expr: node('node_disk_written_bytes_total'),
    }),
  } + { ['host' + std.asciiUpper(name[0]) + name[1:]]: requested[name] for name in std.objectFields(requested) }
  + { ['host' + std.asciiUpper(name[0]) + name[1:]]: limited[name] for name in std.objectFields(limited) }
  + { ['host' + std.asciiUpper(name[0]) + name[1:]]: allocatable[name] for name in std.objectFields(allocatable) }
  + {
    hostCpuRequestedRatio: share({
      name: 'host_cpu_requested_ratio',
      title: 'CPU given away',
      description: 'Share of what a node has for pods that they asked for. At one nothing that asks for CPU fits any more.',
      source: 'resource',
      part: $.hostCpuRequested,
      whole: $.hostCpuAllocatable,
    }),
    hostMemoryRequestedRatio: share({
      name: 'host_memory_requested_ratio',
      title: 'Memory given away',
      description: 'Share of what a node has for pods that they asked for. At one nothing that asks for memory fits any more.',
      source: 'resource',
      part: $.hostMemoryRequested,
      whole: $.hostMemoryAllocatable,
    }),
    hostMemoryLimitedRatio: share({
      name: 'host_memory_limited_ratio',
      title: 'Memory promised',
      description: 'What pods may take together as a share of what the node has. Above one they can starve each other.',
      source: 'resource',
      part: $.hostMemoryLimited,
      whole: $.hostMemoryAllocatable,
    }),
  }
