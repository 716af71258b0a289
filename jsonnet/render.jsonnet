// Every file that is made of the mixins, by its path in the repository:
//
//   jsonnet --string --create-output-dirs --multi . jsonnet/render.jsonnet
local mixin = import 'mixin.libsonnet';

local yaml(value) = '# Made of jsonnet/ by make generate; not to be edited.\n' + std.manifestYamlDoc(value, indent_array_in_object=true, quote_keys=false) + '\n';
local folder(group) = std.split(group.name, '-')[1];

// The groups of rules and of alerts by what they are about.
local groups = mixin.prometheusRules.groups + mixin.prometheusAlerts.groups;
local files = std.set([folder(group) for group in groups]);
local about(file) = { groups: [group for group in groups if folder(group) == file] };

local prometheusRule(name, spec) = yaml({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: 'loadline-' + name, labels: { 'app.kubernetes.io/part-of': 'loadline' } },
  spec: spec,
});

{ ['rules/loadline-%s.yaml' % file]: yaml(about(file)) for file in files } +
{ ['rules/prometheusrules/loadline-%s.yaml' % file]: prometheusRule(file, about(file)) for file in files } +
{
  'rules/alertmanager/alertmanager.yaml': yaml(mixin.alertmanagerConfig),
  'rules/alertmanager/marks.yaml': yaml(mixin.alertmanagerMarks),
  'rules/prometheusrules/loadline-marks.yaml': prometheusRule('marks', mixin.alertmanagerMarks),
} +
{ ['rules/alertmanager/templates/' + name]: mixin.alertmanagerTemplates[name] for name in std.objectFields(mixin.alertmanagerTemplates) } +
{ ['dashboards/grafana/' + name]: std.manifestJsonEx(mixin.grafanaDashboards[name], '  ') + '\n' for name in std.objectFields(mixin.grafanaDashboards) } +
{ ['dashboards/perses/' + name]: std.manifestJsonEx(mixin.persesDashboards[name], '  ') + '\n' for name in std.objectFields(mixin.persesDashboards) }
