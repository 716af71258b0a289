// What is recorded of the orchestrator exporter's series.
function(config, signals)
  local group(name, list, interval=config.interval) = {
    name: 'loadline-orchestrator-' + name,
    interval: interval,
    rules: std.flattenArrays([signals[signal].rules for signal in list]),
  };
  [
    group('replicas', ['replicasDesired', 'replicasReady', 'replicasAvailable', 'replicasUpdated', 'replicasSchedulable', 'replicasReadyRatio']),
    group('services', ['endpointsReady', 'endpoints', 'endpointsReadyRatio', 'servicePods', 'serviceWorkloads', 'serviceReplicasDesired']),
    group('pods', ['pods', 'containersWaiting', 'podOverdue', 'nodesReady', 'nodesSchedulable']),
    group('lives', ['restarts', 'terminations', 'podFailures', 'rollouts', 'jobRuns', 'events'], config.resourceInterval),
    group('durations', ['podReadyTime', 'podStartTime', 'podSchedulingTime', 'imagePullTime'], config.slowInterval),
  ]
