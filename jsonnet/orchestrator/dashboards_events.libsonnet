// What the orchestrator reported.
function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local alerts = (import '../lib/alert.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local of = d.matchAll(['namespace']);
  // Classes that tell of trouble.
  local trouble = 'class=~".*(failed|killed|unhealthy|back_off|oom).*"';
  local inAnHour(title, description, classes) = d.stat({
    title: title,
    description: description,
    thresholds: { warn: 1 },
    targets: [d.target('sum(%s) or vector(0)' % alerts.inAnHour(signals.events.query('namespace', of + ['class=~"%s"' % classes])))],
    decimals: 0,
  });
  local name = '{{namespace}}/{{workload}}';
  {
    'loadline-events': outline['loadline-events'] {
      rows+: {
        hour: d.row('What went wrong in the last hour?', [
          inAnHour('Killed', 'Containers and pods that were ended: by their health check, the OOM killer, pressure on their node, preemption.', 'killed_by_.+|.*oom.*'),
          inAnHour('Pulls that failed', 'Images that could not be pulled.', 'pull_failed_.+'),
          inAnHour('Unhealthy', 'Checks of health or readiness that failed.', 'unhealthy_.+'),
          inAnHour('Pods not made', 'Pods that were refused when they were to be made, by a quota or another rule.', 'pod_create_failed_.+'),
          d.stat({
            title: 'Restarts in an hour',
            description: 'Containers that were started again in the last hour.',
            thresholds: { warn: 1 },
            decimals: 0,
            targets: [d.target('sum(%s) or vector(0)' % alerts.inAnHour(signals.restarts.query('namespace', of)))],
          }),
          d.stat({
            title: 'Rolled back',
            description: 'Workloads that went back to a former revision in the last hour.',
            thresholds: { warn: 1 },
            decimals: 0,
            targets: [d.target('sum(%s) or vector(0)' % alerts.inAnHour(signals.rollouts.query('namespace', of + ['result="rolled_back"'])))],
          }),
          d.table({
            title: 'Where, in the last hour',
            description: 'Events that tell of trouble by workload and class, the most frequent first.',
            h: 9,
            w: 12,
            noDataIsGood: true,
            by: ['namespace', 'workload', 'class'],
            sort: 'events',
            link: d.link('loadline-workload', ['namespace', 'workload']),
            targets: [d.column('topk(20, sum by (namespace, workload, class) (%s) > 0)' % alerts.inAnHour(signals.events.query('workload', of + [trouble])), 'events')],
          }),
          d.timeSeries({
            title: 'Events that tell of trouble',
            description: signals.events.description,
            noDataIsGood: true,
            stack: true,
            min: 0,
            h: 9,
            targets: [d.target('sum by (class) (%s) > 0' % signals.events.query('namespace', of + [trouble]), '{{class}}')],
          }),
        ]) { order: 0 },
        lives: d.row('What ended, and what began?', [
          d.timeSeries({
            title: signals.terminations.title,
            description: signals.terminations.description,
            stack: true,
            min: 0,
            targets: [d.target('sum by (reason) (%s)' % signals.terminations.query('namespace', of), '{{reason}}')],
          }),
          d.timeSeries({
            title: 'Restarts',
            description: 'Containers that were started again, of the workloads with most of them.',
            min: 0,
            targets: [d.target('topk(10, sum by (namespace, workload) (%s))' % signals.restarts.query('workload', of), name)],
          }),
          d.timeSeries({
            title: 'All events',
            description: signals.events.description,
            stack: true,
            min: 0,
            w: 24,
            targets: [d.target('topk(15, sum by (class) (%s))' % signals.events.query('namespace', of), '{{class}}')],
          }),
        ]) { order: 10 },
      },
    },
  }
