package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// The families of collector hwmon that are about chips and sensors:
// /sys/class/hwmon (Documentation/hwmon/sysfs-interface.rst).
var (
	NodeHwmonChipNames = nodeGauge("hwmon", "node_hwmon_chip_names", "",
		"The name that a driver gives to a chip, always 1.", "chip", "chip_name")
	NodeHwmonSensorLabel = nodeGauge("hwmon", "node_hwmon_sensor_label", "",
		"What a sensor measures, as the driver or firmware says, always 1.", "chip", "sensor", "label")
)

// NodeHwmon are the families of collector hwmon with one number of a sensor, those
// that most drivers have. What else a driver has is served too, under the name that
// node_exporter gives it.
var NodeHwmon = group("hwmon", "node_hwmon_", []string{"chip", "sensor"}, [][2]string{
	{"in_volts", "Voltage."},
	{"in_min_volts", "Voltage below which the chip raises an alarm."},
	{"in_max_volts", "Voltage above which the chip raises an alarm."},
	{"in_lcrit_volts", "Voltage below which the machine may stop working."},
	{"in_crit_volts", "Voltage above which the machine may stop working."},
	{"in_average_volts", "Average voltage."},
	{"in_alarm", "Whether a voltage is out of its bounds."},
	{"in_beep_enabled", "Whether the chip beeps when a voltage is out of its bounds."},
	{"cpu_vid_volts", "Voltage that a CPU asks for."},
	{"fan_rpm", "Rotations of a fan a minute."},
	{"fan_min_rpm", "Rotations a minute below which the chip raises an alarm."},
	{"fan_max_rpm", "Rotations a minute above which the chip raises an alarm."},
	{"fan_target_rpm", "Rotations a minute that a fan is to reach."},
	{"fan_alarm", "Whether a fan is out of its bounds."},
	{"fan_fault", "Whether the chip finds a fan broken."},
	{"fan_beep_enabled", "Whether the chip beeps when a fan is out of its bounds."},
	{"fan_manual", "Whether a fan is regulated by hand (Apple)."},
	{"fan_output", "What a fan is regulated to (Apple)."},
	{"pwm", "Pulse width of a fan's power, from 0 for off to 255 for full speed."},
	{"pwm_enable", "How a fan is regulated: 0 not at all, 1 by hand, 2 and above by the chip."},
	{"pwm_mode", "Kind of a fan's power: 0 direct current, 1 pulses."},
	{"temp_celsius", "Temperature."},
	{"temp_min_celsius", "Temperature below which the chip raises an alarm."},
	{"temp_max_celsius", "Temperature above which the chip raises an alarm."},
	{"temp_max_hyst_celsius", "Temperature below which the alarm of the maximum ends."},
	{"temp_crit_celsius", "Temperature above which the hardware may be damaged or shut down."},
	{"temp_crit_hyst_celsius", "Temperature below which the critical alarm ends."},
	{"temp_emergency_celsius", "Temperature above which the chip shuts down."},
	{"temp_lcrit_celsius", "Temperature below which the hardware may be damaged."},
	{"temp_offset_celsius", "What the chip adds to the temperature that it reads."},
	{"temp_alarm", "Whether a temperature is out of its bounds."},
	{"temp_crit_alarm_celsius", "Whether a temperature is critical: 0.001 if so, as node_exporter takes it for a temperature."},
	{"temp_fault", "Whether the chip finds a sensor broken."},
	{"temp_type", "Kind of a temperature sensor: 1 to 6, such as 4 for a thermistor."},
	{"temp_beep_enabled", "Whether the chip beeps when a temperature is out of its bounds."},
	{"curr_amps", "Current."},
	{"curr_min_amps", "Current below which the chip raises an alarm."},
	{"curr_max_amps", "Current above which the chip raises an alarm."},
	{"curr_crit_amps", "Current above which the machine may stop working."},
	{"power_watt", "Power."},
	{"power_average_watt", "Power, averaged by the sensor."},
	{"power_average_interval_seconds", "Time over which the sensor averages power."},
	{"power_accuracy", "Accuracy of a power meter, as a ratio."},
	{"power_cap_watt", "Power that the hardware is kept below."},
	{"power_cap_max_watt", "Highest value that the cap of power can have."},
	{"power_cap_min_watt", "Lowest value that the cap of power can have."},
	{"power_max_watt", "Power above which the chip raises an alarm."},
	{"power_crit_watt", "Power above which the machine may stop working."},
	{"power_alarm", "Whether power is out of its bounds."},
	{"energy_joule_total", "Energy that was taken, until the sensor's counter starts again."},
	{"humidity", "Relative humidity as node_exporter scales it: a tenth of the ratio."},
	{"intrusion_alarm", "Whether the case was opened since this was last reset."},
	{"freq_freq_mhz", "Frequency of a graphics processor in MHz; the sensor is what it is the clock of."},
	{"beep_enabled", "Whether the chip may beep."},
	{"voltage_regulator_version", "Version of the voltage regulators' specification, times ten."},
	{"update_interval_seconds", "Time between two readings of the chip."},
})

func hwmonTable() family.Table {
	return slices.Concat(family.Table{NodeHwmonChipNames, NodeHwmonSensorLabel}, NodeHwmon.Table)
}

// NodePowerSupplyInfo belongs to collector powersupplyclass.
var NodePowerSupplyInfo = nodeGauge("powersupplyclass", "node_power_supply_info", "",
	"What a power supply or battery is, and its state, always 1.",
	"power_supply", "capacity_level", "charge_type", "health", "manufacturer", "model_name", "scope",
	"serial_number", "status", "technology", "type", "usb_type")

// NodePowerSupply are the families of collector powersupplyclass with one number of
// a power supply: /sys/class/power_supply
// (Documentation/ABI/testing/sysfs-class-power). Charges are in ampere hours,
// energies in watt hours, currents in amperes, voltages in volts.
var NodePowerSupply = group("powersupplyclass", "node_power_supply_", []string{"power_supply"}, [][2]string{
	{"authentic", "Whether a battery is one that the platform knows."},
	{"calibrate", "Whether a battery is being calibrated."},
	{"capacity", "How full a battery is, in percent."},
	{"capacity_alert_max", "Capacity in percent above which user space is told."},
	{"capacity_alert_min", "Capacity in percent below which user space is told."},
	{"cyclecount", "Full charges that a battery has had."},
	{"online", "Whether a power supply delivers power: 1 at a fixed voltage, 2 at a variable one."},
	{"present", "Whether a battery is there."},
	{"time_to_empty_seconds", "Time until a battery is empty."},
	{"time_to_full_seconds", "Time until a battery is full."},
	{"current_boot", "Current when the machine was booted."},
	{"current_max", "Highest current that can be drawn."},
	{"current_ampere", "Current; negative while a battery discharges."},
	{"energy_empty", "Energy at which a battery counts as empty."},
	{"energy_empty_design", "Energy at which a new battery counts as empty."},
	{"energy_full", "Energy at which a battery counts as full."},
	{"energy_full_design", "Energy at which a new battery counts as full."},
	{"energy_watthour", "Energy that a battery holds."},
	{"voltage_boot", "Voltage when the machine was booted."},
	{"voltage_max", "Voltage at which a battery counts as full."},
	{"voltage_max_design", "Voltage at which a new battery counts as full."},
	{"voltage_min", "Voltage at which a battery counts as empty."},
	{"voltage_min_design", "Voltage at which a new battery counts as empty."},
	{"voltage_volt", "Voltage."},
	{"voltage_ocv", "Voltage of a battery without load."},
	{"charge_control_limit", "Which of its limits of charging a charger keeps to."},
	{"charge_control_limit_max", "The highest limit of charging."},
	{"charge_counter", "Charge that went into a battery, without a defined zero."},
	{"charge_empty", "Charge at which a battery counts as empty."},
	{"charge_empty_design", "Charge at which a new battery counts as empty."},
	{"charge_full", "Charge at which a battery counts as full."},
	{"charge_full_design", "Charge at which a new battery counts as full."},
	{"charge_ampere", "Charge that a battery holds."},
	{"charge_term_current", "Current at which charging ends."},
	{"constant_charge_current", "Current that a charger charges with."},
	{"constant_charge_current_max", "Highest current that a charger can charge with."},
	{"constant_charge_voltage", "Voltage that a charger charges with."},
	{"constant_charge_voltage_max", "Highest voltage that a charger can charge with."},
	{"precharge_current", "Current that an empty battery is charged with at first."},
	{"input_current_limit", "Current that a charger may draw."},
	{"power_watt", "Power."},
	{"temp_celsius", "Temperature of a battery."},
	{"temp_alert_max_celsius", "Temperature above which user space is told."},
	{"temp_alert_min_celsius", "Temperature below which user space is told."},
	{"temp_ambient_celsius", "Temperature around a battery."},
	{"temp_ambient_max_celsius", "Highest temperature around a battery that is allowed."},
	{"temp_ambient_min_celsius", "Lowest temperature around a battery that is allowed."},
	{"temp_max_celsius", "Highest temperature of a battery that is allowed."},
	{"temp_min_celsius", "Lowest temperature of a battery that is allowed."},
})

func powerSupplyTable() family.Table {
	return append(family.Table{NodePowerSupplyInfo}, NodePowerSupply.Table...)
}
