// Services that do not answer, or not as many as should: what users feel.
function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.service;
  local wanted = (import 'wanted.libsonnet')(config, signals);
  local names = {
    service: alerts.by('service'),
    workload: alerts.by('workload'),
    ready: signals.endpointsReady.at('service'),
    wanted: wanted.replicas,
    behind: wanted.behind,
    endpoints: wanted.endpoints,
    rollout: wanted.rollout,
    ratio: config.thresholds.serviceReadyRatio,
  };
  // A service with a workload whose rollout has just begun.
  local rolling = |||
    unless on (%(service)s)
      (
        %(behind)s
        * on (%(workload)s) group_left ()
          %(rollout)s
      )
  ||| % names;

  alerts.group('orchestrator-alerts-services', wanted.rules + [
    alerts.new({
      name: 'ServiceHasNoReadyEndpoint',
      level: 'service',
      severity: 'page',
      pending: '3m',
      expr: |||
        sum by (%(service)s) (
          %(behind)s
          * on (%(workload)s) group_left ()
            (%(wanted)s > 0)
        )
        and on (%(service)s)
          %(ready)s == 0
      ||| % names + rolling,
      summary: 'No pod of %s takes requests.' % it,
      description: 'The workloads behind %s should have {{ $value | humanize }} pods, and none of them has been ready for three minutes: requests fail.' % it,
    }),
    alerts.new({
      name: 'ServiceIsBelowCapacity',
      level: 'service',
      severity: 'page',
      pending: '10m',
      expr: |||
        (
          (%(ready)s > 0)
          / on (%(service)s)
            (%(endpoints)s > 0)
          < %(ratio)s
        )
      ||| % names + rolling,
      summary: 'Less than {{ %s | humanizePercentage }} of what %s should have takes requests.' % [names.ratio, it],
      description: 'Only {{ $value | humanizePercentage }} of the pods that %s should have has been ready for ten minutes: what is left takes all requests.' % it,
    }),
  ])
