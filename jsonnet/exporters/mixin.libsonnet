// Alerts on what every exporter says of itself.
(import '../config.libsonnet') + (import '../lib/dashboards.libsonnet') + {
  local added = import '../lib/added.libsonnet',
  local config = (import '../lib/validate.libsonnet')($._config),

  prometheusAlerts+:: { groups+: [(import 'alerts.libsonnet')(config)] },
  dashboards+:: added((import 'dashboards.libsonnet')(config)),
}
