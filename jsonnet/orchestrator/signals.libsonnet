// The facts that the orchestrator exporter's series give, the same for Kubernetes,
// Swarm and Docker.
local promql = import '../lib/promql.libsonnet';
local signals = import '../lib/signal.libsonnet';

function(config)
  local signal = signals(config);
  local levels = (import '../lib/levels.libsonnet')(config);
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + matchers);
  local ofWorkload = { base: 'workload', source: 'orchestrator', unit: 'count' };
  local inWindow = 'in the last %s' % config.rateWindow;

  local replicas(state, description) = signal.new(ofWorkload {
    name: 'replicas_' + state,
    title: 'Replicas ' + state,
    description: description,
    expr: own('loadline_workload_replicas_' + state),
  });

  // Facts that are counted instead of added up.
  local counted(fields) = signal.new(ofWorkload { op: 'count', fold: 'count' } + fields);

  local endpoints(name, matchers, title, description) = signal.new({
    name: name,
    title: title,
    unit: 'count',
    description: description,
    base: 'service',
    source: 'orchestrator',
    distinct: ['state'],
    expr: own('loadline_service_endpoints', matchers),
  });

  // A quantile of what took long in the last hour. Starts are rare: in less time there
  // is often none.
  local quantile(family, level, labels, q, fields) = signal.derived({
    op: 'p%d_1h' % (q * 100),
    unit: 'seconds',
    levels: [level],
    source: 'orchestrator',
    of(_): 'histogram_quantile(%s,\n%s\n)' % [q, promql.indent(promql.aggregate('max', labels + ['le'], 'increase(%s[1h])' % own(family + '_bucket')))],
  } + fields);

  {
    replicasDesired: replicas('desired', 'Pods or tasks that workloads should have.'),
    replicasReady: replicas('ready', 'Pods or tasks that say they are ready.'),
    replicasAvailable: replicas('available', 'Pods or tasks that have been ready for as long as their workload asks.'),
    replicasUpdated: replicas('updated', 'Pods or tasks of the latest revision.'),
    replicasSchedulable: replicas('schedulable', 'Pods or tasks that could run with the nodes there are.'),
    replicasReadyRatio: signal.share({
      name: 'replicas_ready_ratio',
      op: 'ratio',
      title: 'Replicas ready',
      unit: 'ratio',
      description: 'Share of the pods or tasks that should be there which are ready.',
      source: 'orchestrator',
      part: $.replicasReady,
      whole: $.replicasDesired,
    }),
    endpointsReady: endpoints('endpoints_ready', ['state="ready"'], 'Endpoints ready', 'Addresses behind a service that take requests.'),
    endpoints: endpoints('endpoints', ['state=~"ready|not_ready"'], 'Endpoints', 'Addresses behind a service, without those that are being shut down.'),
    endpointsReadyRatio: signal.share({
      name: 'endpoints_ready_ratio',
      op: 'ratio',
      title: 'Endpoints ready',
      unit: 'ratio',
      description: 'Share of the addresses behind a service that take requests.',
      source: 'orchestrator',
      part: $.endpointsReady,
      whole: $.endpoints,
    }),
    // Which workloads stand behind a service: by the pods of theirs that it selects.
    servicePods: signal.derived({
      name: 'workload_pods',
      op: 'count',
      title: 'Pods of services',
      unit: 'count',
      description: 'Pods of a workload that a service selects.',
      source: 'orchestrator',
      levels: ['service'],
      extra: ['workload', 'workload_type'],
      local pod = [config.clusterLabel, 'namespace', 'pod'],
      of(_): promql.aggregate('count', levels.labels.service + self.extra, promql.binary(
        'max by (%s) (%s)' % [promql.list(levels.labels.service + ['pod']), own('loadline_service_pod')],
        '* on (%s) group_left (workload, workload_type)' % promql.list(pod),
        'max by (%s) (%s)' % [promql.list(pod + ['workload', 'workload_type']), own('loadline_pod_info')],
      )),
    }),
    serviceWorkloads: signal.derived({
      name: 'workload_info',
      op: 'max',
      title: 'Workloads of services',
      unit: 'count',
      description: 'A workload with pods that a service selects; always 1.',
      source: 'orchestrator',
      levels: ['service'],
      extra: ['workload', 'workload_type'],
      of(_): '%s > bool 0' % $.servicePods.at('service'),
    }),
    // What the workloads behind a service should have.
    serviceReplicasDesired: signal.derived({
      name: 'replicas_desired',
      op: 'sum',
      title: 'Replicas desired',
      unit: 'count',
      description: 'Pods or tasks that the workloads behind a service should have.',
      source: 'orchestrator',
      levels: ['service'],
      of(_): promql.aggregate('sum', levels.labels.service, promql.binary(
        $.serviceWorkloads.at('service'),
        '* on (%s) group_left ()' % promql.list(levels.labels.workload),
        $.replicasDesired.at('workload'),
      )),
    }),

    pods: counted({
      name: 'pods',
      title: 'Pods',
      description: 'Pods or tasks by the phase that they are in.',
      extra: ['phase'],
      distinct: ['pod'],
      expr: own('loadline_pod_phase'),
    }),
    containersWaiting: counted({
      name: 'containers_waiting',
      title: 'Containers waiting',
      description: 'Containers that do not run, by the reason.',
      extra: ['reason'],
      distinct: ['pod', 'container'],
      expr: own('loadline_container_waiting'),
    }),
    podOverdue: signal.new(ofWorkload {
      name: 'pod_overdue_seconds',
      title: 'Pods overdue',
      unit: 'seconds',
      description: 'How long the pod that is overdue longest has been in a phase that it should leave: pending, unknown or terminating.',
      up: 'max',
      extra: ['phase'],
      expr: own('loadline_pod_overdue_seconds'),
    }),

    restarts: signal.increase(ofWorkload {
      name: 'restarts',
      title: 'Restarts',
      description: 'Containers that were started again %s.' % inWindow,
      distinct: ['container'],
      expr: own('loadline_workload_restarts_total'),
    }),
    terminations: signal.increase(ofWorkload {
      name: 'terminations',
      title: 'Processes that ended',
      description: "Containers' first processes that ended %s, by the reason." % inWindow,
      distinct: ['container'],
      extra: ['reason'],
      expr: own('loadline_workload_terminations_total'),
    }),
    podFailures: signal.increase(ofWorkload {
      name: 'pod_failures',
      title: 'Tasks that failed',
      description: 'Tasks that failed or could not run %s, by the reason (Swarm).' % inWindow,
      distinct: ['pod'],
      extra: ['reason'],
      expr: own('loadline_workload_pod_failures_total'),
    }),
    rollouts: signal.increase(ofWorkload {
      name: 'rollouts',
      title: 'Rollouts',
      description: 'Rollouts that came to a result %s: completed, failed, rolled_back.' % inWindow,
      extra: ['result'],
      expr: own('loadline_workload_rollouts_total'),
    }),
    jobRuns: signal.increase(ofWorkload {
      name: 'job_runs',
      title: 'Job runs',
      description: 'Runs of jobs that ended %s: complete, failed.' % inWindow,
      extra: ['result'],
      expr: own('loadline_workload_job_runs_total'),
    }),
    events: signal.increase(ofWorkload {
      name: 'events',
      title: 'Events',
      description: 'Events that the orchestrator reported %s, by class.' % inWindow,
      extra: ['class'],
      distinct: ['type'],
      expr: own('loadline_events_total'),
    }),

    podReadyTime: quantile('loadline_workload_pod_ready_duration_seconds', 'workload', levels.labels.workload, 0.95, {
      name: 'pod_ready_duration_seconds',
      title: 'Time until ready',
      description: 'Time from creation until a pod was ready: 95 of 100 pods of the last hour took no longer.',
    }),
    podStartTime: quantile('loadline_workload_pod_start_duration_seconds', 'workload', levels.labels.workload, 0.95, {
      name: 'pod_start_duration_seconds',
      title: 'Time until started',
      description: 'Time from creation until all containers of a pod had been started: 95 of 100 pods of the last hour took no longer.',
    }),
    podSchedulingTime: quantile('loadline_workload_pod_scheduling_duration_seconds', 'workload', levels.labels.workload, 0.95, {
      name: 'pod_scheduling_duration_seconds',
      title: 'Time until scheduled',
      description: 'Time from creation until a pod was given a node: 95 of 100 pods of the last hour took no longer.',
    }),
    imagePullTime: quantile('loadline_image_pull_duration_seconds', 'cluster', levels.labels.cluster + ['registry'], 0.95, {
      name: 'image_pull_duration_seconds',
      title: 'Time of a pull',
      description: "Time that an image's pull took, by registry: 95 of 100 pulls of the last hour took no longer.",
      extra: ['registry'],
    }),

    nodesReady: signal.new({
      name: 'orchestrator_ready',
      title: 'Nodes ready',
      unit: 'count',
      description: 'Nodes that are ready, and heard of.',
      base: 'node',
      source: 'orchestrator',
      expr: own('loadline_orchestrator_node_ready'),
    }),
    nodesSchedulable: signal.new({
      name: 'orchestrator_schedulable',
      title: 'Nodes that take work',
      unit: 'count',
      description: 'Nodes that take new pods or tasks.',
      base: 'node',
      source: 'orchestrator',
      expr: own('loadline_orchestrator_node_schedulable'),
    }),
  }
