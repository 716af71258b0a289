// What the exporters cost and whether they see all they should.
function(config)
  local d = (import '../lib/panel.libsonnet')(config);
  local promql = import '../lib/promql.libsonnet';
  local own(family, matchers=[]) = family + promql.selector([config.selectors.exporters] + matchers);
  {
    'loadline-exporters': d.dashboard({
      uid: 'loadline-exporters',
      title: 'Exporters',
      description: 'Whether the exporters see all they should, and what they cost.',
      variables: [],
      links: ['loadline-overview'],
      rows: [
        d.row('Do they see everything?', [
          d.stat({
            title: 'Exporters that answer',
            description: 'Share of the exporters that answered the last scrape.',
            unit: 'ratio',
            thresholds: { warn: 1, bad: 0.9 },
            targets: [d.target('avg (%s)' % own('up'))],
          }),
          d.table({
            title: 'Sources that do not answer',
            description: 'What an exporter would read and cannot, and why: absent is usual where a machine has no such thing.',
            w: 20,
            h: 8,
            by: ['instance', 'source', 'reason'],
            targets: [d.column('max by (instance, source, reason) (1 - %s) > 0' % own('loadline_source_available'), 'missing')],
          }),
        ]),
        d.row('What do they cost?', [
          d.timeSeries({
            title: 'Time of a scrape',
            description: 'How long an exporter took to answer Prometheus.',
            unit: 'seconds',
            min: 0,
            targets: [d.target(own('scrape_duration_seconds'), '{{job}} {{instance}}')],
          }),
          d.timeSeries({
            title: 'Series',
            description: 'Series that an exporter served, without those about itself. What its budget did not allow is left out, family by family.',
            min: 0,
            targets: [d.target(own('loadline_exporter_series'), '{{job}} {{instance}}')],
          }),
        ]),
      ],
    }),
  }
