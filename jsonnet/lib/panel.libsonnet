// Dashboards as plain values, before anybody draws them: what is asked, how it is shown
// and what it means. grafana.libsonnet and perses.libsonnet draw the same ones.
//
// Every panel has a title, a unit and a description. Sizes are those of a grid of 24
// columns. Thresholds are {warn, bad}, either may be missing; where a lower value is the
// worse one, bad is below warn. noDataIsGood marks panels that show faults only.
local promql = import 'promql.libsonnet';

function(config)
  local panel(kind, width, height) = function(fields)
    assert std.objectHas(fields, 'title') && std.objectHas(fields, 'description') : '%s panel without title or description: %s' % [kind, fields];
    { kind: kind, w: width, h: height, unit: 'count', targets: [], thresholds: {}, noDataIsGood: false, links: [] } + fields;

  // The level's recorded series that tells which values a label has, of either exporter;
  // of pods and containers the orchestrator's own, to choose those too that never ran.
  local values = {
    [config.clusterLabel]: '__name__=~"cluster:(memory_working_set_bytes:sum|pods:count)"',
    namespace: '__name__=~"namespace:(memory_working_set_bytes:sum|pods:count)"',
    service: '__name__=~"service:(endpoints:sum|memory_working_set_bytes:sum)"',
    workload: '__name__=~"workload:(memory_working_set_bytes:sum|replicas_desired:sum)"',
    pod: '__name__=~"pod:memory_working_set_bytes:sum|loadline_pod_info"',
    container: '__name__=~"container:memory_working_set_bytes:sum|loadline_container_image_info"',
    [config.nodeLabel]: '__name__=~"node:(host_memory_bytes:sum|orchestrator_ready:sum)"',
  };
  // Which variables a variable's values depend on, if the dashboard has them.
  local upon = {
    [config.clusterLabel]: [],
    [config.nodeLabel]: [config.clusterLabel],
    namespace: [config.clusterLabel],
    service: [config.clusterLabel, 'namespace'],
    workload: [config.clusterLabel, 'namespace'],
    pod: [config.clusterLabel, 'namespace', 'workload'],
    container: [config.clusterLabel, 'namespace', 'workload', 'pod'],
  };
  // Several clusters are told apart, one is not named.
  local clusters = if config.multiCluster then [config.clusterLabel] else [];

  {
    target(expr, legend=''):: { expr: std.rstripChars(expr, '\n'), legend: legend },
    // A column of a table: its query, its heading and its unit.
    column(expr, name, unit='count'):: { expr: std.rstripChars(expr, '\n'), name: name, unit: unit },

    timeSeries:: panel('timeSeries', 12, 8),
    stat:: panel('stat', 4, 4),
    barGauge:: panel('barGauge', 12, 8),
    // by are the columns that are labels; every target is joined by them. link, if given,
    // leads from a row to the dashboard of what it is about.
    table(fields):: panel('table', 24, 8)({ by: [], sort: '', link: null } + fields),
    // targets are buckets by le; quantiles are targets for who cannot draw them.
    heatmap(fields):: panel('heatmap', 12, 8)({ quantiles: [] } + fields),
    stateTimeline:: panel('stateTimeline', 12, 8),
    text:: panel('text', 24, 3),

    // A time series of a signal at a level.
    signal(signal, level, matchers=[], legend='', extra={}):: self.timeSeries({
      title: signal.title,
      description: signal.description,
      unit: signal.unit,
      targets: [$.target(signal.query(level, matchers), legend)],
      [if signal.unit == 'ratio' then 'min']: 0,
    } + extra),

    link(uid, labels):: { uid: uid, labels: clusters + labels },

    row(title, panels):: { title: title, panels: panels },

    // A choice of one value of a label, or of all.
    variable(name, all=false):: {
      name: name,
      all: all,
      series: values[name],
      upon: upon[name],
    },
    all(name):: self.variable(name, all=true),

    // Matchers of chosen values; the cluster is one of them where there are several.
    match(names):: ['%s="$%s"' % [name, name] for name in clusters + names],
    // Likewise, where all may be chosen.
    matchAll(names):: ['%s="$%s"' % [name, name] for name in clusters] + ['%s=~"$%s"' % [name, name] for name in names],

    dashboard(fields):: {
      links: [],
      refresh: '30s',
      from: '1h',
    } + fields + {
      // The cluster comes first, and only where there is a choice.
      variables: [$.variable(name) for name in clusters] + fields.variables,
    },

    // The matchers of a variable's values, as a selector.
    choices(variable, variables)::
      local has(name) = [v for v in variables if v.name == name];
      promql.selector([variable.series] + std.flattenArrays([
        ['%s%s"$%s"' % [name, if has(name)[0].all then '=~' else '=', name] for _ in has(name)]
        for name in variable.upon
      ])),
  }
