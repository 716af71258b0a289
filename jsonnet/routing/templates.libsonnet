// The templates of messages, in four forms: text, slack, markdown (of other chats) and
// html. Two forms of the same words differ in how values are escaped, lines broken and
// links written, so that the words are written once.
local match = import 'matchers.libsonnet';

function(config)
  local replace(text, changes) = std.foldl(function(t, c) std.strReplace(t, c[0], c[1]), changes, text);
  // The alert of a group that is told in full: of the highest level that complains;
  // those with the status of the whole; and whether it is a digest.
  local head = |||
    {{ $status := .Status }}{{ $alerts := .Alerts }}{{ $head := index .Alerts 0 }}
    {{- $same := .Alerts.Firing }}{{ if eq .Status "resolved" }}{{ $same = .Alerts.Resolved }}{{ end }}
    {{- $digest := and (match "^(?:EVENT)$" $head.Labels.severity) (gt (len .Alerts) 1) }}
    {{- range $level := stringSlice "" "container" "pod" "workload" "namespace" "service" "node" "cluster" }}{{ range $alerts }}
    {{- if and (eq .Status $status) (eq .Labels.level $level) }}{{ $head = . }}{{ end }}
    {{- end }}{{ end -}}
  |||;
  local common = [
    ['{{ HEAD }}\n', head],
    ['.Labels.cluster', '.Labels.' + config.clusterLabel],
    ['.Labels.node', '.Labels.' + config.nodeLabel],
    ['LINKBASE', config.routing.linkBase],
    ['PAGE', std.join('|', match.names(config, 'page'))],
    ['EVENT', std.join('|', match.names(config, 'event'))],
    ['TICKET', std.join('|', match.names(config, 'ticket'))],
  ];
  local words = importstr 'templates/words.tmpl';
  local message = importstr 'templates/message.tmpl';
  local form(style, file, texts, lineBreak) =
    replace(std.join('', [file] + texts), [['STYLE', style], ['BREAK', lineBreak]] + common);
  {
    'text.tmpl': form('text', importstr 'templates/text.tmpl', [words, message], ''),
    'slack.tmpl': form('slack', importstr 'templates/slack.tmpl', [words, message], ''),
    'markdown.tmpl': form('markdown', importstr 'templates/markdown.tmpl', [words, message], '  '),
    'html.tmpl': form('html', importstr 'templates/html.tmpl', [words], ''),
    'receivers.tmpl': replace(importstr 'templates/receivers.tmpl', common),
  }
