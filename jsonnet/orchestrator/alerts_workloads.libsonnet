// Workloads that do not get on, lack replicas, or whose containers cannot run.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.workload;
  local t = config.thresholds;
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + matchers);
  local wanted = (import 'wanted.libsonnet')(config, signals);
  local names = {
    workload: alerts.by('workload'),
    wanted: wanted.replicas,
    ready: signals.replicasReady.at('workload'),
    available: signals.replicasAvailable.at('workload'),
    stalled: own('loadline_workload_rollout_state', ['state="stalled"']),
    unfinished: own('loadline_workload_rollout_state', ['state!="complete"']),
    ratio: t.workloadReadyRatio,
  };
  local pull = 'image_pull_failed|image_pull_back_off|image_name_invalid|image_absent|image_invalid|registry_unavailable';
  local waiting(reasons) = signals.containersWaiting.query('workload', ['reason=~"%s"' % reasons]);
  local ticket(fields) = alerts.new({ level: 'workload', severity: 'ticket' } + fields);

  alerts.group('orchestrator-alerts-workloads', [
    alerts.new({
      name: 'WorkloadIsStalled',
      level: 'workload',
      severity: 'page',
      pending: '5m',
      expr: |||
        (
          %(ready)s
          /
            (%(wanted)s > 0)
          < %(ratio)s
        )
        and on (%(workload)s)
          %(stalled)s
      ||| % names,
      summary: 'The rollout of %s does not get on, and replicas are missing.' % it,
      description: 'The rollout of %s has stopped, and {{ $value | humanizePercentage }} of its replicas are ready: it does not heal by itself.' % it,
    }),
    ticket({
      name: 'RolloutIsStalled',
      pending: '10m',
      expr: |||
        max by (%(workload)s) (
          %(stalled)s
        )
        unless on (%(workload)s)
          (
            %(ready)s
            /
              (%(wanted)s > 0)
            < %(ratio)s
          )
      ||| % names,
      summary: 'The rollout of %s does not get on.' % it,
      description: 'The rollout of %s is past its deadline or was paused by failures; the pods of the former revision still do the work.' % it,
    }),
    ticket({
      name: 'WorkloadIsBelowCapacity',
      pending: '15m',
      expr: |||
        (
          %(available)s
          /
            (%(wanted)s > 0)
          < 1
        )
        unless on (%(workload)s)
          %(unfinished)s
      ||| % names,
      summary: '%s lacks replicas.' % it,
      description: '%s has had {{ $value | humanizePercentage }} of its replicas available for a quarter of an hour, and no rollout goes on.' % it,
    }),
    ticket({
      name: 'WorkloadIsNotObserved',
      pending: '15m',
      expr: alerts.once('workload', own('loadline_workload_generation_lag')) + ' > 0',
      summary: 'Changes of %s are not acted upon.' % it,
      description: 'The controller has not looked at the last {{ $value | humanize }} changes of %s for a quarter of an hour.' % it,
    }),
    ticket({
      name: 'WorkloadRunsOnWrongNodes',
      pending: '15m',
      expr: |||
        max by (%(workload)s) (
          label_replace(
            label_replace(
              kube_daemonset_status_number_misscheduled{%(kube)s},
              "workload", "$1", "daemonset", "(.*)"
            ),
            "workload_type", "daemonset", "", ""
          )
        ) > 0
      ||| % names { kube: config.selectors.kube },
      summary: '%s runs on nodes where it should not.' % it,
      description: '{{ $value | humanize }} pods of %s run on nodes that it does not select, or whose taints it does not tolerate.' % it,
    }),
    ticket({
      name: 'WorkloadCrashLoops',
      pending: '15m',
      expr: 'max_over_time(%s[10m]) > 0' % waiting('crash_loop_back_off'),
      summary: 'Containers of %s end again and again.' % it,
      description: '{{ $value | humanize }} containers of %s have ended again and again for a quarter of an hour, and wait before they are started once more.' % it,
    }),
    ticket({
      name: 'WorkloadRestartsOften',
      pending: '15m',
      expr: |||
        %(restarts)s > %(limit)s
        unless on (%(workload)s)
          max_over_time(%(looping)s[10m]) > 0
      ||| % names {
        restarts: alerts.inAnHour(signals.restarts.at('workload')),
        limit: t.restartsPerHour,
        looping: waiting('crash_loop_back_off'),
      },
      summary: 'Containers of %s are started again often.' % it,
      description: 'Containers of %s were started again {{ $value | humanize }} times in the last hour.' % it,
    }),
    ticket({
      name: 'PodsAreOverdue',
      labels: ['phase'],
      pending: '5m',
      expr: |||
        %(overdue)s > %(limit)s
        unless on (%(workload)s)
          %(gated)s
      ||| % names {
        overdue: signals.podOverdue.at('workload'),
        limit: t.podOverdueSeconds,
        gated: waiting('scheduling_gated'),
      },
      summary: 'Pods of %s stay {{ $labels.phase }}.' % it,
      description: 'A pod of %s has been {{ $labels.phase }} for {{ $value | humanizeDuration }}.' % it,
    }),
    ticket({
      name: 'ContainersCannotStart',
      labels: ['reason'],
      pending: '15m',
      expr: waiting('configuration|create_failed|start_failed|hook_failed|no_suitable_node|other') + ' > 0',
      summary: 'Containers of %s cannot start: {{ $labels.reason }}.' % it,
      description: '{{ $value | humanize }} containers of %s have not been able to start for a quarter of an hour, for the reason {{ $labels.reason }}.' % it,
    }),
    ticket({
      name: 'ImageCannotBePulled',
      labels: ['class'],
      pending: '10m',
      local failing = waiting(pull),
      local classes = 'max_over_time(%s[30m]) > 0' % signals.events.query('workload', ['class=~"pull_failed_.+"']),
      expr: |||
        (
          sum by (%(workload)s) (%(failing)s)
          * on (%(workload)s) group_right ()
            group by (%(workload)s, class) (%(classes)s)
        )
        or on (%(workload)s)
          sum by (%(workload)s) (%(failing)s)
      ||| % names { failing: failing, classes: classes },
      summary: 'Images of %s cannot be pulled.' % it,
      description: '{{ $value | humanize }} containers of %s have waited for their image for ten minutes{{ with $labels.class }}; pulls end as {{ . }}{{ end }}.' % it,
    }),
    ticket({
      name: 'WorkloadIsEvicted',
      pending: '1m',
      expr: |||
        sum by (%(workload)s) (
          %(evictions)s
        ) >= %(limit)s
      ||| % names {
        evictions: alerts.inAnHour(signals.events.query('workload', ['class=~"killed_by_node_pressure|killed_by_storage_limit"'])),
        limit: t.evictionsPerHour,
      },
      summary: 'Pods of %s are evicted again and again.' % it,
      description: '{{ $value | humanize }} pods of %s were evicted in the last hour, because their node was short of something or they stored more than they may.' % it,
    }),
    ticket({
      name: 'QuotaKeepsPodsOut',
      pending: '5m',
      expr: signals.events.query('workload', ['class="pod_create_failed_quota"']) + ' > 0',
      summary: 'Pods of %s are not made: the quota is used up.' % it,
      description: 'Making pods of %s was refused {{ $value | humanize }} times in the last %s, because the quota of its namespace is used up.' % [it, config.rateWindow],
    }),
  ])
