// Clock, network devices, arrays of disks and memory of nodes, and their kernel.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.node;
  local t = config.thresholds;
  local node(family, matchers=[]) = family + promql.selector([config.selectors.node] + matchers);
  local once(family, labels=[]) = 'max by (%s) (%s)' % [alerts.by('node', labels), node(family)];
  local ticket(fields) = alerts.new({ level: 'node', severity: 'ticket', pending: '15m' } + fields);
  local rate(family) = 'max by (%s) (rate(%s[5m]))' % [alerts.by('node', ['device']), node(family, ['device!="lo"'])];

  alerts.group('resource-alerts-hardware', [
    ticket({
      name: 'NodeClockIsOff',
      pending: '10m',
      local offset = node('node_timex_offset_seconds'),
      expr: |||
        max by (%(node)s) (
          abs(%(offset)s) > %(limit)s
          and
            abs(%(offset)s) >= abs(%(offset)s offset 5m)
        )
      ||| % { node: alerts.by('node'), offset: offset, limit: t.clockOffsetSeconds },
      summary: 'The clock of %s is off.' % it,
      description: 'The clock of %s is {{ $value | humanizeDuration }} from its reference, and comes no nearer.' % it,
    }),
    ticket({
      name: 'NodeClockIsNotSynchronized',
      expr: |||
        max by (%(node)s) (
          %(maxerror)s >= 16
          and
            max_over_time(%(status)s[5m]) == 0
        )
      ||| % { node: alerts.by('node'), maxerror: node('node_timex_maxerror_seconds'), status: node('node_timex_sync_status') },
      summary: 'The clock of %s is not synchronized.' % it,
      description: 'Nothing sets the clock of %s, which may be {{ $value | humanizeDuration }} off by now.' % it,
    }),
    ticket({
      name: 'NodeNetworkHasErrors',
      labels: ['device'],
      expr: |||
        (
          %(received)s
          +
            %(sent)s
        )
        /
          (
            %(packetsReceived)s
            +
              %(packetsSent)s
          )
        > %(ratio)s
      ||| % {
        received: rate('node_network_receive_errs_total'),
        sent: rate('node_network_transmit_errs_total'),
        packetsReceived: rate('node_network_receive_packets_total'),
        packetsSent: rate('node_network_transmit_packets_total'),
        ratio: t.networkErrorRatio,
      },
      summary: 'Network device {{ $labels.device }} of %s has errors.' % it,
      description: '{{ $value | humanizePercentage }} of the packets of {{ $labels.device }} of %s have errors.' % it,
    }),
    ticket({
      name: 'NodeLinkFlaps',
      labels: ['device'],
      pending: '5m',
      expr: 'max by (%s) (increase(%s[15m])) > %s' % [
        alerts.by('node', ['device']),
        node('node_network_carrier_changes_total', ['device!~"veth.*|cali.*|lxc.*|cni.*|tap.*"']),
        t.linkChanges,
      ],
      summary: 'The link of {{ $labels.device }} of %s comes and goes.' % it,
      description: 'The link of {{ $labels.device }} of %s came or went {{ $value | humanize }} times in a quarter of an hour.' % it,
    }),
    ticket({
      name: 'NodeBondIsDegraded',
      labels: ['master'],
      pending: '5m',
      expr: promql.binary(once('node_bonding_slaves', ['master']), '-', once('node_bonding_active', ['master'])) + '\n> 0',
      summary: 'Bond {{ $labels.master }} of %s lacks devices.' % it,
      description: '{{ $value | humanize }} network devices of bond {{ $labels.master }} of %s have no link.' % it,
    }),
    ticket({
      name: 'NodeRaidIsDegraded',
      labels: ['device'],
      expr: promql.binary(
        once('node_md_disks_required', ['device']),
        '-',
        'max by (%s) (%s)' % [alerts.by('node', ['device']), node('node_md_disks', ['state="active"'])],
      ) + '\n> 0',
      summary: 'Array {{ $labels.device }} of %s lacks disks.' % it,
      description: 'Array {{ $labels.device }} of %s works with {{ $value | humanize }} disks fewer than it needs to be whole.' % it,
    }),
    ticket({
      name: 'NodeRaidDiskFailed',
      labels: ['device'],
      pending: '5m',
      expr: 'max by (%s) (%s) > 0' % [alerts.by('node', ['device']), node('node_md_disks', ['state="failed"'])],
      summary: 'A disk of array {{ $labels.device }} of %s has failed.' % it,
      description: '{{ $value | humanize }} disks of array {{ $labels.device }} of %s have failed and want to be replaced.' % it,
    }),
    ticket({
      name: 'NodeMemoryIsBroken',
      pending: '0s',
      held: '1h',
      expr: 'sum by (%s) (\n%s\n) > 0' % [
        alerts.by('node'),
        promql.indent('max by (%s) (increase(%s[1h]))' % [alerts.by('node', ['controller']), node('node_edac_uncorrectable_errors_total')]),
      ],
      summary: 'The memory of %s has errors that could not be corrected.' % it,
      description: '{{ $value | humanize }} memory errors of %s could not be corrected in the last hour: data may be wrong.' % it,
    }),
    ticket({
      name: 'NodeKernelTasksHang',
      pending: '0s',
      held: '15m',
      expr: 'max by (%s) (increase(%s[15m])) > 0' % [alerts.by('node'), node('node_kernel_hung_tasks_total')],
      summary: 'Tasks of the kernel of %s hang.' % it,
      description: 'The kernel of %s found {{ $value | humanize }} threads that waited uninterruptibly for minutes: mostly for a disk or a network file system that does not answer.' % it,
    }),
    ticket({
      name: 'NodeTextfileIsUnreadable',
      expr: once('node_textfile_scrape_error') + ' == 1',
      summary: 'A text file of metrics on %s cannot be served.' % it,
      description: 'The exporter on %s finds a text file of metrics that it cannot read, or a family in one that another has too.' % it,
    }),
    alerts.new({
      name: 'NodeRebooted',
      level: 'node',
      severity: 'event',
      held: '1d',
      expr: 'time() - %s < 600' % once('node_boot_time_seconds'),
      summary: '%s was booted.' % it,
      description: '%s was booted {{ $value | humanizeDuration }} ago.' % it,
    }),
  ])
