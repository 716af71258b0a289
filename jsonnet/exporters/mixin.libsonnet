// Alerts on what every exporter says of itself.
(import '../config.libsonnet') + (import '../lib/dashboards.libsonnet') + {
  local config = (import '../lib/validate.libsonnet')($._config),

  prometheusAlerts+:: { groups+: [(import 'alerts.libsonnet')(config)] },
  dashboards+:: (import 'dashboards.libsonnet')(config),
}
