// What happened and needs nobody: read in a digest.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.workload;
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + matchers);
  local ofWorkload(fields) = alerts.new({ level: 'workload', severity: 'event', held: '1d' } + fields);
  local ofNode(fields) = alerts.new({ level: 'node', severity: 'event', held: '1d' } + fields);
  local rollouts(result) = signals.rollouts.query('workload', ['result="%s"' % result]) + ' > 0';
  local events(classes) = signals.events.query('workload', ['class=~"%s"' % classes]) + ' > 0';
  local window = 'in the last %s' % config.rateWindow;
  local node = promql.list([config.clusterLabel, 'node']);
  local names = {
    cluster: config.clusterLabel,
    node: node,
    known: own('loadline_orchestrator_node_ready'),
  };

  alerts.group('orchestrator-alerts-events', [
    ofWorkload({
      name: 'ImagePullFailed',
      labels: ['class'],
      expr: events('pull_failed_.+'),
      summary: 'A pull for %s failed: {{ $labels.class }}.' % it,
      description: '{{ $value | humanize }} pulls of images for %s failed %s, as {{ $labels.class }}.' % [it, window],
    }),
    ofWorkload({
      name: 'ContainersWereKilled',
      labels: ['class'],
      expr: events('killed_by_.+'),
      summary: 'Containers of %s were killed: {{ $labels.class }}.' % it,
      description: 'Containers or pods of %s were ended {{ $value | humanize }} times %s, as {{ $labels.class }}.' % [it, window],
    }),
    ofWorkload({
      name: 'ContainersRestarted',
      expr: signals.restarts.at('workload') + ' > 0',
      summary: 'Containers of %s were started again.' % it,
      description: 'Containers of %s ended and were started again {{ $value | humanize }} times %s.' % [it, window],
    }),
    ofWorkload({
      name: 'RolloutCompleted',
      labels: ['result'],
      expr: rollouts('completed'),
      summary: 'A rollout of %s was completed.' % it,
      description: 'All replicas of %s are of the latest revision.' % it,
    }),
    ofWorkload({
      name: 'RolloutFailed',
      labels: ['result'],
      expr: rollouts('failed'),
      summary: 'A rollout of %s failed.' % it,
      description: 'A rollout of %s came past its deadline or was paused by failures.' % it,
    }),
    ofWorkload({
      name: 'RolloutWasRolledBack',
      labels: ['result'],
      expr: rollouts('rolled_back'),
      summary: '%s was rolled back.' % it,
      description: '%s is back at a revision that it had before.' % it,
    }),
    ofNode({
      name: 'NodeJoined',
      expr: |||
        max by (%(node)s) (%(known)s)
        unless on (%(node)s)
          %(known)s offset 10m
        and on (%(cluster)s)
          %(known)s offset 10m
      ||| % names,
      summary: '%s has joined.' % alerts.what.node,
      description: '%s was not there ten minutes ago.' % alerts.what.node,
    }),
    ofNode({
      name: 'NodeLeft',
      expr: |||
        max by (%(node)s) (%(known)s offset 10m)
        unless on (%(node)s)
          %(known)s
        and on (%(cluster)s)
          %(known)s
      ||| % names,
      summary: '%s has left.' % alerts.what.node,
      description: '%s was there ten minutes ago, and its orchestrator knows it no more.' % alerts.what.node,
    }),
  ])
