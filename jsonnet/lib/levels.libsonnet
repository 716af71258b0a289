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

  // What a level can be built from, the nearest first.
  below:: {
    container: [],
    pod: ['container'],
    workload: ['pod', 'container'],
    service: ['pod', 'container'],
    node: ['pod', 'container'],
    namespace: ['workload', 'pod', 'container'],
    cluster: ['namespace', 'workload', 'pod', 'container', 'node'],
  },

  // The levels above one.
  above(base):: {
    container: ['pod', 'workload', 'namespace', 'cluster', 'node', 'service'],
    pod: ['workload', 'namespace', 'cluster', 'node', 'service'],
    workload: ['namespace', 'cluster'],
    namespace: ['cluster'],
    service: [],
    cluster: [],
    // A node's own figures are no sums of its pods'.
    node: ['cluster'],
  }[base],
}
