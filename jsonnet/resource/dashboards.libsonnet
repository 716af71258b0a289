// The dashboards of the resource exporter's series, and the rows that it adds to those
// of others.
function(config, signals)
  std.foldl(
    function(all, part) all + part(config, signals),
    [
      import 'dashboards_overview.libsonnet',
      import 'dashboards_workload.libsonnet',
      import 'dashboards_pod.libsonnet',
      import 'dashboards_node.libsonnet',
      import 'dashboards_capacity.libsonnet',
      import 'dashboards_traffic.libsonnet',
    ],
    {},
  )
