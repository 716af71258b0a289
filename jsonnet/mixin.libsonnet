// All of the suite: what Prometheus, Grafana and Alertmanager are given. Each part begins
// with the defaults, so the one that changes some comes last.
(import 'routing/mixin.libsonnet') +
(import 'exporters/mixin.libsonnet') +
(import 'resource/mixin.libsonnet') +
(import 'orchestrator/mixin.libsonnet')
