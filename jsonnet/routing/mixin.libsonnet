// Alertmanager's configuration, the templates of its messages and the rules that go with
// it.
(import '../config.libsonnet') + {
  local config = (import 'validate.libsonnet')((import '../lib/validate.libsonnet')($._config)),

  // Alertmanager's configuration, as an object.
  alertmanagerConfig::
    (if config.routing.global == {} then {} else { global: config.routing.global }) +
    { templates: config.routing.templates, inhibit_rules: (import 'inhibition.libsonnet')(config) } +
    (import 'tree.libsonnet')(config),

  // Its templates, by file name.
  alertmanagerTemplates:: (import 'templates.libsonnet')(config),

  // The rules of alerts that mute others: for a Prometheus whose alerts go to it.
  alertmanagerMarks:: { groups: [(import 'marks.libsonnet').group(config)] },
}
