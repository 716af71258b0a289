// Checks of _config: a wrong field is named together with what it should be.
local check(ok, message) = if ok then [] else [message];

local matchers(config) = std.flattenArrays([
  local path = '_config.selectors.' + name;
  local value = config.selectors[name];
  check(std.isString(value) && std.length(std.findSubstr('{', value)) == 0, '%s: %s is not a list of label matchers, such as job="resource"' % [path, std.toString(value)])
  for name in std.objectFields(config.selectors)
]);

local duration(config, name) =
  local value = config[name];
  check(
    std.isString(value) && std.length(value) > 1 && std.member('smhd', value[std.length(value) - 1]) &&
    std.all([std.member('0123456789', c) for c in std.stringChars(value[:std.length(value) - 1])]),
    '_config.%s: %s is not a duration, such as 30s' % [name, std.toString(value)]
  );

local isLabel(value) =
  std.isString(value) && value != '' && !std.member('0123456789', value[0]) &&
  std.all([std.member('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_', c) for c in std.stringChars(value)]);

local label(config, name) =
  check(isLabel(config[name]), '_config.%s: %s is not the name of a label' % [name, std.toString(config[name])]);

local text(config, name) =
  check(std.isString(config[name]), '_config.%s: %s is not a text' % [name, std.toString(config[name])]);

local boolean(config, name) =
  check(std.isBoolean(config[name]), '_config.%s: %s is neither true nor false' % [name, std.toString(config[name])]);

local thresholds(config) = std.flattenArrays([
  check(std.isNumber(config.thresholds[name]), '_config.thresholds.%s: %s is not a number' % [name, std.toString(config.thresholds[name])])
  for name in std.objectFields(config.thresholds)
]);

local severities(config) = std.flattenArrays([
  check(isLabel(std.get(config.severities, name, '')), '_config.severities.%s: a name is missing' % name)
  for name in ['page', 'ticket', 'event']
]);

local unknown(config, further) =
  local known = std.objectFields((import '../config.libsonnet')._config) + further;
  [
    '_config.%s is not known; known are %s' % [name, std.join(', ', known)]
    for name in std.objectFields(config)
    if !std.member(known, name)
  ];

// The config, or an error that lists every wrong field. The fields in further are
// known to a folder of its own.
function(config, further=[])
  local problems =
    matchers(config) +
    std.flattenArrays([duration(config, name) for name in ['interval', 'resourceInterval', 'rateWindow', 'slowInterval']]) +
    std.flattenArrays([label(config, name) for name in ['clusterLabel', 'nodeLabel']]) +
    std.flattenArrays([text(config, name) for name in ['runbookURL', 'dashboardURL']]) +
    std.flattenArrays([boolean(config, name) for name in ['multiCluster', 'joinOwners']]) +
    thresholds(config) + severities(config) + unknown(config, further);
  if problems == [] then config else error '\n' + std.lines(problems)
