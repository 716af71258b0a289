// The hierarchy: which labels the recorded series of a level have, and from which
// level each is built. Services are a side branch: a pod can belong to several or to
// none, so nothing is built from them.
function(config) {
  local cluster = config.clusterLabel,
  local node = config.nodeLabel,

  labels:: {
    container: self.pod + ['container'],
    pod: [cluster, node, 'namespace', 'workload', 'workload_type', 'pod'],
    workload: [cluster, 'namespace', 'workload', 'workload_type'],
    namespace: [cluster, 'namespace'],
    node: [cluster, node],
    cluster: [cluster],
    service: [cluster, 'namespace', 'service'],
  },

  below:: {
    pod: 'container',
    workload: 'pod',
    service: 'pod',
    node: 'pod',
    namespace: 'workload',
    cluster: 'namespace',
  },

  // The levels above one, each after what it is built from.
  above(base)::
    local order = {
      container: ['pod', 'workload', 'namespace', 'cluster', 'node', 'service'],
      pod: ['workload', 'namespace', 'cluster', 'node', 'service'],
      workload: ['namespace', 'cluster'],
      namespace: ['cluster'],
      service: [],
      cluster: [],
      // A node's own figures are no sums of its pods'.
      node: ['cluster'],
    };
    order[base],

  // From which level one is built, of what begins at base.
  from(level, base):: if base == 'node' then 'node' else self.below[level],
}
