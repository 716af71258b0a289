// Nodes that are short of something.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.node;
  local t = config.thresholds;
  local node(family, matchers=[]) = family + promql.selector([config.selectors.node] + matchers);
  local own(family, matchers=[]) = family + promql.selector([config.selectors.resource] + matchers);
  local ticket(fields) = alerts.new({ level: 'node', severity: 'ticket', pending: '15m' } + fields);
  local share(part, whole) = '%s\n/\n  (%s > 0)' % [part, whole];

  alerts.group('resource-alerts-nodes', [
    ticket({
      name: 'NodeWaitsForCpu',
      expr: '%s > %s' % [signals.hostCpuPressure.at('node'), t.nodeCpuPressureRatio],
      summary: '%s has too little CPU for its work.' % it,
      description: 'Something on %s has waited for a processor {{ $value | humanizePercentage }} of the time for a quarter of an hour.' % it,
    }),
    ticket({
      name: 'NodeWaitsForMemory',
      expr: '%s > %s' % [signals.hostMemoryPressure.at('node'), t.nodeMemoryPressureRatio],
      summary: '%s has too little memory for its work.' % it,
      description: 'Something on %s has waited for memory {{ $value | humanizePercentage }} of the time for a quarter of an hour: it reads again what it had to drop.' % it,
    }),
    ticket({
      name: 'NodeWaitsForDisk',
      expr: '%s > %s' % [signals.hostIoPressure.at('node'), t.nodeIoPressureRatio],
      summary: 'The disks of %s are too slow for its work.' % it,
      description: 'Something on %s has waited for a disk {{ $value | humanizePercentage }} of the time for a quarter of an hour.' % it,
    }),
    ticket({
      name: 'NodeMemoryIsNearlyUsedUp',
      expr: '%s > %s' % [signals.hostMemoryUsage.at('node'), t.nodeMemoryUsageRatio],
      summary: 'The memory of %s is nearly used up.' % it,
      description: '{{ $value | humanizePercentage }} of the memory of %s has been in use for a quarter of an hour. Pods are evicted soon, or killed.' % it,
    }),
    ticket({
      name: 'NodeRanOutOfMemory',
      pending: '0s',
      held: '15m',
      expr: |||
        sum by (%(node)s) (
          max by (%(each)s) (increase(%(kills)s[5m]))
        ) > 0
      ||| % {
        node: alerts.by('node'),
        each: alerts.by('node', ['namespace', 'workload', 'workload_type', 'container', 'victim']),
        kills: own('loadline_workload_oom_kills_total', ['scope="node"']),
      },
      summary: '%s ran out of memory.' % it,
      description: 'The kernel of %s ended {{ $value | humanize }} processes because the memory of the whole machine was used up.' % it,
    }),
    ticket({
      name: 'NodeHasUnlimitedContainers',
      pending: '30m',
      expr: |||
        sum by (%(node)s) (
          %(used)s
          unless
            %(limits)s
        )
        / on (%(node)s)
          %(memory)s
        > %(share)s
        and on (%(node)s)
          (%(promised)s > 1 or %(busy)s > %(most)s)
      ||| % {
        node: alerts.by('node'),
        used: signals.memoryWorkingSet.at('container'),
        limits: signals.memoryLimitUsage.at('container'),
        memory: signals.hostMemory.at('node'),
        share: t.unlimitedMemoryRatio,
        promised: signals.hostMemoryLimitedRatio.at('node'),
        busy: signals.hostMemoryUsage.at('node'),
        most: t.nodeMemoryUsageRatio,
      },
      summary: 'Containers without a memory limit take much of %s, which is promised more than once.' % it,
      description: 'Containers without a memory limit take {{ $value | humanizePercentage }} of the memory of %s, whose pods may take more together than there is: whichever grows first has others killed.' % it,
    }),
    ticket({
      name: 'NodeHasNoRoomForPods',
      labels: [],
      expr: share(
        alerts.once('node', own('loadline_node_resource_requested', ['resource="pods"'])),
        alerts.once('node', own('loadline_node_resource_allocatable', ['resource="pods"'])),
      ) + '\n> %s' % t.nodePodsRatio,
      summary: '%s takes nearly no more pods.' % it,
      description: '%s has {{ $value | humanizePercentage }} of the pods that it may have.' % it,
    }),
    ticket({
      name: 'NodeConntrackIsNearlyFull',
      expr: share(
        alerts.once('node', node('node_nf_conntrack_entries')),
        alerts.once('node', node('node_nf_conntrack_entries_limit')),
      ) + '\n> %s' % t.conntrackRatio,
      summary: '%s can track few more connections.' % it,
      description: '{{ $value | humanizePercentage }} of the connections that %s can track are; beyond them packets are dropped.' % it,
    }),
    ticket({
      name: 'NodeFileDescriptorsNearLimit',
      expr: share(
        alerts.once('node', node('node_filefd_allocated')),
        alerts.once('node', node('node_filefd_maximum')),
      ) + '\n> %s' % t.fileDescriptorsRatio,
      summary: '%s can open few more files.' % it,
      description: '{{ $value | humanizePercentage }} of the files that %s can have open at once are.' % it,
    }),
    ticket({
      name: 'NodeProcessesNearLimit',
      local threads = alerts.once('node', node('node_processes_threads')),
      expr: 'max by (%s) (\n%s\n  or\n%s\n) > %s' % [
        alerts.by('node'),
        promql.indent('label_replace(%s, "of", "threads", "", "")' % share(threads, alerts.once('node', node('node_processes_max_threads')))),
        promql.indent('label_replace(%s, "of", "pids", "", "")' % share(threads, alerts.once('node', node('node_processes_max_processes'))), '    '),
        t.processesRatio,
      ],
      summary: '%s can start few more processes.' % it,
      description: '{{ $value | humanizePercentage }} of the processes and threads that %s can have are there.' % it,
    }),
    ticket({
      name: 'NodeUnitFailed',
      labels: ['name'],
      expr: alerts.once('node', node('node_systemd_unit_state', ['state="failed"']), ['name']) + ' == 1',
      summary: 'Unit {{ $labels.name }} of %s has failed.' % it,
      description: 'systemd of %s has had {{ $labels.name }} in state failed for a quarter of an hour.' % it,
    }),
    ticket({
      name: 'NodeUnitRestartsOften',
      labels: ['name'],
      expr: 'max by (%s) (increase(%s[1h])) > %s' % [alerts.by('node', ['name']), node('node_systemd_service_restart_total'), t.unitRestartsPerHour],
      summary: 'Service {{ $labels.name }} of %s ends again and again.' % it,
      description: 'systemd of %s restarted {{ $labels.name }} {{ $value | humanize }} times in the last hour.' % it,
    }),
  ])
