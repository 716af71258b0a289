// Workloads that wait, and whose connections suffer.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.workload;
  local t = config.thresholds;
  local ticket(fields) = alerts.new({ level: 'workload', severity: 'ticket', pending: '15m' } + fields);

  alerts.group('resource-alerts-workloads', [
    ticket({
      name: 'WorkloadWaitsForCpu',
      expr: '%s > %s' % [signals.cpuPressure.at('workload'), t.cpuPressureRatio],
      summary: '%s waits for CPU.' % it,
      description: 'A container of %s has waited for a processor {{ $value | humanizePercentage }} of the time for a quarter of an hour: its limit holds it, or its node is busy.' % it,
    }),
    ticket({
      name: 'WorkloadWaitsForDisk',
      expr: '%s > %s' % [signals.ioPressure.at('workload'), t.ioPressureRatio],
      summary: '%s waits for the disk.' % it,
      description: 'A container of %s has waited for a disk {{ $value | humanizePercentage }} of the time for a quarter of an hour.' % it,
    }),
    alerts.new({
      name: 'ContainerThreadsNearLimit',
      level: 'container',
      severity: 'ticket',
      pending: '10m',
      expr: '%s > %s' % [signals.threadsLimitUsage.at('container'), t.threadsLimitRatio],
      summary: '%s has nearly as many threads as it may.' % alerts.what.container,
      description: '%s has {{ $value | humanizePercentage }} of the threads that it may have; beyond them it starts none.' % alerts.what.container,
    }),
    ticket({
      name: 'ConnectionsFindFullQueue',
      pending: '10m',
      expr: '%s > %s' % [signals.acceptOverflows.at('workload'), t.acceptOverflowsPerSecond],
      summary: '%s accepts connections too slowly.' % it,
      description: '{{ $value | humanize }} connections a second to %s find the queue full and are dropped: its program accepts too slowly, or its backlog is short.' % it,
    }),
    ticket({
      name: 'ConnectionsLosePackets',
      expr: promql.binary(
        '%s > %s' % [signals.retransmitted.at('workload'), t.retransmittedRatio],
        'and',
        '%s > %s' % [signals.segmentsSent.at('workload'), t.retransmittedSegmentsPerSecond],
      ),
      summary: 'The network loses packets of %s.' % it,
      description: '{{ $value | humanizePercentage }} of the TCP segments of %s had to be sent again.' % it,
    }),
    ticket({
      name: 'PacketsAreDropped',
      expr: '%s > %s' % [signals.networkDropped.at('workload'), t.packetsDroppedPerSecond],
      summary: 'Packets of %s are dropped.' % it,
      description: 'The interfaces of the pods of %s drop {{ $value | humanize }} packets a second.' % it,
    }),
  ])
