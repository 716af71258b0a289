// Whether a workload has what it should have.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local alerts = (import '../lib/alert.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local t = config.thresholds;
  local of = d.match(['namespace', 'workload']);
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + of + matchers);
  local stat(signal, fields={}) = d.stat({
    title: signal.title,
    description: signal.description,
    unit: signal.unit,
    targets: [d.target('sum (%s)' % signal.query('workload', of))],
  } + fields);
  {
    'loadline-workload': outline['loadline-workload'] {
      rows+: {
        replicas: d.row('Does it have what it should have?', [
          stat(signals.replicasReadyRatio, {
            title: 'Ready of desired',
            thresholds: { warn: 1, bad: t.workloadReadyRatio },
            targets: [d.target('min (%s)' % signals.replicasReadyRatio.query('workload', of))],
          }),
          stat(signals.replicasDesired),
          stat(signals.replicasReady),
          stat(signals.replicasUpdated),
          d.stat({
            title: 'Longest overdue',
            description: signals.podOverdue.description,
            unit: 'seconds',
            thresholds: { warn: 60, bad: t.podOverdueSeconds },
            targets: [d.target('max (%s) or vector(0)' % signals.podOverdue.query('workload', of))],
          }),
          d.stat({
            title: 'Restarts in an hour',
            description: 'Times that its containers were started again in the last hour.',
            thresholds: { warn: 1, bad: t.restartsPerHour },
            targets: [d.target('sum (%s)' % alerts.inAnHour(signals.restarts.query('workload', of)))],
          }),
          d.timeSeries({
            title: 'Replicas',
            description: 'Pods or tasks that the workload should have, and those that are ready, available and of the latest revision.',
            min: 0,
            targets: [d.target(signals[name].query('workload', of), std.asciiLower(signals[name].title[9:])) for name in ['replicasDesired', 'replicasReady', 'replicasAvailable', 'replicasUpdated']],
          }),
          d.timeSeries({
            title: 'Pods by phase',
            description: signals.pods.description,
            stack: true,
            min: 0,
            targets: [d.target(signals.pods.query('workload', of), '{{phase}}')],
          }),
        ]) { order: 0 },
        lives: d.row('What happens to it?', [
          d.timeSeries({
            title: signals.terminations.title,
            description: signals.terminations.description,
            min: 0,
            w: 8,
            targets: [d.target(signals.terminations.query('workload', of), '{{reason}}')],
          }),
          d.timeSeries({
            title: 'Events',
            description: signals.events.description,
            min: 0,
            w: 8,
            targets: [d.target('topk(10, %s)' % signals.events.query('workload', of), '{{class}}')],
          }),
          d.heatmap({
            title: 'Time until ready',
            description: 'How long new pods took from creation until they were ready.',
            unit: 'seconds',
            w: 8,
            targets: [d.target('sum by (le) (increase(%s[%s]))' % [own('loadline_workload_pod_ready_duration_seconds_bucket'), config.rateWindow])],
            quantiles: [d.target(signals.podReadyTime.query('workload', of), '95 of 100')],
          }),
        ]) { order: 40 },
      },
    },
  }
