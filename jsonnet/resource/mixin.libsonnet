// Rules, alerts and dashboards on the series of the resource exporter alone.
(import '../config.libsonnet') + (import '../lib/dashboards.libsonnet') + {
  local added = import '../lib/added.libsonnet',
  local config = (import '../lib/validate.libsonnet')($._config),
  local signals = (import 'signals.libsonnet')(config),

  // The facts by name, for whoever writes rules or panels of their own.
  signals+:: signals,
  prometheusRules+:: { groups+: (import 'rules.libsonnet')(config, signals) },
  prometheusAlerts+:: { groups+: (import 'alerts.libsonnet')(config, signals) },
  dashboards+:: added((import 'dashboards.libsonnet')(config, signals)),
}
