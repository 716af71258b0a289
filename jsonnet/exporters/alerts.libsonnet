// Exporters that do not answer, and what they miss: without them other alerts are silent.
local promql = import '../lib/promql.libsonnet';

function(config)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local t = config.thresholds;
  local labels = ['job', 'instance', config.nodeLabel];
  local each = alerts.by('cluster', labels);
  local exporter(family, matchers=[]) = family + promql.selector([config.selectors.exporters] + matchers);
  local it = 'exporter {{ $labels.job }} at {{ $labels.instance }}' + (if config.multiCluster then ' in ' + alerts.what.cluster else '');
  local ticket(fields) = alerts.new({ level: 'cluster', severity: 'ticket', labels: labels, pending: '10m' } + fields);

  alerts.group('exporters-alerts', [
    ticket({
      name: 'ExporterIsDown',
      expr: 'max by (%s) (%s) == 0' % [each, exporter('up')],
      summary: 'The %s does not answer.' % it,
      description: 'Prometheus has not been able to scrape %s for ten minutes: what only it sees is not seen.' % it,
    }),
    ticket({
      name: 'ExportersAreAllDown',
      labels: ['job'],
      pending: '5m',
      expr: 'max by (%s) (%s) == 0' % [alerts.by('cluster', ['job']), exporter('up')],
      summary: 'No exporter {{ $labels.job }} of %s answers.' % alerts.what.cluster,
      description: 'Prometheus has not been able to scrape any exporter {{ $labels.job }} of %s for five minutes: all alerts on its series are silent.' % alerts.what.cluster,
    }),
    ticket({
      name: 'SourceIsLost',
      labels: labels + ['source', 'reason'],
      pending: '15m',
      expr: |||
        max by (%(each)s, source, reason) (%(available)s) == 0
        and on (%(each)s, source)
          max_over_time(%(was)s[6h:5m]) == 1
      ||| % {
        each: each,
        available: exporter('loadline_source_available', ['reason!=""']),
        was: exporter('loadline_source_available', ['reason=""']),
      },
      summary: 'Source {{ $labels.source }} of %s is lost.' % it,
      description: 'The %s has not had its source {{ $labels.source }} for a quarter of an hour, for the reason {{ $labels.reason }}. It had it before.' % it,
    }),
    ticket({
      name: 'CollectorFails',
      labels: labels + ['collector'],
      pending: '15m',
      expr: 'max by (%s, collector) (%s) == 0' % [each, exporter('loadline_collector_success')],
      summary: 'Collector {{ $labels.collector }} of %s fails.' % it,
      description: 'Collector {{ $labels.collector }} of %s has not delivered all it has for a quarter of an hour.' % it,
    }),
    ticket({
      name: 'SeriesAreDropped',
      labels: labels + ['reason'],
      expr: 'max by (%s, reason) (%s) > 0' % [each, exporter('loadline_exporter_series_dropped')],
      summary: 'The %s drops series.' % it,
      description: 'The %s has left out {{ $value | humanize }} series for ten minutes, for the reason {{ $labels.reason }}: families that do not fit into its budget are missing whole.' % it,
    }),
    ticket({
      name: 'ScrapeIsSlow',
      pending: '15m',
      expr: 'max by (%s) (%s) > %s' % [each, exporter('scrape_duration_seconds'), t.scrapeSeconds],
      summary: 'Scrapes of %s take long.' % it,
      description: 'A scrape of %s takes {{ $value | humanizeDuration }}; one that exceeds its deadline has nothing.' % it,
    }),
  ])
