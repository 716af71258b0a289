// What the orchestrator says of a node.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  // The orchestrator names its nodes itself, in the label node.
  local of = d.match([]) + ['node="$%s"' % config.nodeLabel];
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + of + matchers);
  local yes(title, description, family) = d.stat({
    title: title,
    description: description + ' 1 is yes.',
    thresholds: { warn: 1, bad: 0.5 },
    targets: [d.target('max (%s)' % own(family))],
  });
  {
    'loadline-node': outline['loadline-node'] {
      rows+: {
        state: d.row('Is it well?', [
          yes('Ready', 'Whether the node says that it is ready, and is heard of.', 'loadline_orchestrator_node_ready'),
          yes('Takes work', 'Whether the node takes new pods or tasks: it was not cordoned, drained or paused.', 'loadline_orchestrator_node_schedulable'),
          d.stat({
            title: 'Pods',
            description: 'Pods that are bound to the node, those that have ended included.',
            targets: [d.target('count (count by (namespace, pod) (%s))' % own('loadline_pod_info'))],
          }),
          d.timeSeries({
            title: 'Conditions that it suffers from',
            description: 'What the node says it is short of: above 0 it takes no new pods and may evict others.',
            h: 4,
            min: 0,
            thresholds: { bad: 1 },
            targets: [d.target('max by (condition) (%s)' % own('loadline_orchestrator_node_condition'), '{{condition}}')],
          }),
        ]) { order: 0 },
      },
    },
  }
