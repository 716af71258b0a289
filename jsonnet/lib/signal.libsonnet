// A signal is a fact of the hierarchy, declared once and used by the rules that record
// it, by panels, alerts and documents. It has these fields:
//
//   name, op     recorded as LEVEL:name:op at every level
//   title        what a person calls it; a panel's title
//   unit         base unit: seconds, bytes, cores, ratio, count, bytes_per_second, per_second
//   description  what it says and how to read it
//   base         the lowest level that it exists at
//   expr         PromQL of the series that it begins with
//   distinct     labels beyond the base level's that tell series apart which are added
//                up; what else tells two series apart (the exporter's replicas) is not
//                counted twice
//   up           how it comes from the level below: sum, max or min
//   fold         how its base comes from the series, if otherwise: count
//   extra        further labels that all of its series have
//   levels       where it is recorded, the lowest first: a record of ten thousand containers
//                has to be worth its cost, so that not all are recorded at all
local promql = import 'promql.libsonnet';

function(config)
  local levels = (import 'levels.libsonnet')(config);

  local common = {
    local this = self,
    extra:: [],
    // Whether it is made of other signals, which have to be evaluated before it.
    shared:: false,
    // The name of the recorded series at a level.
    at(level)::
      assert std.member(this.levels, level) : '%s is not recorded at %s' % [this.name, level];
      '%s:%s:%s' % [level, this.name, this.op],
    // The labels of the recorded series at a level.
    labels(level):: levels.labels[level] + this.extra,
    // The recorded series at a level, selected by matchers.
    query(level, matchers=[]):: this.at(level) + promql.selector(matchers),
    rules:: [{ record: this.at(level), expr: this.exprAt(level) + '\n' } for level in this.levels],
  };

  local measured = common {
    local this = self,
    distinct:: [],
    up:: 'sum',
    op:: this.up,
    // How the base level comes from the series that are told apart.
    fold:: this.up,
    levels:: [this.base] + levels.above(this.base),

    // The nearest level below that is recorded.
    local from(level) = [below for below in levels.below[level] if std.member(this.levels, below)][0],

    local first =
      local once = promql.aggregate(if this.up == 'min' then 'min' else 'max', this.labels(this.base) + this.distinct, this.expr);
      if this.distinct == [] then once
      else promql.aggregate(this.fold, this.labels(this.base), once),

    // A pod belongs to several services or to none: the mapping is joined once, from its
    // side, and once whatever the number of exporters that tell it.
    local service =
      local pod = [config.clusterLabel, 'namespace', 'pod'];
      assert this.extra == [] : '%s: labels of its own cannot be joined with services' % this.name;
      promql.aggregate(this.up, this.labels('service'), promql.binary(
        'max by (%s) (loadline_service_pod%s)' % [promql.list(levels.labels.service + ['pod']), promql.selector([config.selectors.orchestrator])],
        '* on (%s) group_left ()' % promql.list(pod),
        '%s by (%s) (%s)' % [this.up, promql.list(pod), this.at(from('service'))],
      )),

    exprAt(level)::
      if level == this.base then first
      else if level == 'service' then service
      else '%s by (%s) (%s)' % [this.up, promql.list(this.labels(level)), this.at(from(level))],
  };

  {
    // The labels of a level.
    labels(level):: levels.labels[level],

    // A signal that begins with series of an exporter.
    new(fields):: measured + fields,

    // A counter's rate; expr is the counter with its matchers.
    rate(fields):: self.new({ op: 'rate' + config.rateWindow } + fields { expr: 'rate(%s[%s])' % [fields.expr, config.rateWindow] }),

    // By how much a counter of few events rose.
    increase(fields):: self.new({ op: 'increase' + config.rateWindow } + fields { expr: 'increase(%s[%s])' % [fields.expr, config.rateWindow] }),

    // A signal made of others at the same level; of is a function of the level that
    // gives PromQL.
    derived(fields):: common {
      shared:: true,
      exprAt(level):: fields.of(level),
    } + fields,

    // The share of one signal in another, at every level where both are.
    share(fields)::
      self.derived({
        of(level):: promql.binary(fields.part.at(level), '/', '(%s > 0)' % fields.whole.at(level)),
        levels: [level for level in fields.whole.levels if std.member(fields.part.levels, level)],
      } + fields),
  }
