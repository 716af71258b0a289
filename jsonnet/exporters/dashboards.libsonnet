// What the exporters cost and whether they see all they should.
local promql = import '../lib/promql.libsonnet';

function(config)
  local d = (import '../lib/panel.libsonnet')(config);
  local outline = (import '../lib/outline.libsonnet')(config);
  local own(family, matchers=[]) = family + promql.selector([config.selectors.exporters] + d.match([]) + matchers);
  local exporter = '{{job}} {{instance}}';
  {
    'loadline-exporters': outline['loadline-exporters'] {
      rows+: {
        sight: d.row('Do they see everything?', [
          d.stat({
            title: 'Exporters that answer',
            description: 'Share of the exporters that answered the last scrape.',
            unit: 'ratio',
            thresholds: { warn: 1, bad: 0.9 },
            targets: [d.target('avg (%s)' % own('up'))],
          }),
          d.stat({
            title: 'Collectors that fail',
            description: 'Collectors of all exporters that did not deliver all they have.',
            thresholds: { warn: 1 },
            targets: [d.target('count(%s == 0) or vector(0)' % own('loadline_collector_success'))],
          }),
          d.stat({
            title: 'Series left out',
            description: "Series that did not fit into the exporters' budgets: families that are missing whole.",
            thresholds: { warn: 1 },
            targets: [d.target('sum (%s) or vector(0)' % own('loadline_exporter_series_dropped'))],
          }),
          d.table({
            title: 'Sources that do not answer',
            description: 'What an exporter would read and cannot, and why; without what the machine or the cluster does not have.',
            w: 12,
            h: 8,
            noDataIsGood: true,
            by: ['instance', 'source', 'reason'],
            targets: [d.column('topk(20, max by (instance, source, reason) (1 - %s) > 0)' % own('loadline_source_available', ['reason!="absent"']), 'missing')],
          }),
        ]) { order: 10 },
        cost: d.row('What do they cost?', [
          d.timeSeries({
            title: 'Time of a scrape',
            description: 'How long an exporter took to answer Prometheus; the ten slowest.',
            unit: 'seconds',
            min: 0,
            thresholds: { bad: config.thresholds.scrapeSeconds },
            targets: [d.target('topk(10, %s)' % own('scrape_duration_seconds'), exporter)],
          }),
          d.timeSeries({
            title: 'Series',
            description: 'Series that an exporter served, without those about itself; the ten with most.',
            min: 0,
            targets: [d.target('topk(10, %s)' % own('loadline_exporter_series'), exporter)],
          }),
          d.barGauge({
            title: 'Slowest collectors',
            description: 'How long collectors took in the last scrape, of the exporter where each was slowest.',
            unit: 'seconds',
            targets: [d.target('topk(10, max by (job, collector) (%s))' % own('loadline_collector_duration_seconds'), '{{job}} {{collector}}')],
          }),
          d.timeSeries({
            title: 'Samples of a scrape',
            description: 'Samples that Prometheus took from all exporters of a kind in a scrape.',
            min: 0,
            targets: [d.target('sum by (job) (%s)' % own('scrape_samples_scraped'), '{{job}}')],
          }),
        ]) { order: 20 },
      },
    },
  }
