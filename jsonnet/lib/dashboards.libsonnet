// Draws the dashboards of a mixin, twice.
{
  local d = (import 'panel.libsonnet')($._config),
  local titles = { [uid]: $.dashboards[uid].title for uid in std.objectFields($.dashboards) },
  // A folder that is used alone has no dashboards of the others to lead to.
  local known(dashboard) = dashboard { links: [uid for uid in dashboard.links if std.objectHas(titles, uid)] },
  local drawn(draw) = { [uid + '.json']: draw(d, known($.dashboards[uid]), titles) for uid in std.objectFields($.dashboards) },

  // The dashboards before they are drawn, by uid.
  dashboards+:: {},
  grafanaDashboards:: drawn(import 'grafana.libsonnet'),
  persesDashboards:: drawn(import 'perses.libsonnet'),
}
