// Draws dashboards as Grafana 11 and later reads them (schema v1).
local grid = import 'grid.libsonnet';

local units = {
  seconds: 's',
  bytes: 'bytes',
  cores: 'short',
  ratio: 'percentunit',
  count: 'short',
  bytes_per_second: 'Bps',
  per_second: 'cps',
};

local source = { type: 'prometheus', uid: '${datasource}' };

local refs = std.stringChars('ABCDEFGHIJKLMNOPQRSTUVWXYZ');

// Green, and from a threshold on yellow or red; the other way round where a lower value
// is the worse one.
local thresholds(panel) =
  local t = panel.thresholds;
  local low = std.objectHas(t, 'warn') && std.objectHas(t, 'bad') && t.bad < t.warn;
  local step(value, color) = { value: value, color: color };
  {
    mode: 'absolute',
    steps:
      if low then [step(null, 'red'), step(t.bad, 'orange'), step(t.warn, 'green')]
      else [step(null, 'green')]
           + (if std.objectHas(t, 'warn') then [step(t.warn, 'orange')] else [])
           + (if std.objectHas(t, 'bad') then [step(t.bad, 'red')] else []),
  };

local query(index, target, instant, format='time_series') = {
  refId: refs[index],
  datasource: source,
  expr: target.expr,
  [if !instant then 'legendFormat']: if target.legend == '' then '__auto' else target.legend,
  [if instant && std.objectHas(target, 'legend') && target.legend != '' then 'legendFormat']: target.legend,
  instant: instant,
  range: !instant,
  format: format,
};

local queries(panel, instant) = std.mapWithIndex(function(i, target) query(i, target, instant), panel.targets);

local defaults(panel) = {
  unit: units[panel.unit],
  thresholds: thresholds(panel),
  color: { mode: if panel.thresholds == {} then 'palette-classic' else 'thresholds' },
  [if std.get(panel, 'min') != null then 'min']: panel.min,
  [if std.get(panel, 'max') != null then 'max']: panel.max,
  [if std.get(panel, 'decimals') != null then 'decimals']: panel.decimals,
  [if panel.noDataIsGood then 'noValue']: 'none',
};

local last = { calcs: ['lastNotNull'], fields: '', values: false };

// What each kind of panel adds to what all have.
local kinds = {
  timeSeries(panel):: {
    type: 'timeseries',
    targets: queries(panel, false),
    fieldConfig: {
      defaults: defaults(panel) {
        color: { mode: 'palette-classic' },
        custom: {
          drawStyle: 'line',
          lineWidth: 1,
          fillOpacity: if std.get(panel, 'stack', false) then 40 else 10,
          showPoints: 'never',
          spanNulls: false,
          stacking: { mode: if std.get(panel, 'stack', false) then 'normal' else 'none', group: 'A' },
          thresholdsStyle: { mode: if panel.thresholds == {} then 'off' else 'line' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  },
  stat(panel):: {
    type: 'stat',
    targets: queries(panel, true),
    fieldConfig: { defaults: defaults(panel) { color: { mode: 'thresholds' } }, overrides: [] },
    options: {
      reduceOptions: last,
      colorMode: if panel.thresholds == {} then 'none' else 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      textMode: 'auto',
      wideLayout: true,
      showPercentChange: false,
      percentChangeColorMode: 'standard',
    },
  },
  barGauge(panel):: {
    type: 'bargauge',
    targets: queries(panel, true),
    fieldConfig: { defaults: defaults(panel) { color: { mode: 'thresholds' }, min: 0 }, overrides: [] },
    options: {
      reduceOptions: last,
      displayMode: 'basic',
      orientation: 'horizontal',
      valueMode: 'color',
      namePlacement: 'auto',
      showUnfilled: true,
      sizing: 'auto',
      minVizWidth: 8,
      minVizHeight: 16,
      maxVizHeight: 40,
      legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
    },
  },
  table(panel)::
    local value(i) = if std.length(panel.targets) == 1 then 'Value' else 'Value #' + refs[i];
    {
      type: 'table',
      targets: std.mapWithIndex(function(i, column) query(i, { expr: column.expr, legend: '' }, true, 'table'), panel.targets),
      transformations: [
        { id: 'merge', options: {} },
        {
          id: 'organize',
          options: {
            excludeByName: { Time: true },
            indexByName: { [panel.by[i]]: i for i in std.range(0, std.length(panel.by) - 1) }
                         + { [value(i)]: std.length(panel.by) + i for i in std.range(0, std.length(panel.targets) - 1) },
            renameByName: { [value(i)]: panel.targets[i].name for i in std.range(0, std.length(panel.targets) - 1) },
          },
        },
      ],
      fieldConfig: {
        defaults: { custom: { align: 'auto', inspect: false, filterable: true, cellOptions: { type: 'auto' } }, thresholds: thresholds(panel) },
        overrides: [
          {
            matcher: { id: 'byName', options: column.name },
            properties: [{ id: 'unit', value: units[column.unit] }]
                        + (if std.objectHas(column, 'thresholds') then [
                             { id: 'thresholds', value: thresholds(column) },
                             { id: 'custom.cellOptions', value: { type: 'color-text' } },
                           ] else []),
          }
          for column in panel.targets
        ] + (if panel.link == null then [] else [{
               matcher: { id: 'byName', options: panel.by[std.length(panel.by) - 1] },
               properties: [{
                 id: 'links',
                 value: [{
                   title: 'Show it',
                   url: '/d/%s?%s&var-datasource=${datasource}&${__url_time_range}' % [panel.link.uid, std.join('&', ['var-%s=${__data.fields["%s"]:percentencode}' % [label, label] for label in panel.link.labels])],
                   targetBlank: false,
                 }],
               }],
             }]),
      },
      options: {
        frameIndex: 0,
        showHeader: true,
        cellHeight: 'sm',
        footer: { show: false, reducer: ['sum'], countRows: false, fields: '' },
        sortBy: [{ displayName: panel.sort, desc: true } for _ in (if panel.sort == '' then [] else [0])],
      },
    },
  heatmap(panel):: {
    type: 'heatmap',
    targets: std.mapWithIndex(function(i, target) query(i, target { legend: '{{le}}' }, false, 'heatmap'), panel.targets),
    fieldConfig: { defaults: { custom: {} }, overrides: [] },
    options: {
      calculate: false,
      yAxis: { axisPlacement: 'left', unit: units[panel.unit] },
      cellGap: 1,
      color: { mode: 'scheme', scheme: 'Blues', steps: 64, exponent: 0.5, fill: 'dark-blue', scale: 'exponential', reverse: false },
      legend: { show: true },
      rowsFrame: { layout: 'auto' },
      tooltip: { mode: 'single', yHistogram: false, showColorScale: false },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      filterValues: { le: 1e-9 },
      showValue: 'never',
    },
  },
  stateTimeline(panel):: {
    type: 'state-timeline',
    targets: queries(panel, false),
    fieldConfig: { defaults: defaults(panel) { color: { mode: 'thresholds' }, custom: { lineWidth: 0, fillOpacity: 80 } }, overrides: [] },
    options: {
      mergeValues: true,
      showValue: 'never',
      alignValue: 'left',
      rowHeight: 0.9,
      legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
      tooltip: { mode: 'single', sort: 'none' },
    },
  },
  text(panel):: {
    type: 'text',
    options: { mode: 'markdown', content: panel.content },
  },
};

local draw(panel) = kinds[panel.kind](panel) + {
  title: panel.title,
  description: panel.description,
  [if panel.kind != 'text' then 'datasource']: source,
  gridPos: { x: panel.x, y: panel.y, w: panel.w, h: panel.h },
};

// Numbered, as Grafana wants panels to be.
local numbered(panels) = std.mapWithIndex(function(i, panel) panel { id: i + 1 }, panels);

local rows(list) = std.foldl(
  function(at, row) {
    y: at.y + 1 + grid.height(row.panels),
    panels: at.panels
            + [{ type: 'row', title: row.title, collapsed: false, panels: [], gridPos: { x: 0, y: at.y, w: 24, h: 1 } }]
            + [draw(panel) for panel in grid.place(row.panels, at.y + 1)],
  },
  list,
  { y: 0, panels: [] }
).panels;

// A dashboard; titles are those of all, for the links. d is the panel library.
function(d, dashboard, titles) {
  uid: dashboard.uid,
  title: dashboard.title,
  description: dashboard.description,
  tags: ['loadline'],
  schemaVersion: 39,
  editable: true,
  graphTooltip: 1,
  fiscalYearStartMonth: 0,
  refresh: dashboard.refresh,
  time: { from: 'now-' + dashboard.from, to: 'now' },
  timepicker: {},
  timezone: 'browser',
  annotations: { list: [] },
  templating: {
    list: [{
      type: 'datasource',
      name: 'datasource',
      label: 'Data source',
      query: 'prometheus',
      hide: 0,
      multi: false,
      includeAll: false,
      refresh: 1,
      regex: '',
    }] + [{
      type: 'query',
      name: variable.name,
      label: variable.name,
      datasource: source,
      query: { query: 'label_values(%s, %s)' % [d.choices(variable, dashboard.variables), variable.name], refId: 'values' },
      definition: 'label_values(%s, %s)' % [d.choices(variable, dashboard.variables), variable.name],
      hide: 0,
      multi: false,
      includeAll: variable.all,
      [if variable.all then 'current']: { text: 'All', value: '$__all' },
      [if variable.all then 'allValue']: '.*',
      refresh: 2,
      sort: 1,
      regex: '',
    } for variable in dashboard.variables],
  },
  links: [{
    type: 'link',
    title: titles[uid],
    url: '/d/' + uid,
    icon: 'dashboard',
    tooltip: '',
    tags: [],
    asDropdown: false,
    includeVars: true,
    keepTime: true,
    targetBlank: false,
  } for uid in dashboard.links],
  panels: numbered(rows(dashboard.rows)),
}
