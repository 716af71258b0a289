package metrics

import "github.com/loadline-exporters/loadline/internal/family"

// The families of collector time: the node's clock, and
// /sys/devices/system/clocksource.
var (
	NodeTime = nodeGauge("time", "node_time_seconds", "seconds",
		"The node's clock, in seconds since the epoch.")
	NodeTimeZoneOffset = nodeGauge("time", "node_time_zone_offset_seconds", "seconds",
		"Seconds by which the time zone that the exporter runs in is east of UTC.", "time_zone")
	NodeTimeClocksourceAvailable = nodeGauge("time", "node_time_clocksource_available_info", "",
		"Sources that the kernel could take the time from, always 1.", "device", "clocksource")
	NodeTimeClocksourceCurrent = nodeGauge("time", "node_time_clocksource_current_info", "",
		"The source that the kernel takes the time from, always 1.", "device", "clocksource")
)

// The families of collector timex: adjtimex(2). Frequencies are in Hz as the
// published names say; they are parts of a million of the clock's.
var (
	NodeTimexSyncStatus = nodeGauge("timex", "node_timex_sync_status", "",
		"Whether the clock is synchronized to a reliable source.")
	NodeTimexOffset = nodeGauge("timex", "node_timex_offset_seconds", "seconds",
		"Offset of the clock from its reference that is still to be corrected.")
	NodeTimexFrequency = nodeGauge("timex", "node_timex_frequency_adjustment_ratio", "",
		"Factor by which the clock's frequency is corrected.")
	NodeTimexMaxError = nodeGauge("timex", "node_timex_maxerror_seconds", "seconds",
		"Error of the clock at the most.")
	NodeTimexEstimatedError = nodeGauge("timex", "node_timex_estimated_error_seconds", "seconds",
		"Estimated error of the clock.")
	NodeTimexStatus = nodeGauge("timex", "node_timex_status", "",
		"The clock's status bits (STA_*).")
	NodeTimexLoopTimeConstant = nodeGauge("timex", "node_timex_loop_time_constant", "",
		"Time constant of the phase-locked loop.")
	NodeTimexTick = nodeGauge("timex", "node_timex_tick_seconds", "seconds",
		"Time between two ticks of the clock.")
	NodeTimexPPSFrequency = nodeGauge("timex", "node_timex_pps_frequency_hertz", "",
		"Frequency offset of the pulse per second.")
	NodeTimexPPSJitter = nodeGauge("timex", "node_timex_pps_jitter_seconds", "seconds",
		"Jitter of the pulse per second.")
	NodeTimexPPSShift = nodeGauge("timex", "node_timex_pps_shift_seconds", "seconds",
		"Interval over which the pulse per second is calibrated, as its exponent to the base 2.")
	NodeTimexPPSStability = nodeGauge("timex", "node_timex_pps_stability_hertz", "",
		"Mean of the latest changes of the pulse per second's frequency.")
	NodeTimexPPSJitterExceeded = nodeCounter("timex", "node_timex_pps_jitter_total", "",
		"Pulses per second whose jitter was over the limit.")
	NodeTimexPPSCalibrations = nodeCounter("timex", "node_timex_pps_calibration_total", "",
		"Calibration intervals of the pulse per second.")
	NodeTimexPPSErrors = nodeCounter("timex", "node_timex_pps_error_total", "",
		"Calibrations of the pulse per second that failed.")
	NodeTimexPPSStabilityExceeded = nodeCounter("timex", "node_timex_pps_stability_exceeded_total", "",
		"Calibrations of the pulse per second whose stability was over the limit.")
	NodeTimexTAIOffset = nodeGauge("timex", "node_timex_tai_offset_seconds", "seconds",
		"Seconds by which international atomic time is ahead of UTC, if the kernel was told.")
)

func timeTable() family.Table {
	return family.Table{
		NodeTime, NodeTimeZoneOffset, NodeTimeClocksourceAvailable, NodeTimeClocksourceCurrent,
		NodeTimexSyncStatus, NodeTimexOffset, NodeTimexFrequency, NodeTimexMaxError, NodeTimexEstimatedError,
		NodeTimexStatus, NodeTimexLoopTimeConstant, NodeTimexTick,
		NodeTimexPPSFrequency, NodeTimexPPSJitter, NodeTimexPPSShift, NodeTimexPPSStability,
		NodeTimexPPSJitterExceeded, NodeTimexPPSCalibrations, NodeTimexPPSErrors, NodeTimexPPSStabilityExceeded,
		NodeTimexTAIOffset,
	}
}
