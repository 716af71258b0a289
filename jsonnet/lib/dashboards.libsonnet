// Draws the dashboards of a mixin, twice.
{
  local d = (import 'panel.libsonnet')($._config),
  // A folder may add rows to a dashboard that another one has: without that one they
  // are left out.
  local whole = { [uid]: $.dashboards[uid] for uid in std.objectFields($.dashboards) if std.objectHas($.dashboards[uid], 'uid') },
  local titles = std.mapWithKey(function(_, dashboard) dashboard.title, whole),
  // A folder that is used alone has no dashboards of the others to lead to. Rows come
  // in the order that they name, whichever folder they are of.
  local known(dashboard) = dashboard {
    links: [uid for uid in dashboard.links if std.objectHas(titles, uid)],
    rows: std.sort(std.objectValues(dashboard.rows), function(row) row.order),
  },
  local drawn(draw) = { [uid + '.json']: draw(d, known(whole[uid]), titles) for uid in std.objectFields(whole) },

  // The dashboards before they are drawn, by uid: {row's name: row} of each are added up.
  dashboards+:: {},
  grafanaDashboards:: drawn(import 'grafana.libsonnet'),
  persesDashboards:: drawn(import 'perses.libsonnet'),
}
