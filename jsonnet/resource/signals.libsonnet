// The facts that the resource exporter's series give.
local promql = import '../lib/promql.libsonnet';
local signals = import '../lib/signal.libsonnet';

function(config)
  local signal = signals(config);

  // A family of containers: not of the groups around them, and not of the sandbox,
  // which runs nothing of the user's.
  local containers(family, matchers=[]) =
    family + promql.selector([config.selectors.container, 'pod!=""', 'container!~"|POD"'] + matchers);
  // A container that was started again has two ids in a window of a counter, and both
  // count; of a gauge there is one at a time.
  local ofContainer = { base: 'container', source: 'container' };

  // A family of pods' network, which one container stands for.
  local ofPod = { base: 'pod', distinct: ['id', 'interface'], source: 'container' };
  local pods(family, matchers=[]) = family + promql.selector([config.selectors.container, 'pod!=""'] + matchers);
  // Of little interest one by one: recorded from the workload up.
  local ownOfPods = { base: 'workload', distinct: ['pod'], source: 'resource' };
  local ownPods(family, matchers=[]) = family + promql.selector([config.selectors.resource, 'pod!=""'] + matchers);

  local ownContainers(family, matchers=[]) =
    family + promql.selector([config.selectors.resource, 'pod!=""', 'container!~"|POD"'] + matchers);

  // A pressure is the worst that a part suffers, not the sum of what all do.
  local pressure(resource, what) = signal.rate({
    name: resource + '_pressure_ratio',
    op: 'max_rate' + config.rateWindow,
    title: '%s pressure' % (std.asciiUpper(what[0]) + what[1:]),
    unit: 'ratio',
    description: 'Share of time in which at least one task waited for %s: of the container that waited most. Above a tenth users feel it.' % what,
    base: 'container',
    source: 'container',
    up: 'max',
    expr: containers('container_pressure_%s_waiting_seconds_total' % resource),
  });

  // Requests and limits: what has none has no series. They change with a rollout only, so
  // that of single containers no record is kept.
  local ofEach(kind, resource) = ownContainers('loadline_container_resource_' + kind, ['resource="%s"' % resource]);
  local asked(kind, resource, unit, what) = signal.new({
    name: '%s_%s_%s' % [resource, kind, unit],
    title: what,
    unit: unit,
    description: 'What containers that run %s, added up. Containers without one add nothing.' % (if kind == 'requests' then 'ask for' else 'are limited to'),
    base: 'workload',
    distinct: ['pod', 'container'],
    source: 'resource',
    expr: ofEach(kind, resource),
  });

  // How much a container uses of what it asked for or is limited to, and above it that
  // of the one which uses most of its own. One less that is the headroom.
  local near(fields) = signal.new({
    op: 'max',
    unit: 'ratio',
    base: 'container',
    source: 'resource',
    up: 'max',
    expr: promql.binary(
      fields.part.at('container'),
      '/',
      '(%s > 0)' % promql.aggregate('max', signal.labels('container'), fields.whole),
    ),
  } + fields);

  {
    cpuUsage: signal.rate(ofContainer {
      name: 'cpu_usage_cores',
      title: 'CPU used',
      unit: 'cores',
      description: 'Processor time that containers used, in cores.',
      distinct: ['id', 'cpu'],
      expr: containers('container_cpu_usage_seconds_total'),
    }),
    cpuRequests: asked('requests', 'cpu', 'cores', 'CPU requested'),
    cpuLimits: asked('limits', 'cpu', 'cores', 'CPU limit'),
    cpuRequestUsage: signal.share({
      name: 'cpu_request_usage_ratio',
      op: 'ratio',
      title: 'CPU used of requested',
      unit: 'ratio',
      description: 'Processor time used as a share of what was asked for. Far below one wastes nodes, above one lives on what others leave.',
      source: 'resource',
      part: $.cpuUsage,
      whole: $.cpuRequests,
    }),
    cpuLimitUsage: near({
      name: 'cpu_limit_usage_ratio',
      title: 'CPU used of the limit',
      description: 'Processor time used as a share of the limit, of the container that is nearest to its own.',
      levels: ['container', 'workload', 'namespace', 'cluster'],
      part: $.cpuUsage,
      whole: ofEach('limits', 'cpu'),
    }),
    cpuThrottled: signal.new(ofContainer {
      name: 'cpu_throttled_ratio',
      op: 'max_rate' + config.rateWindow,
      title: 'CPU throttled',
      unit: 'ratio',
      description: 'Share of its quota periods in which a container was held because it had used up its quota, of the container that was held most. It hurts only where pressure shows that work waits.',
      up: 'max',
      local rate(family) = 'rate(%s[%s])' % [containers(family), config.rateWindow],
      expr: promql.binary(rate('container_cpu_cfs_throttled_periods_total'), '/', '(%s > 0)' % rate('container_cpu_cfs_periods_total')),
    }),
    cpuPressure: pressure('cpu', 'CPU'),

    memoryWorkingSet: signal.new(ofContainer {
      name: 'memory_working_set_bytes',
      title: 'Memory used',
      unit: 'bytes',
      description: 'Memory without what the kernel can drop at once: what the OOM killer counts.',
      expr: containers('container_memory_working_set_bytes'),
    }),
    memoryRequests: asked('requests', 'memory', 'bytes', 'Memory requested'),
    memoryLimits: asked('limits', 'memory', 'bytes', 'Memory limit'),
    memoryRequestUsage: near({
      name: 'memory_request_usage_ratio',
      title: 'Memory used of requested',
      description: 'Memory used as a share of what was asked for, of the container that exceeds it most. Above one, it is evicted first when the node is short.',
      part: $.memoryWorkingSet,
      whole: ofEach('requests', 'memory'),
    }),
    memoryLimitUsage: near({
      name: 'memory_limit_usage_ratio',
      title: 'Memory used of the limit',
      description: 'Memory used as a share of the limit, of the container that is nearest to its own. At one the OOM killer comes.',
      part: $.memoryWorkingSet,
      whole: ofEach('limits', 'memory'),
    }),
    memoryPressure: pressure('memory', 'memory'),

    networkReceive: signal.rate(ofPod {
      name: 'network_receive_bytes',
      title: 'Network received',
      unit: 'bytes_per_second',
      description: 'Bytes that pods received on their own interfaces. Pods with the network of their node are counted there.',
      expr: pods('container_network_receive_bytes_total'),
    }),
    networkTransmit: signal.rate(ofPod {
      name: 'network_transmit_bytes',
      title: 'Network sent',
      unit: 'bytes_per_second',
      description: 'Bytes that pods sent on their own interfaces. Pods with the network of their node are counted there.',
      expr: pods('container_network_transmit_bytes_total'),
    }),
    networkDropped: signal.new(ownOfPods {
      name: 'network_dropped',
      op: 'rate' + config.rateWindow,
      title: 'Network packets dropped',
      unit: 'per_second',
      description: 'Packets that pods received or were to send, and dropped.',
      distinct: ['pod', 'id', 'interface'],
      source: 'container',
      local rate(family) = 'rate(%s[%s])' % [pods(family), config.rateWindow],
      expr: promql.binary(rate('container_network_receive_packets_dropped_total'), '+', rate('container_network_transmit_packets_dropped_total')),
    }),
    segmentsSent: signal.rate(ownOfPods {
      name: 'tcp_segments_sent',
      title: 'TCP segments sent',
      unit: 'per_second',
      description: 'TCP segments that pods sent for the first time.',
      expr: ownPods('loadline_pod_tcp_segments_sent_total'),
    }),
    segmentsRetransmitted: signal.rate(ownOfPods {
      name: 'tcp_segments_retransmitted',
      title: 'TCP segments sent again',
      unit: 'per_second',
      description: 'TCP segments that pods had to send again.',
      expr: ownPods('loadline_pod_tcp_segments_retransmitted_total'),
    }),
    retransmitted: signal.share({
      name: 'tcp_retransmitted_ratio',
      op: 'rate' + config.rateWindow,
      title: 'TCP sent again',
      unit: 'ratio',
      description: 'Share of TCP segments that had to be sent again. Above a hundredth the network loses packets.',
      source: 'resource',
      part: $.segmentsRetransmitted,
      whole: $.segmentsSent,
    }),
    acceptOverflows: signal.rate(ownOfPods {
      name: 'tcp_accept_queue_overflows',
      title: 'Connections refused by a full queue',
      unit: 'per_second',
      description: 'Connections that a listening socket had no room for: the program accepts too slowly.',
      expr: ownPods('loadline_pod_tcp_accept_queue_overflows_total'),
    }),

    blockRead: signal.rate(ofContainer {
      name: 'block_read_bytes',
      title: 'Disk read',
      unit: 'bytes_per_second',
      description: 'Bytes that containers read from block devices.',
      distinct: ['id', 'device'],
      expr: containers('container_fs_reads_bytes_total'),
    }),
    blockWrite: signal.rate(ofContainer {
      name: 'block_write_bytes',
      title: 'Disk written',
      unit: 'bytes_per_second',
      description: 'Bytes that containers wrote to block devices.',
      distinct: ['id', 'device'],
      expr: containers('container_fs_writes_bytes_total'),
    }),
    ioPressure: pressure('io', 'disk'),
    ephemeralStorage: signal.new(ownOfPods {
      name: 'ephemeral_storage_bytes',
      title: 'Ephemeral storage used',
      unit: 'bytes',
      description: "Space on nodes' disks that pods take: writable layers, logs and empty directories.",
      expr: ownPods('loadline_pod_ephemeral_storage_bytes'),
    }),
    threadsLimitUsage: signal.new({
      name: 'threads_limit_usage_ratio',
      title: 'Threads of the limit',
      unit: 'ratio',
      description: 'Threads as a share of how many there may be, of the container that is nearest to its limit.',
      base: 'container',
      levels: ['container'],
      up: 'max',
      source: 'container',
      expr: promql.binary(containers('container_threads'), '/', '(%s > 0)' % containers('container_threads_max')),
    }),

    // Counters that outlive containers begin at the workload.
    oomKills: signal.increase({
      name: 'oom_kills',
      title: 'OOM kills',
      unit: 'count',
      description: 'Processes that the OOM killer ended in the last %s.' % config.rateWindow,
      base: 'workload',
      distinct: [config.nodeLabel, 'container', 'scope', 'victim'],
      source: 'resource',
      expr: 'loadline_workload_oom_kills_total' + promql.selector([config.selectors.resource]),
    }),
    containerStarts: signal.increase({
      name: 'container_starts',
      title: 'Containers started',
      unit: 'count',
      description: 'Containers that were started in the last %s, those included that lived for a moment only.' % config.rateWindow,
      base: 'workload',
      distinct: [config.nodeLabel, 'container'],
      source: 'resource',
      expr: 'loadline_workload_container_starts_total' + promql.selector([config.selectors.resource]),
    }),
  } + (import 'node_signals.libsonnet')(config)
