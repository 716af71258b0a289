// What runs to its end, what starts it by the clock, and what scales workloads.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.workload;
  local t = config.thresholds;
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + matchers);
  local ticket(fields) = alerts.new({ level: 'workload', severity: 'ticket' } + fields);
  local names = {
    workload: alerts.by('workload'),
    run: alerts.by('workload', ['job_name']),
    autoscaler: alerts.by('workload', ['autoscaler']),
  };
  // When the last run of each workload in a state ended.
  local ended(state) = |||
    max by (%(workload)s) (
      max by (%(run)s) (%(ends)s)
      and on (%(run)s)
        %(states)s
    )
  ||| % names {
    ends: own('loadline_job_end_timestamp_seconds'),
    states: own('loadline_job_state', ['state="%s"' % state]),
  };

  alerts.group('orchestrator-alerts-jobs', [
    ticket({
      name: 'JobFailed',
      pending: '1m',
      // The last failure, where nothing was complete after it.
      expr: 'time()\n-\n  (\n%s\n    unless\n      (\n%s\n        >\n%s\n      )\n  )\n< %s' % [
        promql.indent(ended('failed'), '    '),
        promql.indent(ended('complete'), '        '),
        promql.indent(ended('failed'), '          '),
        t.jobFailedSeconds,
      ],
      summary: 'The last run of %s failed.' % it,
      description: 'A run of %s failed {{ $value | humanizeDuration }} ago, and none has been complete since.' % it,
    }),
    ticket({
      name: 'JobRunsLong',
      labels: ['job_name'],
      pending: '5m',
      expr: |||
        max by (%(run)s) (
          time() - %(starts)s
          and on (%(run)s)
            %(running)s
        ) > %(limit)s
      ||| % names {
        starts: own('loadline_job_start_timestamp_seconds'),
        running: own('loadline_job_state', ['state="running"']),
        limit: t.jobRunSeconds,
      },
      summary: 'Run {{ $labels.job_name }} of %s does not end.' % it,
      description: 'Run {{ $labels.job_name }} of %s has gone on for {{ $value | humanizeDuration }}.' % it,
    }),
    ticket({
      name: 'CronJobDidNotRun',
      pending: '10m',
      expr: |||
        max by (%(workload)s) (%(missed)s) > 0
        unless on (%(workload)s)
          %(active)s > 0
      ||| % names {
        missed: own('loadline_cronjob_missed_schedules'),
        active: own('loadline_cronjob_active_jobs'),
      },
      summary: '%s was not started when it should have been.' % it,
      description: '%s has missed {{ $value | humanize }} of its runs, and none goes on.' % it,
    }),
    ticket({
      name: 'AutoscalerIsAtItsLimit',
      labels: ['autoscaler'],
      pending: '15m',
      expr: |||
        max by (%(autoscaler)s) (%(max)s)
        and on (%(autoscaler)s)
          %(limited)s
      ||| % names {
        max: own('loadline_autoscaler_replicas_max'),
        limited: own('loadline_autoscaler_limited', ['reason="max_replicas"']),
      },
      summary: 'Autoscaler {{ $labels.autoscaler }} would scale %s further and may not.' % it,
      description: '%s has had the {{ $value | humanize }} replicas that its autoscaler {{ $labels.autoscaler }} may give it for a quarter of an hour, and the load asks for more.' % it,
    }),
    ticket({
      name: 'AutoscalerCannotScale',
      labels: ['autoscaler', 'reason'],
      pending: '15m',
      expr: alerts.once('workload', own('loadline_autoscaler_limited', ['reason=~"metrics_missing|selector_invalid|target_missing|other"']), ['autoscaler', 'reason']),
      summary: 'Autoscaler {{ $labels.autoscaler }} cannot scale %s: {{ $labels.reason }}.' % it,
      description: 'Autoscaler {{ $labels.autoscaler }} of %s has not been able to do its work for a quarter of an hour, for the reason {{ $labels.reason }}.' % it,
    }),
    ticket({
      name: 'AutoscalerIsNotFollowed',
      labels: ['autoscaler'],
      pending: '15m',
      expr: |||
        max by (%(autoscaler)s) (%(desired)s - %(current)s) != 0
        and on (%(autoscaler)s)
          changes(%(current)s[15m]) == 0
      ||| % names {
        desired: own('loadline_autoscaler_replicas_desired'),
        current: own('loadline_autoscaler_replicas_current'),
      },
      summary: '%s does not get the replicas that autoscaler {{ $labels.autoscaler }} wants.' % it,
      description: 'Autoscaler {{ $labels.autoscaler }} has wanted {{ $value | humanize }} replicas more than %s has for a quarter of an hour, and nothing changes.' % it,
    }),
  ])
