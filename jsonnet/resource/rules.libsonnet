// What is recorded of the resource exporter's series: a group a subject, so that a
// level finds the one below it evaluated just before.
function(config, signals)
  local group(name, list) = {
    name: 'loadline-resource-' + name,
    interval: config.resourceInterval,
    rules: std.flattenArrays([signals[signal].rules for signal in list]),
  };
  local hosts = [name for name in std.objectFields(signals) if std.startsWith(name, 'host')];
  [
    group('cpu', ['cpuUsage', 'cpuRequests', 'cpuRequestUsage', 'cpuLimits', 'cpuLimitUsage']),
    group('cpu-throttled', ['cpuThrottled']),
    group('cpu-pressure', ['cpuPressure']),
    group('memory', ['memoryWorkingSet', 'memoryRequests', 'memoryRequestUsage', 'memoryLimits', 'memoryLimitUsage']),
    group('memory-pressure', ['memoryPressure']),
    group('network', ['networkReceive', 'networkTransmit']),
    group('network-dropped', ['networkDropped']),
    group('tcp', ['segmentsSent', 'segmentsRetransmitted', 'retransmitted', 'acceptOverflows']),
    group('block', ['blockRead', 'blockWrite']),
    group('block-pressure', ['ioPressure']),
    group('storage', ['ephemeralStorage']),
    group('threads', ['threadsLimitUsage']),
    group('lives', ['oomKills', 'containerStarts']),
    group('host', [name for name in hosts if !signals[name].shared] + [name for name in hosts if signals[name].shared]),
  ]
