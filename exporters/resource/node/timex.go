package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// timex serves how the kernel disciplines its clock.
type timex struct {
	call func(*unix.Timex) (state int, err error)
}

// What adjtimex(2) returns and what its units are.
const (
	clockUnsynchronized = 5         // TIME_ERROR
	scaledPPM           = 1e6 << 16 // frequencies are parts of a million, times 2^16
)

// Collect calls adjtimex(2), which changes nothing without modes. A sandbox may
// forbid it.
func (c timex) Collect(_ context.Context, w *family.Writer) error {
	var t unix.Timex
	state, err := c.call(&t)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("adjtimex: %w", err)
	}
	unit := 1e6 // of a second
	if t.Status&unix.STA_NANO != 0 {
		unit = 1e9
	}
	for _, s := range []struct {
		family *family.Family
		value  float64
	}{
		{metrics.NodeTimexSyncStatus, truth(state != clockUnsynchronized)},
		{metrics.NodeTimexOffset, float64(t.Offset) / unit},
		{metrics.NodeTimexFrequency, 1 + float64(t.Freq)/scaledPPM},
		{metrics.NodeTimexMaxError, float64(t.Maxerror) / 1e6},
		{metrics.NodeTimexEstimatedError, float64(t.Esterror) / 1e6},
		{metrics.NodeTimexStatus, float64(t.Status)},
		{metrics.NodeTimexLoopTimeConstant, float64(t.Constant)},
		{metrics.NodeTimexTick, float64(t.Tick) / 1e6},
		{metrics.NodeTimexPPSFrequency, float64(t.Ppsfreq) / scaledPPM},
		{metrics.NodeTimexPPSJitter, float64(t.Jitter) / unit},
		{metrics.NodeTimexPPSShift, float64(t.Shift)},
		{metrics.NodeTimexPPSStability, float64(t.Stabil) / scaledPPM},
		{metrics.NodeTimexPPSJitterExceeded, float64(t.Jitcnt)},
		{metrics.NodeTimexPPSCalibrations, float64(t.Calcnt)},
		{metrics.NodeTimexPPSErrors, float64(t.Errcnt)},
		{metrics.NodeTimexPPSStabilityExceeded, float64(t.Stbcnt)},
		{metrics.NodeTimexTAIOffset, float64(t.Tai)},
	} {
		w.Series(s.family).Add(s.value)
	}
	return nil
}
