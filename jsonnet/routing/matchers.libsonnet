// Matchers of Alertmanager, as text. What needs no quotes has none, so that the rendered
// file can be read.
local plain = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.|';
local value(text) =
  if text != '' && std.all([std.member(plain, c) for c in std.stringChars(text)]) then text
  else std.escapeStringJson(text);
{
  equal(label, text): '%s=%s' % [label, value(text)],
  set(label): '%s=~.+' % label,
  unset(label): '%s!~.+' % label,

  // One of the names, in which no character means anything but itself.
  among(label, names): '%s=~%s' % [label, value(std.join('|', names))],
  notAmong(label, names): '%s!~%s' % [label, value(std.join('|', names))],

  // What a severity is called, here and by others.
  names(config, severity): [config.severities[severity]] + config.routing.severities[severity].also,
}
