// The dashboards without their rows, which the folders add: what each is called, which
// choice it offers and where it leads. What several folders show is laid out once, so
// that their rows come together in one dashboard, and each folder alone has its own.
local promql = import 'promql.libsonnet';

function(config)
  local d = (import 'panel.libsonnet')(config);
  local variable(name) = d.variable(name);
  local head(fields) = d.dashboard({ links: ['loadline-overview'] } + fields);

  // Alerts of the suite, without those that only mute others.
  local firing(severity) = 'ALERTS' + promql.selector(['alertstate="firing"', 'severity="%s"' % config.severities[severity], 'loadline_cause=""'] + d.match([]));
  local about = ['severity', 'alertname', 'namespace', 'service', 'workload', config.nodeLabel];
  local firingCount(severity) = d.target('count(%s) or vector(0)' % firing(severity));
  local alerts = d.row('What fires?', [
    d.stat({
      title: 'Pages',
      description: 'Alerts that fire because users are hit now.',
      thresholds: { bad: 1 },
      targets: [firingCount('page')],
    }),
    d.stat({
      title: 'Tickets',
      description: 'Alerts that fire because something will hurt if nobody acts.',
      thresholds: { warn: 1 },
      targets: [firingCount('ticket')],
    }),
    d.stat({
      title: 'Events in a day',
      description: 'What happened in the last day and needs nobody: the digest has it.',
      targets: [firingCount('event')],
    }),
    d.table({
      title: 'Pages and tickets, the longest first',
      description: 'Alerts that fire, and for how long the reason has been there.',
      w: 12,
      h: 8,
      noDataIsGood: true,
      by: about,
      sort: 'since',
      targets: [d.column(
        'topk(20,\n  max by (%s) (time() - ALERTS_FOR_STATE%s)\n  and on (%s)\n    (%s or %s)\n)' % [
          promql.list(about),
          promql.selector(['severity=~"%(page)s|%(ticket)s"' % config.severities, 'loadline_cause=""'] + d.match([])),
          promql.list(about),
          firing('page'),
          firing('ticket'),
        ],
        'since',
        'seconds'
      )],
    }),
  ]) { order: 0 };

  {
    'loadline-overview': head({
      uid: 'loadline-overview',
      title: 'Overview',
      description: 'What is broken, in which cluster and namespace, and where to look next.',
      variables: [d.all('namespace')],
      links: ['loadline-capacity', 'loadline-rollouts', 'loadline-events', 'loadline-network', 'loadline-storage', 'loadline-exporters'],
      rows+: { alerts: alerts },
    }),
    'loadline-service': head({
      uid: 'loadline-service',
      title: 'Service',
      description: 'Whether a service takes requests, which workloads are behind it, and what holds them up.',
      variables: [variable('namespace'), variable('service')],
      links: ['loadline-overview', 'loadline-network', 'loadline-events'],
    }),
    'loadline-workload': head({
      uid: 'loadline-workload',
      title: 'Workload',
      description: 'Whether a deployment, stateful set, daemon set, job or Swarm service has what it should have, and what its pods use.',
      variables: [variable('namespace'), variable('workload')],
      links: ['loadline-overview', 'loadline-rollouts', 'loadline-events', 'loadline-capacity'],
    }),
    'loadline-pod': head({
      uid: 'loadline-pod',
      title: 'Pod and containers',
      description: 'What one pod and each of its containers do, near the raw series.',
      variables: [variable('namespace'), variable('workload'), variable('pod'), d.all('container')],
      links: ['loadline-overview', 'loadline-workload', 'loadline-events'],
    }),
    'loadline-node': head({
      uid: 'loadline-node',
      title: 'Node',
      description: 'Whether a node is well, what it is short of and which pods take it.',
      variables: [variable(config.nodeLabel)],
      links: ['loadline-overview', 'loadline-capacity', 'loadline-storage', 'loadline-network'],
    }),
    'loadline-capacity': head({
      uid: 'loadline-capacity',
      title: 'Capacity and headroom',
      description: 'What nodes have, what pods ask for and what they use; which requests and limits to change.',
      variables: [d.all('namespace')],
      links: ['loadline-overview', 'loadline-node', 'loadline-workload'],
      from: '6h',
    }),
    'loadline-rollouts': head({
      uid: 'loadline-rollouts',
      title: 'Orchestrator and rollouts',
      description: 'Whether the orchestrator keeps up: rollouts, starts, pulls, jobs and autoscalers.',
      variables: [d.all('namespace')],
      links: ['loadline-overview', 'loadline-workload', 'loadline-events'],
    }),
    'loadline-events': head({
      uid: 'loadline-events',
      title: 'Events',
      description: 'What was killed, restarted, evicted or could not be pulled, and where.',
      variables: [d.all('namespace')],
      links: ['loadline-overview', 'loadline-rollouts', 'loadline-workload'],
      from: '6h',
    }),
    'loadline-network': head({
      uid: 'loadline-network',
      title: 'Network',
      description: 'Who sends and receives most, and whose connections suffer.',
      variables: [d.all('namespace')],
      links: ['loadline-overview', 'loadline-workload', 'loadline-node'],
    }),
    'loadline-storage': head({
      uid: 'loadline-storage',
      title: 'Storage',
      description: 'Which file systems and claims are full soon, and who reads and writes.',
      variables: [d.all('namespace')],
      links: ['loadline-overview', 'loadline-workload', 'loadline-node'],
    }),
    'loadline-exporters': head({
      uid: 'loadline-exporters',
      title: 'Exporters',
      description: 'Whether the exporters see all they should, and what they cost.',
      variables: [],
    }),
  }
