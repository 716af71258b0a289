// A dashboard with every kind of panel and all that can be said of one, drawn for Grafana.
local d = (import 'lib/panel.libsonnet')((import 'mixin.libsonnet')._config);

local targets = [d.target('up', '{{instance}}')];
local panel(fields={}) = { title: 'Title', description: 'Description.', targets: targets } + fields;

local kinds = [
  d.timeSeries(panel({ min: 0, max: 1, decimals: 1, stack: true, noDataIsGood: true, thresholds: { warn: 1, bad: 2 } })),
  d.stat(panel({ unit: 'seconds', thresholds: { warn: 2, bad: 1 } })),
  d.barGauge(panel({ unit: 'ratio', max: 1, thresholds: { bad: 1 } })),
  d.table(panel({
    by: ['namespace', 'workload'],
    sort: 'first',
    link: d.link('kinds', ['namespace']),
    targets: [d.column('up', 'first', 'bytes') + { thresholds: { bad: 1 } }, d.column('up', 'second')],
  })),
  d.heatmap(panel({ unit: 'seconds', quantiles: targets })),
  d.stateTimeline(panel({ thresholds: { bad: 1 } })),
  d.text(panel({ content: 'Text.' })),
];

(import 'lib/grafana.libsonnet')(
  d,
  d.dashboard({
    uid: 'kinds',
    title: 'Kinds',
    description: 'Description.',
    links: ['kinds'],
    variables: [d.all('namespace'), d.variable('workload')],
    rows: [d.row('Row', kinds)],
  }),
  { kinds: 'Kinds' },
)
