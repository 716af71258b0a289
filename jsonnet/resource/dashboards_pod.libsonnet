// What a pod and its containers do: the one dashboard that reads raw series of
// containers, of one pod.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local t = config.thresholds;
  local pod = d.match(['namespace', 'pod']);
  local of = pod + ['container=~"$container"'];
  local containers(family) = family + promql.selector([config.selectors.container, 'container!~"|POD"'] + of);
  local ofPod(family) = family + promql.selector([config.selectors.container] + pod);
  local own(family) = family + promql.selector([config.selectors.resource] + pod);
  local third = { w: 8, min: 0 };
  local one(name, fields={}) = d.timeSeries(third {
    title: signals[name].title,
    description: signals[name].description,
    unit: signals[name].unit,
    targets: [d.target('max by (container) (%s)' % signals[name].query('container', of), '{{container}}')],
  } + fields);
  local rate(family) = 'rate(%s[%s])' % [family, config.rateWindow];
  {
    'loadline-pod': outline['loadline-pod'] {
      rows+: {
        memory: d.row('Memory', [
          one('memoryLimitUsage', { thresholds: { warn: t.memoryLimitFastRatio, bad: t.memoryLimitSlowRatio } }),
          one('memoryWorkingSet'),
          one('memoryPressure', { thresholds: { bad: t.memoryPressureRatio } }),
          d.timeSeries(third {
            title: 'What memory is made of',
            description: 'Memory of its programs, and files that the kernel keeps for them and can drop.',
            unit: 'bytes',
            stack: true,
            w: 12,
            targets: [
              d.target('sum(max by (container, id) (%s))' % containers('container_memory_rss'), 'programs'),
              d.target('sum(max by (container, id) (%s))' % containers('container_memory_cache'), 'files'),
            ],
          }),
          one('threadsLimitUsage', { w: 12, thresholds: { bad: t.threadsLimitRatio } }),
        ]) { order: 10 },
        cpu: d.row('CPU', [
          one('cpuUsage'),
          one('cpuThrottled'),
          one('cpuPressure', { thresholds: { bad: t.cpuPressureRatio } }),
        ]) { order: 20 },
        network: d.row('Network', [
          d.timeSeries(third {
            title: 'Network by interface',
            description: 'Bytes that the pod received and sent on each of its interfaces.',
            unit: 'bytes_per_second',
            targets: [
              d.target('max by (interface) (%s)' % rate(ofPod('container_network_receive_bytes_total')), 'received {{interface}}'),
              d.target('max by (interface) (%s)' % rate(ofPod('container_network_transmit_bytes_total')), 'sent {{interface}}'),
            ],
          }),
          d.timeSeries(third {
            title: 'Packets dropped',
            description: 'Packets that the pod received or was to send, and dropped.',
            unit: 'per_second',
            targets: [
              d.target('max by (interface) (%s)' % rate(ofPod('container_network_receive_packets_dropped_total')), 'received {{interface}}'),
              d.target('max by (interface) (%s)' % rate(ofPod('container_network_transmit_packets_dropped_total')), 'sent {{interface}}'),
            ],
          }),
          d.timeSeries(third {
            title: 'TCP connections',
            description: 'TCP connections of the pod by their state.',
            stack: true,
            targets: [d.target('sum by (state) (max by (state, peer) (%s))' % own('loadline_pod_tcp_connections'), '{{state}}')],
          }),
        ]) { order: 30 },
        disk: d.row('Disk', [
          one('blockRead'),
          one('blockWrite'),
          one('ioPressure', { thresholds: { bad: t.ioPressureRatio } }),
        ]) { order: 40 },
      },
    },
  }
