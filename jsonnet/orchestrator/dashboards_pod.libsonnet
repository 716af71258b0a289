// What the orchestrator says of one pod.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local of = d.match(['namespace', 'pod']);
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + of + matchers);
  {
    'loadline-pod': outline['loadline-pod'] {
      rows+: {
        state: d.row('How is it?', [
          d.table({
            title: 'Where it runs',
            description: 'The node of the pod, its quality of service and whether it has the network of its node.',
            w: 12,
            h: 4,
            by: ['pod', 'node', 'qos', 'host_network'],
            link: d.link('loadline-node', ['node']),
            targets: [d.column('max by (pod, node, qos, host_network) (%s)' % own('loadline_pod_info'), 'pods')],
          }),
          d.stateTimeline({
            title: 'Phase',
            description: 'The phase that the pod was in: pending, running, succeeded, failed, unknown, terminating.',
            h: 4,
            targets: [d.target('max by (phase) (%s)' % own('loadline_pod_phase'), '{{phase}}')],
          }),
          d.table({
            title: 'How containers ended last',
            description: 'Why the last process of each container ended, and how long ago.',
            w: 12,
            h: 6,
            noDataIsGood: true,
            by: ['container', 'reason'],
            sort: 'ago',
            targets: [d.column(promql.binary(
              'max by (container, reason) (%s)' % own('loadline_container_last_termination'),
              '* on (container) group_left ()',
              'max by (container) (time() - %s)' % own('loadline_container_last_termination_timestamp_seconds'),
            ), 'ago', 'seconds')],
          }),
          d.table({
            title: 'Images',
            description: 'The image that each container is to run, and the digest of what it runs.',
            w: 12,
            h: 6,
            by: ['container', 'image', 'kind'],
            targets: [d.column('max by (container, image, kind) (%s)' % own('loadline_container_image_info'), 'containers')],
          }),
        ]) { order: 0 },
      },
    },
  }
