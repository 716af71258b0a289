// How many pods or tasks there should be by now, which several alerts compare with what
// there is: never what was asked for a moment ago, and not while a rollout has just begun.
local promql = import '../lib/promql.libsonnet';

function(config, signals)
  local alerts = (import '../lib/alert.libsonnet')(config);
  local own(family, matchers=[]) = family + promql.selector([config.selectors.orchestrator] + matchers);
  local service = alerts.by('service');
  local workload = alerts.by('workload');
  local both = { service: service, workload: workload };
  {
    // What a workload has been told to have for ten minutes: scaling up asks for more only
    // after them, scaling down and deleting for less at once. What runs to its end, as
    // some services of a Swarm do, is not there to be ready.
    replicas: 'workload:replicas_wanted:min10m',
    // A rollout that goes on, and began a short time ago.
    rollout: 'workload:rollout_fresh:max',
    // The workloads behind a service, the last of them while none has pods.
    behind: 'service:workload_known:max',
    // What a service should have: of each workload as many as the service selects of its
    // pods, since some services select one of them only.
    endpoints: 'service:replicas_wanted:sum',

    rules: [
      {
        record: $.replicas,
        expr: |||
          min_over_time(%(desired)s[10m])
          and
            %(desired)s
          and
            %(desired)s offset 10m
          unless on (%(workload)s)
            %(jobs)s
        ||| % both { desired: signals.replicasDesired.at('workload'), jobs: own('loadline_job_state') },
      },
      {
        record: $.rollout,
        expr: |||
          (
            max by (%(workload)s) (time() - %(started)s) < %(seconds)s
          )
          and on (%(workload)s)
            %(state)s
        ||| % both {
          started: own('loadline_workload_rollout_start_timestamp_seconds'),
          state: own('loadline_workload_rollout_state', ['state=~"progressing|rolling_back"']),
          seconds: config.thresholds.rolloutSeconds,
        },
      },
      {
        record: $.behind,
        expr: |||
          %(now)s
          or
            (
              %(known)s
              and on (%(service)s)
                %(endpoints)s
              and on (%(workload)s)
                %(desired)s
              unless on (%(service)s)
                %(now)s
            )
        ||| % both {
          now: signals.serviceWorkloads.at('service'),
          known: $.behind,
          endpoints: signals.endpoints.at('service'),
          desired: signals.replicasDesired.at('workload'),
        },
      },
      {
        record: $.endpoints,
        expr: |||
          sum by (%(service)s) (
            %(selected)s
            / on (%(workload)s) group_left ()
              sum by (%(workload)s) (%(pods)s)
            * on (%(workload)s) group_left ()
              %(wanted)s
          )
        ||| % both {
          pods: signals.pods.query('workload', ['phase!~"succeeded|failed"']),
          selected: signals.servicePods.at('service'),
          wanted: $.replicas,
        },
      },
    ],
  }
