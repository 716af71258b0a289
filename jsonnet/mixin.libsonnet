// All of the suite: what Prometheus, Grafana and Alertmanager are given.
(import 'resource/mixin.libsonnet') +
(import 'orchestrator/mixin.libsonnet') +
(import 'exporters/mixin.libsonnet') +
(import 'routing/mixin.libsonnet')
