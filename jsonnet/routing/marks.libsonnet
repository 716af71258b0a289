// Alerts that are told to nobody, and mute others: where one thing is the reason for
// another, and no label that both have says so. A node's outage hits the workloads and
// services that had pods there, a service's outage those that it is made of: the series
// of the orchestrator exporter know which.
local promql = import '../lib/promql.libsonnet';

local label = 'loadline_cause';
{
  // The label of a mark: what is the reason. No other alert has it.
  label: label,

  // The group of rules.
  group(config):
    local objects = (import 'objects.libsonnet')(config);
    local workload = objects.equal('workload');
    local service = objects.equal('service');
    local pod = objects.equal('pod');

    local orchestrator(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + matchers);
    local max(labels, expr) = 'max by (%s) (%s)' % [promql.list(labels), expr];
    local joined(left, labels, right) = promql.binary(left, '* on (%s) group_left ()' % promql.list(labels), right);

    // Objects of a level that somebody is or is about to be paged for. Waiting alerts
    // count, so that a mark is there before the first message.
    local paged(level, matchers=[]) = max(objects.equal(level), 'ALERTS' + promql.selector(
      ['level="%s"' % level, 'severity="%s"' % config.severities.page] + matchers
    ));

    // The exporter calls a node's label node; alerts may call it otherwise.
    local pods =
      local found = orchestrator('loadline_pod_info', ['node!=""']);
      if config.nodeLabel == 'node' then found
      else 'label_replace(%s, "%s", "$1", "node", "(.*)")' % [found, config.nodeLabel];
    local servicePods = max(service + ['pod'], orchestrator('loadline_service_pod'));

    // Pods on nodes that are out.
    local hit(labels, matchers=[]) = promql.aggregate('max', labels, joined(
      max(labels + [config.nodeLabel], pods), objects.equal('node'), paged('node', matchers)
    ));

    local mark(name, level, cause, expr, summary) = {
      alert: name,
      expr: std.rstripChars(expr, '\n') + '\n',
      labels: { severity: config.severities.event, level: level, [label]: cause },
      annotations: {
        summary: summary,
        description: 'It is told to nobody: it mutes what follows from the %s.' % cause,
      },
    };
    // Pods need a while until they are ready again.
    local held = { keep_firing_for: '5m' };

    {
      name: 'loadline-marks',
      interval: config.interval,
      rules: [
        // Only where nothing else is missing than what the nodes account for: otherwise
        // there is more wrong than the node.
        mark(
          'NodeOutageHitsWorkload',
          'workload',
          'node',
          promql.binary(
            promql.aggregate('count', workload, hit(workload + ['pod'])),
            '>= on (%s)' % promql.list(workload),
            '(\n  %s\n)' % std.strReplace(promql.binary(
              max(workload, orchestrator('loadline_workload_replicas_desired')),
              '-',
              max(workload, orchestrator('loadline_workload_replicas_ready')),
            ), '\n', '\n  '),
          ),
          'The pods that a workload misses are on a node that is out.'
        ) + held,
        mark(
          'NodeOutageHitsService',
          'service',
          'node',
          promql.binary(
            promql.aggregate('count', service, joined(servicePods, pod, hit(pod, ['owner=""']))),
            '>= on (%s)' % promql.list(service),
            max(service, orchestrator('loadline_service_endpoints', ['state="not_ready"'])),
          ),
          'The endpoints that a service misses are on a node that is out.'
        ) + held,
        mark(
          'ServiceOutageHitsWorkload',
          'workload',
          'service',
          promql.aggregate('max', workload, joined(
            // It remembers what was behind a service that has no pods any more.
            'service:workload_known:max', service, paged('service')
          )),
          'A workload is behind a service that is out.'
        ),
      ] + [
        mark(
          'MaintenanceWindow',
          level,
          'maintenance',
          promql.aggregate('max', objects.equal(level), config.routing.maintenance[level]),
          'A %s is in maintenance.' % level
        )
        for level in std.objectFields(config.routing.maintenance)
      ],
    },
}
