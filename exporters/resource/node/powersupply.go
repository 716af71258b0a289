package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// powersupply serves batteries and power supplies.
type powersupply struct {
	sys   sysfs.FS
	wants matcher
}

// Collect reads /sys/class/power_supply.
func (c powersupply) Collect(_ context.Context, w *family.Writer) error {
	supplies, err := c.sys.PowerSupplyClass()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read power supplies: %w", err)
	}
	for _, name := range sortedNames(supplies) {
		if !c.wants.wants(name) {
			continue
		}
		p := supplies[name]
		w.Series(metrics.NodePowerSupplyInfo).Add(1, name, p.CapacityLevel, p.ChargeType, p.Health, p.Manufacturer,
			p.ModelName, p.Scope, p.SerialNumber, p.Status, p.Technology, p.Type, p.UsbType)
		for _, v := range powerSupplyValues(p) {
			addIf(w.Series(metrics.NodePowerSupply.Of(v.name)), v.value, v.unit, name)
		}
	}
	return nil
}

// powerSupplyValue is a number of a power supply, in unit.
type powerSupplyValue struct {
	name  string
	value *int64
	unit  float64
}

// powerSupplyValues are in the units of sysfs: microamperes, microvolts, microwatts
// and the like, and tenths of degrees Celsius.
func powerSupplyValues(p sysfs.PowerSupply) []powerSupplyValue {
	const one, micro, tenth = 1, 1e-6, 0.1
	return []powerSupplyValue{
		{"authentic", p.Authentic, one},
		{"calibrate", p.Calibrate, one},
		{"capacity", p.Capacity, one},
		{"capacity_alert_max", p.CapacityAlertMax, one},
		{"capacity_alert_min", p.CapacityAlertMin, one},
		{"cyclecount", p.CycleCount, one},
		{"online", p.Online, one},
		{"present", p.Present, one},
		{"time_to_empty_seconds", p.TimeToEmptyNow, one},
		{"time_to_full_seconds", p.TimeToFullNow, one},
		{"current_boot", p.CurrentBoot, micro},
		{"current_max", p.CurrentMax, micro},
		{"current_ampere", p.CurrentNow, micro},
		{"energy_empty", p.EnergyEmpty, micro},
		{"energy_empty_design", p.EnergyEmptyDesign, micro},
		{"energy_full", p.EnergyFull, micro},
		{"energy_full_design", p.EnergyFullDesign, micro},
		{"energy_watthour", p.EnergyNow, micro},
		{"voltage_boot", p.VoltageBoot, micro},
		{"voltage_max", p.VoltageMax, micro},
		{"voltage_max_design", p.VoltageMaxDesign, micro},
		{"voltage_min", p.VoltageMin, micro},
		{"voltage_min_design", p.VoltageMinDesign, micro},
		{"voltage_volt", p.VoltageNow, micro},
		{"voltage_ocv", p.VoltageOCV, micro},
		{"charge_control_limit", p.ChargeControlLimit, micro},
		{"charge_control_limit_max", p.ChargeControlLimitMax, micro},
		{"charge_counter", p.ChargeCounter, micro},
		{"charge_empty", p.ChargeEmpty, micro},
		{"charge_empty_design", p.ChargeEmptyDesign, micro},
		{"charge_full", p.ChargeFull, micro},
		{"charge_full_design", p.ChargeFullDesign, micro},
		{"charge_ampere", p.ChargeNow, micro},
		{"charge_term_current", p.ChargeTermCurrent, micro},
		{"constant_charge_current", p.ConstantChargeCurrent, micro},
		{"constant_charge_current_max", p.ConstantChargeCurrentMax, micro},
		{"constant_charge_voltage", p.ConstantChargeVoltage, micro},
		{"constant_charge_voltage_max", p.ConstantChargeVoltageMax, micro},
		{"precharge_current", p.PrechargeCurrent, micro},
		{"input_current_limit", p.InputCurrentLimit, micro},
		{"power_watt", p.PowerNow, micro},
		{"temp_celsius", p.Temp, tenth},
		{"temp_alert_max_celsius", p.TempAlertMax, tenth},
		{"temp_alert_min_celsius", p.TempAlertMin, tenth},
		{"temp_ambient_celsius", p.TempAmbient, tenth},
		{"temp_ambient_max_celsius", p.TempAmbientMax, tenth},
		{"temp_ambient_min_celsius", p.TempAmbientMin, tenth},
		{"temp_max_celsius", p.TempMax, tenth},
		{"temp_min_celsius", p.TempMin, tenth},
	}
}
