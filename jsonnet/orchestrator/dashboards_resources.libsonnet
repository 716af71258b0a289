// What the orchestrator adds to capacity and storage: quotas and claims.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local d = (import '../lib/panel.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local t = config.thresholds;
  local of = d.matchAll(['namespace']);
  local kube(family, matchers=[]) = family + promql.selector([config.selectors.kube] + of + matchers);
  local quota(type) = 'max by (namespace, resourcequota, resource) (%s)' % kube('kube_resourcequota', ['type="%s"' % type]);
  local claims(phases) = 'sum(max by (namespace, persistentvolumeclaim) (%s)) or vector(0)' % kube('kube_persistentvolumeclaim_status_phase', ['phase=~"%s"' % phases]);
  {
    'loadline-capacity': outline['loadline-capacity'] {
      rows+: {
        quotas: d.row('Which quotas are used up?', [
          d.table({
            title: 'Quotas, the fullest first',
            description: 'Share of what a namespace may have that is used. At one no pod is made any more.',
            h: 7,
            by: ['namespace', 'resourcequota', 'resource'],
            sort: 'used',
            targets: [d.column('topk(20,\n  %s\n  /\n    (%s > 0)\n)' % [quota('used'), quota('hard')], 'used', 'ratio') + { thresholds: { warn: 0.8, bad: t.quotaUsageRatio } }],
          }),
        ]) { order: 40 },
      },
    },
    'loadline-storage': outline['loadline-storage'] {
      rows+: {
        bound: d.row('Are claims served?', [
          d.stat({
            title: 'Claims that are bound',
            description: 'Claims that have a volume.',
            targets: [d.target(claims('Bound'))],
          }),
          d.stat({
            title: 'Claims that wait',
            description: 'Claims that have no volume yet; pods that name them do not start.',
            thresholds: { warn: 1 },
            targets: [d.target(claims('Pending'))],
          }),
          d.stat({
            title: 'Claims that are lost',
            description: 'Claims whose volume is gone, with what was on it.',
            thresholds: { bad: 1 },
            targets: [d.target(claims('Lost'))],
          }),
        ]) { order: 10 },
      },
    },
  }
