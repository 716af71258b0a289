// What the orchestrator says is broken.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local alerts = (import '../lib/alert.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local wanted = (import 'wanted.libsonnet')(config, signals);
  local t = config.thresholds;
  local of = d.matchAll(['namespace']);
  local in_ = promql.selector(of);
  local workload = alerts.by('workload');
  local service = alerts.by('service');

  local counted(expr) = [d.target('count(\n%s\n) or vector(0)' % promql.indent(expr))];
  // What the workloads behind a service should have, where none of their pods is there too.
  local wantedOf = 'sum by (%s) (\n  %s\n  * on (%s) group_left ()\n    (%s > 0)\n)' % [
    service,
    wanted.behind + in_,
    workload,
    signals.replicasDesired.query('workload', of),
  ];
  local silent = '%s == 0\nand on (%s)\n%s' % [signals.endpointsReady.query('service', of), service, promql.indent(wantedOf)];
  // What a service should have has been so for ten minutes, or is so since it is there.
  local soon = '(%s or %s)' % [wanted.endpoints + in_, signals.serviceReplicasDesired.query('service', of)];
  local ready = promql.binary(signals.endpointsReady.query('service', of), '/', '(%s > 0)' % (wanted.endpoints + in_));
  local lacking = promql.binary(signals.replicasDesired.query('workload', of), '-', signals.replicasAvailable.query('workload', of)) + '\n> 0';
  // A column of the namespaces that are listed: those that lack most replicas.
  local short = 'sum by (namespace) (\n%s\n)' % promql.indent(promql.binary(signals.replicasDesired.query('namespace', of), '-', signals.replicasAvailable.query('namespace', of)));
  local ofNamespace(expr, title, thresholds={}) = d.column(
    '%s\nand on (namespace)\n%s' % [expr, promql.indent('topk(20,\n%s\n)' % promql.indent(short))],
    title,
  ) + { thresholds: thresholds };
  {
    'loadline-overview': outline['loadline-overview'] {
      rows+: {
        broken: d.row('What is broken?', [
          d.stat({
            title: 'Services that answer nothing',
            description: 'Services whose workloads should have pods, and none of them takes requests.',
            thresholds: { bad: 1 },
            targets: counted(silent),
          }),
          d.stat({
            title: 'Services short of pods',
            description: 'Services of which less than %d%% of the pods that they should have take requests.' % (t.serviceReadyRatio * 100),
            thresholds: { warn: 1 },
            targets: counted('%s\n< %s' % [ready, t.serviceReadyRatio]),
          }),
          d.stat({
            title: 'Workloads short of replicas',
            description: 'Workloads with fewer replicas available than they should have; those that roll out included.',
            thresholds: { warn: 1 },
            targets: counted(lacking),
          }),
          d.stat({
            title: 'Workloads with overdue pods',
            description: 'Workloads with a pod that has been pending, unknown or terminating for too long.',
            thresholds: { warn: 1 },
            targets: counted('%s > %s' % [signals.podOverdue.query('workload', of), t.podOverdueSeconds]),
          }),
          d.stat({
            title: 'Containers that wait',
            description: 'Containers that do not run, for whatever reason: their image, a crash loop, their configuration.',
            thresholds: { warn: 1 },
            targets: [d.target('sum(%s) or vector(0)' % signals.containersWaiting.query('namespace', of))],
          }),
          d.stat({
            title: 'Nodes that are not ready',
            description: 'Nodes that the orchestrator does not hear of, or that say they cannot work.',
            thresholds: { bad: 1 },
            targets: counted(signals.nodesReady.query('node', d.match([])) + ' == 0'),
          }),
          d.table({
            title: 'Services, those that lack most first',
            description: 'Services with fewer pods that take requests than they should have, and how many are missing.',
            w: 12,
            noDataIsGood: true,
            by: ['namespace', 'service'],
            sort: 'missing',
            link: d.link('loadline-service', ['namespace', 'service']),
            targets: [d.column('topk(20, sum by (namespace, service) (\n%s\n) > 0)' % promql.indent(promql.binary(soon, '-', signals.endpointsReady.query('service', of))), 'missing')],
          }),
          d.table({
            title: 'Workloads, those that lack most first',
            description: 'Workloads with fewer replicas available than they should have, and how many are missing.',
            w: 12,
            noDataIsGood: true,
            by: ['namespace', 'workload_type', 'workload'],
            sort: 'missing',
            link: d.link('loadline-workload', ['namespace', 'workload']),
            targets: [d.column('topk(20, sum by (namespace, workload_type, workload) (\n%s\n) > 0)' % promql.indent(lacking), 'missing')],
          }),
        ]) { order: 10 },
        restarts: d.row('What ends again and again?', [
          d.barGauge({
            title: 'Restarts in the last hour',
            description: 'Times that containers were started again, of the workloads with most of them.',
            thresholds: { warn: 1, bad: t.restartsPerHour },
            targets: [d.target('topk(10, sum by (namespace, workload) (%s))' % alerts.inAnHour(signals.restarts.query('workload', of)), '{{namespace}}/{{workload}}')],
          }),
          d.timeSeries({
            title: 'Containers that wait, by reason',
            description: signals.containersWaiting.description,
            stack: true,
            min: 0,
            noDataIsGood: true,
            targets: [d.target('sum by (reason) (%s)' % signals.containersWaiting.query('namespace', of), '{{reason}}')],
          }),
        ]) { order: 20 },
        namespaces: d.row('Which namespaces?', [
          d.table({
            title: 'Namespaces, those that lack most first',
            description: 'Replicas that workloads of a namespace lack, and restarts in the last hour. Twenty namespaces at the most.',
            by: ['namespace'],
            sort: 'replicas missing',
            link: d.link('loadline-overview', ['namespace']),
            targets: [
              ofNamespace(short, 'replicas missing', { warn: 1 }),
              ofNamespace('sum by (namespace) (%s)' % signals.replicasDesired.query('namespace', of), 'replicas desired'),
              ofNamespace('sum by (namespace) (%s)' % alerts.inAnHour(signals.restarts.query('namespace', of)), 'restarts in an hour', { warn: 1 }),
            ],
          }),
        ]) { order: 25 },
      },
    },
  }
