// Whether a service takes requests, and who is behind it.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local alerts = (import '../lib/alert.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local wanted = (import 'wanted.libsonnet')(config, signals);
  local t = config.thresholds;
  local of = d.match(['namespace', 'service']);
  local in_ = promql.selector(of);
  // What it should have has been so for ten minutes, or is so since it is there.
  local soon = '(%s or %s)' % [wanted.endpoints + in_, signals.serviceReplicasDesired.query('service', of)];
  local ready = signals.endpointsReady.query('service', of);
  local workloads = ['namespace', 'workload_type', 'workload'];
  // A fact of the workloads behind the service.
  local behind(series) = 'sum by (%s) (\n  %s\n  and on (%s)\n    %s\n)' % [promql.list(workloads), series, alerts.by('workload'), wanted.behind + in_];
  {
    'loadline-service': outline['loadline-service'] {
      rows+: {
        ready: d.row('Does it take requests?', [
          d.stat({
            title: 'Pods ready of wanted',
            description: 'Share of the pods that the service should have which take requests. What alerts is below %d%%.' % (t.serviceReadyRatio * 100),
            unit: 'ratio',
            thresholds: { warn: 1, bad: t.serviceReadyRatio },
            targets: [d.target(promql.binary('sum (%s)' % ready, '/', 'sum (%s > 0)' % soon))],
          }),
          d.stat({
            title: 'Endpoints ready',
            description: signals.endpointsReady.description,
            targets: [d.target('sum (%s)' % ready)],
          }),
          d.stat({
            title: 'Pods wanted',
            description: 'Pods that the service should have by what its workloads are told; more is asked for only after ten minutes.',
            targets: [d.target('sum %s' % soon)],
          }),
          d.timeSeries({
            title: 'Endpoints',
            description: 'Addresses behind the service: those that take requests below all of them.',
            min: 0,
            targets: [
              d.target(ready, 'ready'),
              d.target(signals.endpoints.query('service', of), 'all'),
              d.target(signals.serviceReplicasDesired.query('service', of), 'desired'),
            ],
          }),
          d.table({
            title: 'Workloads behind it',
            description: 'The workloads whose pods the service selects: what they should have and what is ready.',
            h: 6,
            by: workloads,
            sort: 'desired',
            link: d.link('loadline-workload', ['namespace', 'workload']),
            targets: [
              d.column(behind(signals.replicasDesired.at('workload')), 'desired'),
              d.column(behind(signals.replicasReady.at('workload')), 'ready'),
              d.column(behind(signals.replicasUpdated.at('workload')), 'updated'),
            ],
          }),
        ]) { order: 0 },
      },
    },
  }
