// Checks of _config.routing: a wrong field is named together with what it should be.
local check(ok, message) = if ok then [] else [message];
local flat(lists) = std.flattenArrays(lists);
local shown(value) = if std.isString(value) then value else std.manifestJsonMinified(value);

local severities = ['page', 'ticket', 'event'];
local levels = ['cluster', 'node', 'namespace', 'service', 'workload', 'pod', 'container'];

local kinds = [kind + '_configs' for kind in [
  'discord',
  'email',
  'incidentio',
  'jira',
  'mattermost',
  'msteams',
  'msteamsv2',
  'opsgenie',
  'pagerduty',
  'pushover',
  'rocketchat',
  'slack',
  'sns',
  'telegram',
  'victorops',
  'webex',
  'webhook',
  'wechat',
]];

// Fields whose values are secrets: each has a sister that names a file.
local secrets = [
  'alert_source_token',
  'api_key',
  'api_secret',
  'app_token',
  'auth_password',
  'auth_secret',
  'bearer_token',
  'bot_token',
  'client_secret',
  'credentials',
  'mattermost_webhook_url',
  'opsgenie_api_key',
  'password',
  'rocketchat_token',
  'rocketchat_token_id',
  'routing_key',
  'service_key',
  'slack_api_url',
  'slack_app_token',
  'smtp_auth_password',
  'smtp_auth_secret',
  'telegram_bot_token',
  'token',
  'token_id',
  'user_key',
  'victorops_api_key',
  'webhook_url',
  'wechat_api_secret',
];

local secret(path, value, further=[]) =
  if std.isObject(value) then flat([
    check(!std.member(secrets + further, name), '%s.%s: a secret does not stand here: name its file by %s_file' % [path, name, name]) +
    secret('%s.%s' % [path, name], value[name], further)
    for name in std.objectFields(value)
  ])
  else if std.isArray(value) then flat(std.mapWithIndex(function(i, v) secret('%s[%d]' % [path, i], v, further), value))
  else [];

// Only these fields, so that a mistyped one is not passed over.
local fields(path, value, known) =
  if !std.isObject(value) then ['%s: %s is not an object' % [path, shown(value)]]
  else [
    '%s.%s is not known; known are %s' % [path, name, std.join(', ', known)]
    for name in std.objectFields(value)
    if !std.member(known, name)
  ];

local list(path, value, of, what) =
  check(std.isArray(value) && std.all([of(v) for v in value]), '%s: %s is not a list of %s' % [path, shown(value), what]);

local seconds = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
local isDuration(value) =
  std.isString(value) && std.length(value) > 1 && std.objectHas(seconds, value[std.length(value) - 1]) &&
  std.all([std.member('0123456789', c) for c in std.stringChars(value[:std.length(value) - 1])]);
local length(value) = std.parseInt(value[:std.length(value) - 1]) * seconds[value[std.length(value) - 1]];

local receiver(path, value) =
  local unknown = fields(path, value, kinds);
  if unknown != [] then unknown else flat([
    list('%s.%s' % [path, kind], value[kind], std.isObject, 'objects') +
    secret('%s.%s' % [path, kind], value[kind], if kind == 'slack_configs' then ['api_url'] else [])
    for kind in std.objectFields(value)
  ]);

local receivers(path, value) =
  local unknown = fields(path, value, severities);
  if unknown != [] then unknown
  else flat([receiver('%s.%s' % [path, severity], value[severity]) for severity in std.objectFields(value)]);

local intervals(path, value) =
  local what = 'time intervals';
  local notList = list(path, value, std.isObject, what);
  if notList != [] then notList else flat(std.mapWithIndex(function(i, v) fields(
    '%s[%d]' % [path, i], v, ['times', 'weekdays', 'days_of_month', 'months', 'years', 'location']
  ), value));

local isName(value) = std.isString(value) && value != '' &&
                      std.all([std.member('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.', c) for c in std.stringChars(value)]);

local severity(path, value) =
  local durations = ['groupWait', 'groupInterval', 'repeatInterval'];
  local known = durations + ['also', 'hours'];
  local unknown = fields(path, value, known) + (if std.isObject(value) then [
                                                  '%s.%s is missing' % [path, name]
                                                  for name in known
                                                  if !std.objectHas(value, name)
                                                ] else []);
  if unknown != [] then unknown else
    local wrong = flat([check(isDuration(value[name]), '%s.%s: %s is not a duration, such as 30s' % [path, name, shown(value[name])]) for name in durations]);
    wrong + (if wrong != [] then [] else
               check(length(value.groupInterval) > 0, '%s.groupInterval: it is zero' % path) +
               check(length(value.repeatInterval) >= length(value.groupInterval), '%s.repeatInterval: %s is shorter than groupInterval, %s' % [path, value.repeatInterval, value.groupInterval])) +
    list(path + '.also', value.also, isName, 'names of severities') +
    intervals(path + '.hours', value.hours);

local window(path, value, owners) =
  local unknown = fields(path, value, ['name', 'times', 'severities', 'owners']);
  if unknown != [] then unknown else
    check(isName(std.get(value, 'name', null)), path + '.name: a name of letters, digits, _, - and . is missing') +
    check(std.objectHas(value, 'times') && value.times != [], path + '.times: time intervals are missing') +
    intervals(path + '.times', std.get(value, 'times', [])) +
    list(path + '.severities', std.get(value, 'severities', []), function(s) std.member(severities, s), 'page, ticket or event') +
    list(path + '.owners', std.get(value, 'owners', []), function(o) std.member(owners, o), 'owners in _config.routing.owners');

local windows(path, value, owners) =
  local notList = list(path, value, std.isObject, 'windows');
  if notList != [] then notList else
    local names = [std.get(w, 'name', '') for w in value];
    flat(std.mapWithIndex(function(i, w) window('%s[%d]' % [path, i], w, owners), value)) +
    check(std.length(std.set(names)) == std.length(names), path + ': two have one name');

local maintenance(path, value) =
  local unknown = fields(path, value, levels);
  if unknown != [] then unknown else flat([
    check(std.isString(value[level]) && value[level] != '', '%s.%s: %s is not PromQL' % [path, level, shown(value[level])])
    for level in std.objectFields(value)
  ]);

local owners(path, value) =
  if !std.isObject(value) then ['%s: %s is not an object' % [path, shown(value)]]
  else flat([
    check(name != 'default', path + '.default: the name is taken by what nobody owns') +
    receivers('%s.%s' % [path, name], value[name])
    for name in std.objectFields(value)
  ]);

local linkBase(path, value) =
  check(
    std.isString(value) && (value == '' || ((std.startsWith(value, 'http://') || std.startsWith(value, 'https://')) && !std.endsWith(value, '/'))) &&
    std.all([!std.member(' "`{}<>', c) for c in std.stringChars(value)]),
    '%s: %s is not an address such as https://loadline.example.org, without a slash at its end' % [path, shown(value)]
  );

local known = std.objectFields(import 'config.libsonnet');

// The config, or an error that lists every wrong field.
function(config)
  local routing = config.routing;
  local path = '_config.routing';
  local unknown = fields(path, routing, known);
  local problems = if unknown != [] then unknown else
    flat([
      check(std.objectHas(routing.default, name), '%s.default.%s is missing: it may be empty' % [path, name]) +
      (if std.objectHas(routing.severities, name) then severity('%s.severities.%s' % [path, name], routing.severities[name])
       else ['%s.severities.%s is missing' % [path, name]])
      for name in severities
    ]) +
    receivers(path + '.default', routing.default) +
    owners(path + '.owners', routing.owners) +
    fields(path + '.severities', routing.severities, severities) +
    secret(path + '.global', routing.global) +
    list(path + '.controlPlane', routing.controlPlane, isName, 'names of alerts') +
    windows(path + '.windows', routing.windows, if std.isObject(routing.owners) then std.objectFields(routing.owners) else []) +
    maintenance(path + '.maintenance', routing.maintenance) +
    linkBase(path + '.linkBase', routing.linkBase) +
    list(path + '.templates', routing.templates, std.isString, 'paths');
  if problems == [] then config else error '\n' + std.lines(problems)
