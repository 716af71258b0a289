// Nodes as the orchestrator sees them, and the orchestrator itself.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.node;
  local cluster = alerts.what.cluster;
  local t = config.thresholds;
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + matchers);
  // The orchestrator names its nodes itself, in the label node.
  local node = promql.list([config.clusterLabel, 'node']);
  local ready = 'max by (%s) (%s)' % [node, own('loadline_orchestrator_node_ready')];
  local names = {
    node: node,
    cluster: config.clusterLabel,
    pod: promql.list([config.clusterLabel, 'namespace', 'pod']),
    ready: ready,
    pods: own('loadline_pod_info', ['workload_type!="daemonset"']),
    phases: own('loadline_pod_phase', ['phase!~"succeeded|failed"']),
  };
  // What a node has of pods that do not belong to every node.
  local work = |||
    count by (%(node)s) (
      max by (%(node)s, namespace, pod) (%(pods)s)
      and on (%(pod)s)
        %(phases)s
    )
  ||| % names;
  local ticket(fields) = alerts.new({ level: 'node', severity: 'ticket' } + fields);
  // What an exporter of this cluster asks of its orchestrator all the time.
  local asked = 'source=~"pods|nodes|services|deployments|endpointslices|swarm|docker"';

  alerts.group('orchestrator-alerts-nodes', [
    alerts.new({
      name: 'NodeIsGone',
      level: 'node',
      severity: 'page',
      // Before what follows from it is told, and until that has healed too.
      pending: '2m',
      held: '5m',
      expr: work + |||
        and on (%(node)s)
          %(ready)s == 0
      ||| % names,
      summary: '%s is gone, with work on it.' % it,
      description: '%s has not been ready for two minutes, and {{ $value | humanize }} pods are still bound to it.' % it,
    }),
    alerts.new({
      name: 'ManyNodesAreGone',
      level: 'cluster',
      severity: 'page',
      pending: '2m',
      local inUse = '%s\nunless on (%s)\n  %s == 0' % [ready, node, own('loadline_orchestrator_node_schedulable')],
      expr: |||
        (
          count by (%(cluster)s) (
            (
        %(inUse)s
            ) == 0
          ) > 1
        )
        / on (%(cluster)s)
          count by (%(cluster)s) (
        %(inUse)s
          )
        >= %(ratio)s
      ||| % names { inUse: promql.indent(inUse, '      '), ratio: t.nodesGoneRatio },
      summary: 'Many nodes of %s are gone at once.' % cluster,
      description: '{{ $value | humanizePercentage }} of the nodes of %s that take work have not been ready for two minutes.' % cluster,
    }),
    alerts.new({
      name: 'OrchestratorDoesNotAnswer',
      level: 'cluster',
      severity: 'page',
      pending: '5m',
      expr: |||
        max by (%(cluster)s) (%(all)s) == 0
        unless on (%(cluster)s)
          %(starting)s
      ||| % names {
        all: own('loadline_source_available', [asked]),
        starting: own('loadline_source_available', [asked, 'reason=~"starting|forbidden"']),
      },
      summary: 'The API of %s does not answer.' % cluster,
      description: 'No exporter has been able to read what %s runs for five minutes: nothing is scheduled, scaled or healed while its API is away.' % cluster,
    }),
    alerts.new({
      name: 'OrchestratorBreaksWatches',
      level: 'cluster',
      severity: 'ticket',
      labels: ['resource'],
      pending: '15m',
      expr: 'max by (%(cluster)s, resource) (increase(%(lists)s[1h])) > %(limit)s' % names {
        lists: own('loadline_watch_lists_total'),
        limit: t.listsPerHour,
      },
      summary: 'Watches of {{ $labels.resource }} in %s break again and again.' % cluster,
      description: '{{ $labels.resource }} of %s were listed anew {{ $value | humanize }} times in the last hour: the API server or its store breaks watches, which costs both.' % cluster,
    }),
    ticket({
      name: 'NodeIsNotReady',
      pending: '15m',
      expr: |||
        %(ready)s == 0
        unless on (%(node)s)
      ||| % names + promql.indent('(\n%s\n)' % promql.indent(work)),
      summary: '%s is not ready.' % it,
      description: '%s has not been ready for a quarter of an hour; nothing that would have to move is bound to it.' % it,
    }),
    ticket({
      name: 'NodeReadinessFlaps',
      pending: '15m',
      expr: 'max by (%s) (changes(%s[15m])) > 2' % [node, own('loadline_orchestrator_node_ready')],
      summary: '%s is ready and not ready in turns.' % it,
      description: '%s became ready or not ready {{ $value | humanize }} times in a quarter of an hour.' % it,
    }),
    ticket({
      name: 'NodeHasCondition',
      labels: ['condition'],
      pending: '10m',
      expr: 'max by (%s, condition) (%s) == 1' % [node, own('loadline_orchestrator_node_condition')],
      summary: '%s suffers from {{ $labels.condition }}.' % it,
      description: '%s has said for ten minutes that it suffers from {{ $labels.condition }}: it takes no new pods and may evict others.' % it,
    }),
    ticket({
      name: 'ManagerIsUnreachable',
      pending: '10m',
      expr: 'max by (%s) (%s) == 0' % [node, own('loadline_orchestrator_node_manager_reachable')],
      summary: '%s, a manager, is not reached by the others.' % it,
      description: 'The other managers have not reached %s for ten minutes. A swarm works only while more than half of its managers reach each other.' % it,
    }),
    alerts.new({
      name: 'NodeVersionsDiffer',
      level: 'cluster',
      severity: 'ticket',
      pending: '2h',
      expr: 'count by (%(cluster)s) (group by (%(cluster)s, version) (%(info)s)) > 1' % names { info: own('loadline_orchestrator_node_info') },
      summary: 'Nodes of %s run different versions.' % cluster,
      description: 'Nodes of %s have run {{ $value | humanize }} versions for two hours: an upgrade was not finished.' % cluster,
    }),
  ])
