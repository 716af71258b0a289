// Whether the orchestrator keeps up with what it is told.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local alerts = (import '../lib/alert.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local t = config.thresholds;
  local of = d.matchAll(['namespace']);
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + of + matchers);
  local state(states) = 'count(max by (%s) (%s)) or vector(0)' % [alerts.by('workload'), own('loadline_workload_rollout_state', ['state=~"%s"' % states])];
  local ended(result) = 'sum(%s) or vector(0)' % alerts.inAnHour(signals.rollouts.query('namespace', of + ['result="%s"' % result]));
  local slowest(signal) = d.barGauge({
    title: signal.title,
    description: signal.description,
    unit: signal.unit,
    w: 8,
    targets: [d.target('topk(10, max by (namespace, workload) (%s) >= 0)' % signal.query('workload', of), '{{namespace}}/{{workload}}')],
  });
  {
    'loadline-rollouts': outline['loadline-rollouts'] {
      rows+: {
        rollouts: d.row('Do rollouts get on?', [
          d.stat({
            title: 'Stalled',
            description: 'Workloads whose rollout is past its deadline or was paused by failures.',
            thresholds: { bad: 1 },
            targets: [d.target(state('stalled'))],
          }),
          d.stat({
            title: 'In progress',
            description: 'Workloads whose pods are being replaced now, or rolled back.',
            targets: [d.target(state('progressing|rolling_back'))],
          }),
          d.stat({
            title: 'Failed in an hour',
            description: 'Rollouts of the last hour that came past their deadline or were paused by failures.',
            thresholds: { warn: 1 },
            targets: [d.target(ended('failed'))],
          }),
          d.table({
            title: 'Rollouts that go on, the longest first',
            description: 'Workloads whose rollout is not complete, what it is at, and for how long.',
            h: 8,
            w: 12,
            noDataIsGood: true,
            by: ['namespace', 'workload', 'state'],
            sort: 'since',
            link: d.link('loadline-workload', ['namespace', 'workload']),
            targets: [d.column('topk(20,\n  max by (namespace, workload, state) (%s)\n  * on (namespace, workload) group_left ()\n    max by (namespace, workload) (time() - %s)\n)' % [
              own('loadline_workload_rollout_state', ['state!="complete"']),
              own('loadline_workload_rollout_start_timestamp_seconds'),
            ], 'since', 'seconds')],
          }),
          d.timeSeries({
            title: 'Rollouts by result',
            description: signals.rollouts.description,
            min: 0,
            targets: [d.target('sum by (result) (%s)' % signals.rollouts.query('namespace', of), '{{result}}')],
          }),
          d.timeSeries({
            title: 'Replicas desired and ready',
            description: 'Pods or tasks of all workloads: what should be there, and what is ready.',
            min: 0,
            targets: [
              d.target('sum (%s)' % signals.replicasDesired.query('namespace', of), 'desired'),
              d.target('sum (%s)' % signals.replicasReady.query('namespace', of), 'ready'),
            ],
          }),
        ]) { order: 0 },
        starts: d.row('How long do starts take?', [
          slowest(signals.podSchedulingTime),
          slowest(signals.podStartTime),
          slowest(signals.podReadyTime),
        ]) { order: 10 },
        control: d.row('Does the orchestrator keep up?', [
          d.timeSeries({
            title: signals.imagePullTime.title,
            description: signals.imagePullTime.description,
            unit: 'seconds',
            min: 0,
            w: 8,
            targets: [d.target('topk(10, %s)' % signals.imagePullTime.query('cluster', d.match([])), '{{registry}}')],
          }),
          d.barGauge({
            title: 'Watches that broke in an hour',
            description: 'Times in the last hour that a resource was listed anew: a broken watch costs the API server and its store. Each is listed once at the start.',
            thresholds: { bad: t.listsPerHour },
            w: 8,
            targets: [d.target('topk(10, max by (resource) (increase(%s[1h])))' % ('loadline_watch_lists_total' + promql.selector([config.selectors.orchestrator] + d.match([]))), '{{resource}}')],
          }),
          d.timeSeries({
            title: 'Job runs by result',
            description: signals.jobRuns.description,
            min: 0,
            w: 8,
            targets: [d.target('sum by (result) (%s)' % signals.jobRuns.query('namespace', of), '{{result}}')],
          }),
          d.table({
            title: 'Autoscalers, the nearest to their limit first',
            description: 'Replicas that autoscalers want as a share of the most that they may give.',
            w: 12,
            h: 6,
            by: ['namespace', 'workload', 'autoscaler'],
            sort: 'of the limit',
            link: d.link('loadline-workload', ['namespace', 'workload']),
            targets: [d.column('topk(20,\n  max by (namespace, workload, autoscaler) (%s)\n  /\n    max by (namespace, workload, autoscaler) (%s)\n)' % [own('loadline_autoscaler_replicas_desired'), own('loadline_autoscaler_replicas_max')], 'of the limit', 'ratio') + { thresholds: { bad: 1 } }],
          }),
          d.table({
            title: 'Cron jobs, those that missed runs first',
            description: 'Runs that cron jobs should have started since their last one and have not.',
            w: 12,
            h: 6,
            by: ['namespace', 'workload'],
            sort: 'missed',
            link: d.link('loadline-workload', ['namespace', 'workload']),
            targets: [d.column('topk(20, max by (namespace, workload) (%s))' % own('loadline_cronjob_missed_schedules'), 'missed') + { thresholds: { warn: 1 } }],
          }),
        ]) { order: 20 },
      },
    },
  }
