// The routing tree: by severity, then by owner; and the receivers and time intervals
// that it names.
local marks = import 'marks.libsonnet';
local match = import 'matchers.libsonnet';

function(config)
  local routing = config.routing;
  local severities = ['page', 'ticket', 'event'];

  // One incident, one message: what concerns a service is one thing, and so is what
  // concerns a workload with its pods and containers.
  local group = [config.clusterLabel, 'namespace', 'service', 'workload', 'workload_type'];
  // Nodes that have the same trouble at once are one incident, too.
  local nodes = {
    matchers: [match.among('level', ['cluster', 'node'])],
    group_by: [config.clusterLabel, 'alertname'],
  };

  local hours(severity) = 'hours-' + severity;
  local window(window) = 'window-' + window.name;
  local has(window, field, value) =
    local only = std.get(window, field, []);
    only == [] || std.member(only, value);
  // Alertmanager does not hand these down in the tree: each route has its own.
  local times(severity, owner) =
    local muted = [window(w) for w in routing.windows if has(w, 'severities', severity) && has(w, 'owners', owner)];
    (if routing.severities[severity].hours == [] then {} else { active_time_intervals: [hours(severity)] }) +
    (if muted == [] then {} else { mute_time_intervals: muted });

  // A route of an owner; null owns what nobody does. Who has no receiver of a severity
  // has a route all the same, for windows.
  local receiver(severity, owner) = '%s-%s' % [if owner == null then 'default' else owner, severity];
  local route(severity, owner) =
    local told = if owner != null && std.objectHas(routing.owners[owner], severity) then owner else null;
    { receiver: receiver(severity, told) } + times(severity, owner) +
    (if severity == 'event' then {} else { routes: [nodes + times(severity, owner)] });

  local ofSeverity(severity) =
    local s = routing.severities[severity];
    local default = route(severity, null);
    local routes = [
      route(severity, owner) + { matchers: [match.equal('owner', owner)] }
      for owner in std.objectFields(routing.owners)
    ] + std.get(default, 'routes', []);
    default {
      matchers: [match.among('severity', match.names(config, severity))],
      // One digest, whatever is in it.
      group_by: if severity == 'event' then ['severity'] else group,
      group_wait: s.groupWait,
      group_interval: s.groupInterval,
      repeat_interval: s.repeatInterval,
    } + (if routes == [] then {} else { routes: routes });

  // Whatever tells of the end of an event says nothing.
  local quiet(receiver) = { [kind]: [{ send_resolved: false } + c for c in receiver[kind]] for kind in std.objectFields(receiver) };
  local receivers(owner, given) = [
    { name: receiver(severity, owner) } + (if severity == 'event' then quiet(given[severity]) else given[severity])
    for severity in severities
    if std.objectHas(given, severity)
  ];

  local intervals = [
    { name: hours(severity), time_intervals: routing.severities[severity].hours }
    for severity in severities
    if routing.severities[severity].hours != []
  ] + [{ name: window(w), time_intervals: w.times } for w in routing.windows];

  {
    route: {
      // What has no severity that is known here: somebody looks at it, by day.
      receiver: receiver('ticket', null),
      group_by: ['alertname'] + group,
      group_wait: routing.severities.ticket.groupWait,
      group_interval: routing.severities.ticket.groupInterval,
      repeat_interval: routing.severities.ticket.repeatInterval,
      routes: [{ matchers: [match.set(marks.label)], receiver: 'nobody' }] + [ofSeverity(severity) for severity in severities],
    },
    receivers:
      [{ name: 'nobody' }] + receivers(null, routing.default) +
      std.flattenArrays([receivers(owner, routing.owners[owner]) for owner in std.objectFields(routing.owners)]),
  } + (if intervals == [] then {} else { time_intervals: intervals })
