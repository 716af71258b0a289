// Who owns what, for the routing of alerts: of every workload, service and namespace
// that an alert can be about there is one series, with an empty label where nobody owns
// it, so that an alert that is joined with it is never lost.
local promql = import '../lib/promql.libsonnet';

function(config)
  local levels = (import '../lib/levels.libsonnet')(config);
  local own(family) = family + promql.selector([config.selectors.orchestrator]);
  local workload = levels.labels.workload;
  local service = levels.labels.service;
  local namespace = levels.labels.namespace;
  local and_ = promql.list;

  local fallback(labels, first, second) = promql.binary(first, 'or on (%s)' % and_(labels), second);
  // Where two are told none is: one exporter has read a change and the other has not, or
  // a service stands before the workloads of two teams.
  local only(labels, expr) = promql.binary(
    expr,
    'and on (%s)' % and_(labels),
    promql.aggregate('count', labels, expr) + ' == 1',
  );
  local told(labels, expr) = promql.aggregate('max', labels + ['owner'], expr);
  local known(labels, series) = promql.aggregate('group', labels, std.join('\nor\n', series));

  local rule(level, expr) = { record: level + ':owner:info', expr: expr + '\n' };
  {
    name: 'loadline-owners',
    interval: config.resourceInterval,
    rules: [
      rule('namespace', fallback(
        namespace,
        only(namespace, told(namespace, own('loadline_namespace_owner'))),
        known(namespace, ['namespace:memory_working_set_bytes:sum', 'namespace:pods:count', 'namespace:events:increase' + config.rateWindow, 'service:endpoints:sum', 'kube_namespace_created' + promql.selector([config.selectors.kube])]),
      )),
      rule('workload', fallback(
        workload,
        only(workload, told(workload, own('loadline_workload_owner'))),
        known(workload, [
          'workload:memory_working_set_bytes:sum',
          'workload:replicas_desired:sum',
          'workload:pods:count',
          'workload:events:increase' + config.rateWindow,
          own('loadline_job_state'),
          own('loadline_cronjob_suspended'),
          own('loadline_autoscaler_replicas_max'),
        ]),
      )),
      // The owner of the workloads behind it, else of its namespace.
      rule('service', fallback(
        service,
        only(service, told(service, promql.binary(
          'service:workload_info:max',
          '* on (%s) group_left (owner)' % and_(workload),
          'workload:owner:info{owner!=""}',
        ))),
        promql.binary(
          known(service, ['service:endpoints:sum']),
          '* on (%s) group_left (owner)' % and_(namespace),
          'namespace:owner:info',
        ),
      )),
    ],
  }
