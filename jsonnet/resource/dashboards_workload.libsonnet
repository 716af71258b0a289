// What services and workloads use, and what they wait for.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local t = config.thresholds;
  local third = { w: 8, min: 0 };
  local of = {
    service: d.match(['namespace', 'service']),
    workload: d.match(['namespace', 'workload']),
  };
  local at(level, name) = signals[name].query(level, of[level]);
  // Several signals in one panel, by what the legend calls them.
  local several(level, title, description, unit, lines, fields={}) = d.timeSeries(third {
    title: title,
    description: description,
    unit: unit,
    targets: [d.target(at(level, lines[line]), line) for line in std.objectFields(lines)],
  } + fields);
  local one(level, name, legend, fields={}) = d.signal(signals[name], level, of[level], legend, third + fields);

  local pressure(level, what, name, limit) = one(level, name, 'waits', { thresholds: { bad: limit } });
  local limit(level) = one(level, 'memoryLimitUsage', 'nearest', { thresholds: { warn: t.memoryLimitFastRatio, bad: t.memoryLimitSlowRatio } });
  local network(level) = several(level, 'Network', 'Bytes that its pods received and sent on their own interfaces.', 'bytes_per_second', { received: 'networkReceive', sent: 'networkTransmit' });
  local throttled(level) = one(level, 'cpuThrottled', 'throttled');

  // The last one leads to the pod, by the values of all.
  local pods = [config.nodeLabel, 'namespace', 'workload', 'pod'];
  local ofPod(name) = signals[name].query('pod', of.workload);
  local ofPods(name, aggregate) = '%s by (%s) (%s)\nand on (pod)\n  topk(20, sum by (pod) (%s))' % [aggregate, promql.list(pods), ofPod(name), ofPod('memoryWorkingSet')];
  {
    // Rows for the dashboard that the orchestrator exporter gives: without it nobody
    // knows which pods are behind a service.
    'loadline-service'+: {
      rows+: {
        resources: d.row('What holds it up?', [
          pressure('service', 'CPU', 'cpuPressure', t.cpuPressureRatio),
          throttled('service'),
          one('service', 'cpuUsage', 'used'),
          limit('service'),
          pressure('service', 'memory', 'memoryPressure', t.memoryPressureRatio),
          one('service', 'memoryWorkingSet', 'used'),
          network('service'),
          pressure('service', 'disk', 'ioPressure', t.ioPressureRatio),
          several('service', 'Disk', 'Bytes that its containers read from block devices and wrote to them.', 'bytes_per_second', { read: 'blockRead', written: 'blockWrite' }),
        ]) { order: 20 },
      },
    },
    'loadline-workload': outline['loadline-workload'] {
      rows+: {
        pods: d.row('Which pod is it?', [
          d.table({
            title: 'Pods, the largest first',
            description: 'What each pod uses. Twenty pods at the most.',
            by: pods,
            sort: 'memory',
            link: d.link('loadline-pod', ['namespace', 'workload', 'pod']),
            h: 7,
            targets: [
              d.column(ofPods('memoryWorkingSet', 'sum'), 'memory', 'bytes'),
              d.column(ofPods('memoryLimitUsage', 'max'), 'of the limit', 'ratio') { thresholds: { warn: t.memoryLimitFastRatio, bad: t.memoryLimitSlowRatio } },
              d.column(ofPods('cpuUsage', 'sum'), 'CPU', 'cores'),
              d.column(ofPods('cpuPressure', 'max'), 'CPU pressure', 'ratio') { thresholds: { bad: t.cpuPressureRatio } },
            ],
          }),
        ]) { order: 10 },
        cpu: d.row('CPU and memory', [
          several('workload', 'CPU', 'Cores that its containers use, ask for and are limited to.', 'cores', { used: 'cpuUsage', requested: 'cpuRequests', limit: 'cpuLimits' }),
          pressure('workload', 'CPU', 'cpuPressure', t.cpuPressureRatio),
          throttled('workload'),
          several('workload', 'Memory', 'Memory that its containers use, ask for and are limited to.', 'bytes', { used: 'memoryWorkingSet', requested: 'memoryRequests', limit: 'memoryLimits' }),
          limit('workload'),
          pressure('workload', 'memory', 'memoryPressure', t.memoryPressureRatio),
        ]) { order: 20 },
        network: d.row('Network and disk', [
          network('workload'),
          one('workload', 'networkDropped', 'dropped', { thresholds: { bad: t.packetsDroppedPerSecond } }),
          one('workload', 'retransmitted', 'sent again', { thresholds: { bad: t.retransmittedRatio } }),
          several('workload', 'Disk', 'Bytes that its containers read from block devices and wrote to them.', 'bytes_per_second', { read: 'blockRead', written: 'blockWrite' }),
          pressure('workload', 'disk', 'ioPressure', t.ioPressureRatio),
          one('workload', 'ephemeralStorage', 'used'),
        ]) { order: 30 },
        ends: d.row('Starts and OOM kills', [
          one('workload', 'oomKills', 'killed', { w: 12 }),
          one('workload', 'containerStarts', 'started', { w: 12 }),
        ]) { order: 50 },
      },
    },
  }
