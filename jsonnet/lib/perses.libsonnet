// Draws dashboards as Perses reads them, with the plugins of the built-in page. What it
// cannot draw stands beside it in another form: buckets as quantiles, states as lines.
local grid = import 'grid.libsonnet';

local units = {
  seconds: { unit: 'seconds' },
  bytes: { unit: 'bytes', shortValues: true },
  cores: { unit: 'decimal', shortValues: true },
  ratio: { unit: 'percent-decimal' },
  count: { unit: 'decimal', shortValues: true },
  bytes_per_second: { unit: 'bytes/sec', shortValues: true },
  per_second: { unit: 'counts/sec', shortValues: true },
};

local query(target) = {
  kind: 'TimeSeriesQuery',
  spec: {
    plugin: {
      kind: 'PrometheusTimeSeriesQuery',
      spec: { query: target.expr, [if std.get(target, 'legend', '') != '' then 'seriesNameFormat']: target.legend },
    },
  },
};

local format(panel) = units[panel.unit] + (if std.get(panel, 'decimals') != null then { decimalPlaces: panel.decimals } else {});

local green = '#2e7d32';
local orange = '#ed6c02';
local red = '#d32f2f';

local thresholds(panel) =
  local t = panel.thresholds;
  local low = std.objectHas(t, 'warn') && std.objectHas(t, 'bad') && t.bad < t.warn;
  if t == {} then {} else {
    thresholds: {
      mode: 'absolute',
      defaultColor: if low then red else green,
      steps:
        if low then [{ value: t.bad, color: orange }, { value: t.warn, color: green }]
        else (if std.objectHas(t, 'warn') then [{ value: t.warn, color: orange, name: 'watch it' }] else [])
             + (if std.objectHas(t, 'bad') then [{ value: t.bad, color: red, name: 'alert' }] else []),
    },
  };

local timeSeries(panel) = {
  kind: 'TimeSeriesChart',
  spec: thresholds(panel) + {
    legend: { position: 'bottom', mode: 'list', size: 'small' },
    yAxis: {
      show: true,
      format: format(panel),
      [if std.get(panel, 'min') != null then 'min']: panel.min,
      [if std.get(panel, 'max') != null then 'max']: panel.max,
    },
    visual: {
      display: 'line',
      lineWidth: 1.25,
      areaOpacity: if std.get(panel, 'stack', false) then 0.4 else 0.1,
      [if std.get(panel, 'stack', false) then 'stack']: 'all',
    },
  },
};

local kinds = {
  timeSeries:: timeSeries,
  stateTimeline:: timeSeries,
  heatmap:: timeSeries,
  stat(panel):: {
    kind: 'StatChart',
    spec: thresholds(panel) + { calculation: 'last-number', format: format(panel), valueFontSize: 32 },
  },
  barGauge(panel):: {
    kind: 'BarChart',
    spec: { calculation: 'last-number', format: format(panel), sort: 'desc', mode: 'value' },
  },
  // With several queries Perses numbers all columns: those of labels are made one again,
  // and rows joined by them.
  table(panel)::
    local several = std.length(panel.targets) > 1;
    local value(i) = if several then 'value #%d' % (i + 1) else 'value';
    {
      kind: 'Table',
      spec: {
        density: 'compact',
        defaultColumnWidth: 'auto',
        [if several then 'transforms']:
          [{ kind: 'MergeIndexedColumns', spec: { column: label } } for label in panel.by]
          + [{ kind: 'JoinByColumnValue', spec: { columns: panel.by } }],
        columnSettings:
          [{ name: name, hide: true } for name in ['timestamp'] + ['timestamp #%d' % (i + 1) for i in std.range(0, std.length(panel.targets) - 1)]]
          + [{ name: label, header: label, enableSorting: true } for label in panel.by]
          + std.mapWithIndex(function(i, column) {
            name: value(i),
            header: column.name,
            format: units[column.unit],
            align: 'right',
            enableSorting: true,
            [if column.name == panel.sort then 'sort']: 'desc',
          }, panel.targets),
      },
    },
  text(panel):: { kind: 'Markdown', spec: { text: panel.content } },
};

local draw(panel, links) = {
  kind: 'Panel',
  spec: {
    display: { name: panel.title, description: panel.description },
    plugin: kinds[panel.kind](panel),
    [if panel.kind != 'text' then 'queries']: [query(target) for target in (if panel.kind == 'heatmap' then panel.quantiles else panel.targets)],
    [if std.length(links) > 0 then 'links']: links,
  },
};

// A link that keeps what is chosen; addresses are relative to the dashboard's.
local link(uid, title, variables) = {
  name: title,
  tooltip: title,
  url: uid + '?' + std.join('&', ['var-%s=$%s' % [v.name, v.name] for v in variables]),
  renderVariables: true,
};

local key(row, i) = 'row%d_panel%d' % [row, i];

// A dashboard; titles are those of all, for the links. d is the panel library.
function(d, dashboard, titles) {
  kind: 'Dashboard',
  metadata: { name: dashboard.uid, project: 'loadline' },
  spec: {
    display: { name: dashboard.title, description: dashboard.description },
    duration: dashboard.from,
    refreshInterval: dashboard.refresh,
    variables: [{
      kind: 'ListVariable',
      spec: {
        name: variable.name,
        display: { name: variable.name },
        allowAllValue: variable.all,
        allowMultiple: false,
        [if variable.all then 'customAllValue']: '.*',
        [if variable.all then 'defaultValue']: '$__all',
        sort: 'alphabetical-asc',
        plugin: {
          kind: 'PrometheusLabelValuesVariable',
          spec: { labelName: variable.name, matchers: [d.choices(variable, dashboard.variables)] },
        },
      },
    } for variable in dashboard.variables],
    panels: {
      [key(r, i)]: draw(
        dashboard.rows[r].panels[i],
        (if r == 0 && i == 0 then [link(uid, titles[uid], dashboard.variables) for uid in dashboard.links] else [])
      )
      for r in std.range(0, std.length(dashboard.rows) - 1)
      for i in std.range(0, std.length(dashboard.rows[r].panels) - 1)
    },
    layouts: std.mapWithIndex(function(r, row) {
      kind: 'Grid',
      spec: {
        display: { title: row.title, collapse: { open: true } },
        items: std.mapWithIndex(function(i, panel) {
          x: panel.x,
          y: panel.y,
          width: panel.w,
          height: panel.h,
          content: { '$ref': '#/spec/panels/' + key(r, i) },
        }, grid.place(row.panels)),
      },
    }, dashboard.rows),
  },
}
