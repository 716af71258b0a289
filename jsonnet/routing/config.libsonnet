// What whoever routes alerts by these files can change: _config.routing. Change a field by
// adding to it:
//
//   _config+:: { routing+: { owners: { shop: { page: { pagerduty_configs: [
//     { routing_key_file: '/etc/alertmanager/shop-pagerduty' },
//   ] } } } } }
{
  // Who is told, by severity, of what nobody owns or whose owner has no receiver of
  // that severity: a receiver of Alertmanager without its name. Secrets are given as
  // files only. An empty one tells nobody, but shows alerts in Alertmanager.
  default: { page: {}, ticket: {}, event: {} },

  // The same by owner, the value of the label owner of alerts.
  owners: {},

  // Alertmanager's global section: its mail server, its proxy.
  global: {},

  severities: {
    // Somebody is woken: soon, and again every four hours while it lasts.
    page: {
      // What others call this severity: their alerts go the same way.
      also: ['critical'],
      // How long to wait for what belongs together.
      groupWait: '30s',
      // How long until what has joined or left is told.
      groupInterval: '5m',
      // How long until it is told again though nothing has changed.
      repeatInterval: '4h',
      // When it is told: time intervals of Alertmanager. Always, if empty.
      hours: [],
    },
    // Somebody looks at it by day.
    ticket: {
      also: ['warning'],
      groupWait: '5m',
      groupInterval: '30m',
      repeatInterval: '4d',
      hours: [],
    },
    // What happened, once a day: groupInterval is as long as the hours last, so that
    // each day has one.
    event: {
      also: ['info'],
      groupWait: '1m',
      groupInterval: '1h',
      repeatInterval: '12h',
      hours: [{ times: [{ start_time: '08:00', end_time: '09:00' }] }],
    },
  },

  // Alerts that say that the control plane does not work: they mute all of their cluster.
  controlPlane: ['OrchestratorDoesNotAnswer'],

  // Maintenance by the clock: nothing of these severities, for these owners, is told
  // in these time intervals. Without severities all, without owners everybody's.
  //
  //   [{ name: 'patches', times: [{ weekdays: ['sunday'], times: [{ start_time: '02:00', end_time: '04:00' }],
  //                                 location: 'Europe/Berlin' }], severities: ['ticket'], owners: ['shop'] }]
  windows: [],

  // Maintenance of a part, by what Prometheus sees: a level, and PromQL of series with
  // that level's labels, which are there while it lasts. It mutes what is at the level
  // and below.
  //
  //   { node: 'loadline_orchestrator_node_schedulable == 0',
  //     namespace: 'kube_namespace_labels{label_maintenance="true"}' }
  maintenance: {},

  // What stands before the links to dashboards that begin with a slash, such as
  // https://loadline.example.org. Without it messages have no such link.
  linkBase: '',

  // Where Alertmanager finds the templates, from its configuration file's directory.
  templates: ['templates/*.tmpl'],
}
