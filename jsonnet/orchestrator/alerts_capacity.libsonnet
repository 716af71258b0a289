// What is promised beside what there is, claims that cannot be served, and what waits for
// somebody's consent.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local it = alerts.what.namespace;
  local cluster = alerts.what.cluster;
  local t = config.thresholds;
  local kube(family, matchers=[]) = family + promql.selector([config.selectors.kube] + matchers);
  local namespace = alerts.by('namespace');
  local ofNamespace(fields) = alerts.new({ level: 'namespace', severity: 'ticket' } + fields);
  local ofCluster(fields) = alerts.new({ level: 'cluster', severity: 'ticket' } + fields);

  alerts.group('orchestrator-alerts-capacity', [
    ofNamespace({
      name: 'QuotaIsNearlyUsedUp',
      labels: ['resourcequota', 'resource'],
      pending: '15m',
      local labels = namespace + ', resourcequota, resource',
      local quota(type) = 'max by (%s) (%s)' % [labels, kube('kube_resourcequota', ['resource=~".*(cpu|memory|storage|pods)"', 'type="%s"' % type])],
      expr: promql.binary(quota('used'), '/', '(%s > 0)' % quota('hard')) + '\n> %s' % t.quotaUsageRatio,
      summary: 'The quota of %s for {{ $labels.resource }} is nearly used up.' % it,
      description: '{{ $value | humanizePercentage }} of the {{ $labels.resource }} that quota {{ $labels.resourcequota }} gives %s are used. Above all of it no pod is made.' % it,
    }),
    ofCluster({
      name: 'QuotasPromiseTooMuch',
      labels: ['resource'],
      pending: '15m',
      local hard(resource) = |||
        label_replace(
          sum by (%(cluster)s) (
            min by (%(namespace)s, resourcequota) (%(quota)s)
          )
          / on (%(cluster)s)
            sum by (%(cluster)s) (
              max by (%(cluster)s, node) (%(allocatable)s)
            ),
          "resource", "%(resource)s", "", ""
        ) > %(ratio)s
      ||| % {
        cluster: config.clusterLabel,
        namespace: namespace,
        resource: resource,
        quota: kube('kube_resourcequota', ['type="hard"', 'resource=~"(requests.)?%s"' % resource]),
        allocatable: kube('kube_node_status_allocatable', ['resource="%s"' % resource]),
        ratio: t.quotaOvercommitRatio,
      },
      expr: hard('cpu') + 'or\n' + promql.indent(hard('memory')),
      summary: 'The quotas of %s promise more {{ $labels.resource }} than there is.' % cluster,
      description: 'All quotas of %s together promise {{ $value | humanizePercentage }} of its {{ $labels.resource }}.' % cluster,
    }),
    ofNamespace({
      name: 'DisruptionBudgetIsBroken',
      labels: ['poddisruptionbudget'],
      pending: '15m',
      local labels = namespace + ', poddisruptionbudget',
      expr: promql.binary(
        'max by (%s) (%s)' % [labels, kube('kube_poddisruptionbudget_status_desired_healthy')],
        '-',
        'max by (%s) (%s)' % [labels, kube('kube_poddisruptionbudget_status_current_healthy')],
      ) + '\n> 0',
      summary: 'Disruption budget {{ $labels.poddisruptionbudget }} of %s lacks healthy pods.' % it,
      description: '{{ $value | humanize }} pods fewer are healthy than disruption budget {{ $labels.poddisruptionbudget }} of %s asks for: nodes with its pods cannot be drained.' % it,
    }),
    ofNamespace({
      name: 'ClaimIsLost',
      labels: ['persistentvolumeclaim'],
      pending: '5m',
      expr: alerts.once('namespace', kube('kube_persistentvolumeclaim_status_phase', ['phase="Lost"']), ['persistentvolumeclaim']) + ' > 0',
      summary: 'Claim {{ $labels.persistentvolumeclaim }} of %s has lost its volume.' % it,
      description: 'The volume that claim {{ $labels.persistentvolumeclaim }} of %s was bound to is gone, with what was on it.' % it,
    }),
    ofCluster({
      name: 'VolumeHasFailed',
      labels: ['persistentvolume', 'phase'],
      pending: '5m',
      expr: alerts.once('cluster', kube('kube_persistentvolume_status_phase', ['phase=~"Failed|Pending"']), ['persistentvolume', 'phase']) + ' > 0',
      summary: 'Volume {{ $labels.persistentvolume }} of %s is {{ $labels.phase }}.' % cluster,
      description: 'Volume {{ $labels.persistentvolume }} of %s has been {{ $labels.phase }} for five minutes: it was not made, or not taken back.' % cluster,
    }),
    ofCluster({
      name: 'CertificateRequestWaits',
      labels: ['certificatesigningrequest', 'signer_name'],
      pending: '1h',
      local labels = ['certificatesigningrequest', 'signer_name'],
      expr: 'sum by (%s) (\n%s\n) == 0' % [
        promql.list([config.clusterLabel] + labels),
        promql.indent(kube('kube_certificatesigningrequest_condition', ['condition=~"approved|denied"'])),
      ],
      summary: 'Certificate request {{ $labels.certificatesigningrequest }} of %s waits.' % cluster,
      description: 'Nobody has approved or denied certificate request {{ $labels.certificatesigningrequest }} of %s (signer {{ $labels.signer_name }}) for an hour: a node may be without a certificate soon.' % cluster,
    }),
  ])
