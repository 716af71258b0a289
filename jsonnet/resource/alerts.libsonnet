// What the resource exporter's series say that somebody should know.
function(config, signals) [
  (import 'alerts_workloads.libsonnet')(config, signals),
  (import 'alerts_nodes.libsonnet')(config, signals),
  (import 'alerts_hardware.libsonnet')(config, signals),
  (import 'alerts_capacity.libsonnet')(config, signals),
  (import 'alerts_events.libsonnet')(config, signals),
] + (import 'alerts_memory.libsonnet')(config, signals) + (import 'alerts_storage.libsonnet')(config, signals)
