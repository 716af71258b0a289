// Containers that come near their memory limit, and what that does to them.
function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local container = alerts.what.container;
  local workload = alerts.what.workload;
  local t = config.thresholds;
  local used = signals.memoryLimitUsage.at('container');

  [alerts.group('resource-alerts-memory', [
    // A program that fills what it is given and stays there, or that frees memory now and
    // then, was as high before.
    alerts.new({
      name: 'ContainerMemoryNearLimit',
      level: 'container',
      severity: 'ticket',
      pending: '2m',
      expr: |||
        (
          %(used)s > %(share)s
        )
        and
          predict_linear(%(used)s[10m], 900) > 1
        unless
          max_over_time(%(used)s[30m] offset 5m) >= %(used)s
      ||| % { used: used, share: t.memoryLimitFastRatio },
      summary: 'The memory limit of %s is reached within minutes.' % container,
      description: '%s uses {{ $value | humanizePercentage }} of its memory limit, and at the rate of the last ten minutes all of it within a quarter of an hour: then the OOM killer ends it.' % container,
    }),
    alerts.new({
      name: 'WorkloadWaitsForMemory',
      level: 'workload',
      severity: 'ticket',
      pending: '15m',
      expr: '%s > %s' % [signals.memoryPressure.at('workload'), t.memoryPressureRatio],
      summary: '%s waits for memory.' % workload,
      description: 'A container of %s has waited for memory {{ $value | humanizePercentage }} of the time for a quarter of an hour: it is about as large as its limit, or its node is short.' % workload,
    }),
    alerts.new({
      name: 'OomKillsRepeat',
      level: 'workload',
      severity: 'ticket',
      pending: '1m',
      expr: '%s >= %s' % [alerts.inAnHour(signals.oomKills.at('workload')), t.oomKillsPerHour],
      summary: 'The OOM killer ends processes of %s again and again.' % workload,
      description: 'The OOM killer ended {{ $value | humanize }} processes of %s in the last hour.' % workload,
    }),
  ]), alerts.group('resource-alerts-growth', [
    alerts.new({
      name: 'ContainerMemoryGrows',
      level: 'container',
      severity: 'ticket',
      pending: '15m',
      expr: |||
        (
          %(used)s > %(share)s
        )
        and
          predict_linear(%(used)s[1h], 14400) > 1
        unless
          max_over_time(%(used)s[3h:5m] offset 30m) >= %(used)s
      ||| % { used: used, share: t.memoryLimitSlowRatio },
      summary: 'The memory limit of %s is reached within hours.' % container,
      description: '%s uses {{ $value | humanizePercentage }} of its memory limit, and at the rate of the last hour all of it within four hours.' % container,
    }),
  ], config.slowInterval)]
