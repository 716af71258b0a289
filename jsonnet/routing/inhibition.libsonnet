// What mutes what. A rule of Alertmanager takes a label that both alerts lack for equal:
// so every source has the labels that it is compared by, except the cluster's, which all
// or none have.
local marks = import 'marks.libsonnet';
local match = import 'matchers.libsonnet';

function(config)
  local objects = (import 'objects.libsonnet')(config);

  local at(level) = [match.equal('level', level)];
  local among(names) = [match.among('level', names)];
  local page = [match.among('severity', match.names(config, 'page'))];
  local ticket = [match.among('severity', match.names(config, 'ticket'))];
  // The digest of events is whole whatever else there is.
  local notEvent = [match.notAmong('severity', match.names(config, 'event'))];
  local mark(cause) = [match.equal(marks.label, cause)];

  // A source at a level, and what it mutes.
  local rule(name, level, source, target) = {
    name: name,
    source_matchers: source + at(level) + [match.set(label) for label in objects.labels[level]],
    target_matchers: target + [match.unset(marks.label)],
    equal: objects.equal(level),
  };
  // Whoever is paged for the whole needs no message of its parts.
  local over(level, names) =
    rule('%s over %s' % [level, std.join(', ', names)], level, page, among(names) + notEvent);
  local pageOverTicket(level) = rule('page over ticket of a %s' % level, level, page, at(level) + ticket);
  local maintenance(level) =
    rule('maintenance of a %s' % level, level, mark('maintenance'), among([level] + objects.below[level]));

  (if config.routing.controlPlane == [] then [] else [
     rule('control plane over all', 'cluster', page + [match.among('alertname', config.routing.controlPlane)], among(objects.below.cluster) + notEvent),
   ]) +
  // Many nodes are one trouble, but services on them are others'.
  [over('cluster', ['node'])] +
  [over(level, objects.below[level]) for level in ['node', 'workload', 'pod']] +
  [
    // Who owns a service hears of its outage, also when somebody else's node is why.
    rule('node over services that nobody owns', 'service', mark('node'), at('service') + [match.unset('owner')] + notEvent),
    rule('node over workloads', 'workload', mark('node'), among(['workload', 'pod', 'container']) + notEvent),
    rule('service over workloads', 'workload', mark('service'), among(['workload', 'pod', 'container']) + notEvent),
  ] +
  [pageOverTicket(level) for level in ['cluster', 'node', 'namespace', 'service', 'workload', 'pod', 'container']] +
  [maintenance(level) for level in ['cluster', 'node', 'namespace', 'service', 'workload', 'pod', 'container']]
