// What the orchestrator exporter's series say that somebody should know.
function(config, signals) [
  (import 'alerts_services.libsonnet')(config, signals),
  (import 'alerts_workloads.libsonnet')(config, signals),
  (import 'alerts_jobs.libsonnet')(config, signals),
  (import 'alerts_nodes.libsonnet')(config, signals),
  (import 'alerts_capacity.libsonnet')(config, signals),
  (import 'alerts_events.libsonnet')(config, signals),
]
