// What happened and needs nobody: read in a digest.
function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.workload;
  local window = 'in the last %s' % config.rateWindow;
  local event(fields) = alerts.new({ level: 'workload', severity: 'event', held: '1d' } + fields);

  alerts.group('resource-alerts-events', [
    event({
      name: 'OomKillHappened',
      expr: signals.oomKills.at('workload') + ' > 0',
      summary: 'The OOM killer ended a process of %s.' % it,
      description: 'The OOM killer ended {{ $value | humanize }} processes of %s %s.' % [it, window],
    }),
    event({
      name: 'ContainersStarted',
      expr: signals.containerStarts.at('workload') + ' > 0',
      summary: 'Containers of %s were started.' % it,
      description: '{{ $value | humanize }} containers of %s were started %s.' % [it, window],
    }),
  ])
