// What alerts are about, by their level.
function(config)
  local cluster = config.clusterLabel;
  local node = config.nodeLabel;
  {
    // The labels that tell two objects of a level apart, beside the cluster.
    labels: {
      cluster: [],
      node: [node],
      namespace: ['namespace'],
      service: ['namespace', 'service'],
      workload: ['namespace', 'workload', 'workload_type'],
      pod: ['namespace', 'pod'],
      container: ['namespace', 'pod', 'container'],
    },
    // What a level is made of. Services and workloads overlap, but no label says how.
    below: {
      cluster: ['node', 'namespace', 'service', 'workload', 'pod', 'container'],
      node: ['pod', 'container'],
      namespace: ['service', 'workload', 'pod', 'container'],
      service: [],
      workload: ['pod', 'container'],
      pod: ['container'],
      container: [],
    },
    // What is equal where two alerts are about the same object of a level.
    equal(level): [cluster] + self.labels[level],
  }
