// File systems of nodes, claims and what pods store on their nodes: by prediction, and
// when nearly nothing is left.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local t = config.thresholds;
  local ofNode = {
    it: alerts.what.node,
    labels: ['device', 'mountpoint', 'fstype'],
    by: alerts.by('node', self.labels),
    select(family):: family + promql.selector([config.selectors.node, 'fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660"']),
  };
  local ofClaim = {
    it: alerts.what.namespace,
    labels: ['persistentvolumeclaim'],
    by: alerts.by('namespace', self.labels),
    select(family):: family + promql.selector([config.selectors.volume]),
  };
  local least(of, family) = 'min by (%s) (%s)' % [of.by, of.select(family)];
  local left(of, free, all) = promql.binary(least(of, free), '/', '(%s > 0)' % least(of, all));
  local filling(of, free, all, share, hours) = |||
    (
    %(left)s
      < %(share)s
    )
    and on (%(by)s)
      min by (%(by)s) (predict_linear(%(free)s[6h:5m], %(hours)s * 3600)) < 0
    and on (%(by)s)
      %(now)s < min by (%(by)s) (%(free)s offset 1h)
  ||| % {
    left: promql.indent(left(of, free, all)),
    share: share,
    by: of.by,
    free: of.select(free),
    now: least(of, free),
    hours: hours,
  };
  local writable = 'unless on (%s)\n  %s == 1' % [ofNode.by, ofNode.select('node_filesystem_readonly')];
  local nodeTicket(fields) = alerts.new({ level: 'node', severity: 'ticket', labels: ofNode.labels, pending: '30m' } + fields);
  local claimTicket(fields) = alerts.new({ level: 'namespace', severity: 'ticket', labels: ofClaim.labels, pending: '30m' } + fields);
  local disk = '{{ $labels.mountpoint }} of %s' % ofNode.it;
  local claim = 'claim {{ $labels.persistentvolumeclaim }} of %s' % ofClaim.it;
  local own(family, matchers=[]) = family + promql.selector([config.selectors.resource] + matchers);
  local used(level, labels, part, whole) = promql.binary(
    'max by (%s) (%s)' % [alerts.by(level, labels), part],
    '/',
    '(max by (%s) (%s) > 0)' % [alerts.by(level, labels), whole],
  ) + '\n> %s' % t.ephemeralStorageRatio;

  [
    alerts.group('resource-alerts-filling', [
      nodeTicket({
        name: 'NodeFilesystemIsFilling',
        expr: filling(ofNode, 'node_filesystem_avail_bytes', 'node_filesystem_size_bytes', t.filesystemPredictedRatio, t.filesystemHours) + writable,
        summary: '%s is full within %s hours.' % [disk, t.filesystemHours],
        description: '{{ $value | humanizePercentage }} of %s is left, and at the rate of the last six hours nothing within %s hours.' % [disk, t.filesystemHours],
      }),
      nodeTicket({
        name: 'NodeInodesAreRunningOut',
        expr: filling(ofNode, 'node_filesystem_files_free', 'node_filesystem_files', t.filesystemPredictedRatio, t.filesystemHours) + writable,
        summary: '%s has no inodes left within %s hours.' % [disk, t.filesystemHours],
        description: '{{ $value | humanizePercentage }} of the inodes of %s are left, and at the rate of the last six hours none within %s hours.' % [disk, t.filesystemHours],
      }),
      claimTicket({
        name: 'ClaimIsFilling',
        expr: filling(ofClaim, 'kubelet_volume_stats_available_bytes', 'kubelet_volume_stats_capacity_bytes', t.claimPredictedRatio, t.claimHours),
        summary: '%s is full within %s hours.' % [claim, t.claimHours],
        description: '{{ $value | humanizePercentage }} of %s is left, and at the rate of the last six hours nothing within %s hours.' % [claim, t.claimHours],
      }),
      claimTicket({
        name: 'ClaimInodesAreRunningOut',
        expr: filling(ofClaim, 'kubelet_volume_stats_inodes_free', 'kubelet_volume_stats_inodes', t.claimPredictedRatio, t.claimHours),
        summary: '%s has no inodes left within %s hours.' % [claim, t.claimHours],
        description: '{{ $value | humanizePercentage }} of the inodes of %s are left, and at the rate of the last six hours none within %s hours.' % [claim, t.claimHours],
      }),
      nodeTicket({
        name: 'NodeFilesystemTurnedReadOnly',
        pending: '5m',
        local readonly = ofNode.select('node_filesystem_readonly'),
        expr: |||
          max by (%(by)s) (%(readonly)s) == 1
          and on (%(by)s)
            min_over_time(%(readonly)s[6h:5m]) == 0
        ||| % { by: ofNode.by, readonly: readonly },
        summary: '%s turned read-only.' % disk,
        description: '%s could be written to some hours ago and cannot now: the kernel found an error on it.' % disk,
      }),
    ], config.slowInterval),
    alerts.group('resource-alerts-storage', [
      nodeTicket({
        name: 'NodeFilesystemIsNearlyFull',
        expr: left(ofNode, 'node_filesystem_avail_bytes', 'node_filesystem_size_bytes') + '\n< %s\n' % t.filesystemFreeRatio + writable,
        summary: '%s is nearly full.' % disk,
        description: '{{ $value | humanizePercentage }} of %s is left.' % disk,
      }),
      nodeTicket({
        name: 'NodeInodesAreNearlyUsedUp',
        expr: left(ofNode, 'node_filesystem_files_free', 'node_filesystem_files') + '\n< %s\n' % t.filesystemFreeRatio + writable,
        summary: '%s has nearly no inodes left.' % disk,
        description: '{{ $value | humanizePercentage }} of the inodes of %s are left: no file can be made soon, whatever space there is.' % disk,
      }),
      claimTicket({
        name: 'ClaimIsNearlyFull',
        pending: '5m',
        expr: left(ofClaim, 'kubelet_volume_stats_available_bytes', 'kubelet_volume_stats_capacity_bytes') + '\n< %s' % t.claimFreeRatio,
        summary: '%s is nearly full.' % claim,
        description: '{{ $value | humanizePercentage }} of %s is left.' % claim,
      }),
      claimTicket({
        name: 'ClaimInodesAreNearlyUsedUp',
        pending: '5m',
        expr: left(ofClaim, 'kubelet_volume_stats_inodes_free', 'kubelet_volume_stats_inodes') + '\n< %s' % t.claimFreeRatio,
        summary: '%s has nearly no inodes left.' % claim,
        description: '{{ $value | humanizePercentage }} of the inodes of %s are left.' % claim,
      }),
      claimTicket({
        name: 'ClaimDoesNotAnswer',
        labels: ['persistentvolumeclaim', 'reason'],
        pending: '10m',
        expr: 'max by (%s, reason) (%s) == 0' % [ofClaim.by, own('loadline_volume_available', ['reason!="absent"'])],
        summary: '%s does not answer.' % claim,
        description: 'The file system of %s has not answered on its node for ten minutes, for the reason {{ $labels.reason }}.' % claim,
      }),
      alerts.new({
        name: 'EphemeralStorageNearLimit',
        level: 'container',
        severity: 'ticket',
        pending: '5m',
        expr: used('container', [], own('loadline_container_ephemeral_storage_bytes'), own('loadline_container_resource_limits', ['resource="ephemeral_storage"'])),
        summary: '%s stores nearly as much on its node as it may.' % alerts.what.container,
        description: 'The logs and the writable layer of %s take {{ $value | humanizePercentage }} of what they may; beyond it the pod is evicted.' % alerts.what.container,
      }),
      alerts.new({
        name: 'PodVolumeNearLimit',
        level: 'pod',
        severity: 'ticket',
        labels: ['volume'],
        pending: '5m',
        expr: used('pod', ['volume'], own('loadline_pod_volume_used_bytes'), own('loadline_pod_volume_limit_bytes')),
        summary: 'Empty directory {{ $labels.volume }} of %s is nearly as large as it may be.' % alerts.what.pod,
        description: 'Empty directory {{ $labels.volume }} of %s has {{ $value | humanizePercentage }} of the size that it may have; beyond it the pod is evicted.' % alerts.what.pod,
      }),
    ]),
  ]
