package metrics

import "github.com/loadline-exporters/loadline/internal/family"

// The families of collector systemd: what systemd says of its units over D-Bus
// (org.freedesktop.systemd1(5)).
var (
	NodeSystemdVersion = nodeGauge("systemd", "node_systemd_version", "",
		"The number of systemd's version; the label has the whole of it.", "version")
	NodeSystemdVirtualization = nodeGauge("systemd", "node_systemd_virtualization_info", "",
		"What systemd finds that it runs in, none on bare metal, always 1.", "virtualization_type")
	NodeSystemdRunning = nodeGauge("systemd", "node_systemd_system_running", "",
		"Whether the system is up and no unit failed (systemctl is-system-running).")
	NodeSystemdUnits = nodeGauge("systemd", "node_systemd_units", "",
		"Units by state, those that are not listed included.", "state")
	NodeSystemdUnitState = nodeGauge("systemd", "node_systemd_unit_state", "",
		"The state of a unit: 1 for that one, 0 for the others; type is that of a service or mount.", "name", "state", "type")
	NodeSystemdServiceRestarts = nodeCounter("systemd", "node_systemd_service_restart_total", "",
		"Times systemd restarted a service by itself; needs systemd 235.", "name")
	NodeSystemdUnitStartTime = nodeGauge("systemd", "node_systemd_unit_start_time_seconds", "seconds",
		"When a unit became active, in seconds since the epoch; 0 when it is not.", "name")
	NodeSystemdUnitTasks = nodeGauge("systemd", "node_systemd_unit_tasks_current", "",
		"Processes and threads of a service.", "name")
	NodeSystemdUnitTasksMax = nodeGauge("systemd", "node_systemd_unit_tasks_max", "",
		"Processes and threads that a service may have.", "name")
	NodeSystemdTimerLastTrigger = nodeGauge("systemd", "node_systemd_timer_last_trigger_seconds", "seconds",
		"When a timer last elapsed, in seconds since the epoch; 0 for never.", "name")
	NodeSystemdSocketAccepted = nodeCounter("systemd", "node_systemd_socket_accepted_connections_total", "",
		"Connections that systemd accepted for a socket unit.", "name")
	NodeSystemdSocketConnections = nodeGauge("systemd", "node_systemd_socket_current_connections", "",
		"Open connections of a socket unit.", "name")
	NodeSystemdSocketRefused = nodeGauge("systemd", "node_systemd_socket_refused_connections_total", "",
		"Connections that systemd refused for a socket unit because there were too many; needs systemd 239.", "name")
)

func systemdTable() family.Table {
	return family.Table{
		NodeSystemdVersion, NodeSystemdVirtualization, NodeSystemdRunning, NodeSystemdUnits, NodeSystemdUnitState,
		NodeSystemdServiceRestarts, NodeSystemdUnitStartTime, NodeSystemdUnitTasks, NodeSystemdUnitTasksMax,
		NodeSystemdTimerLastTrigger, NodeSystemdSocketAccepted, NodeSystemdSocketConnections, NodeSystemdSocketRefused,
	}
}
