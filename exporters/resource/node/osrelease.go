package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"time"

	"github.com/hashicorp/go-envparse"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// osRelease serves which operating system the node runs (collector os).
type osRelease struct {
	read func(path string) ([]byte, error) // below the node's root
}

// majorMinor is what of a version is a number.
var majorMinor = regexp.MustCompile(`^[0-9]+\.?[0-9]*`)

// Collect reads os-release(5) of the node's root. A node without is served without.
func (c osRelease) Collect(_ context.Context, w *family.Writer) error {
	data, err := c.read("etc/os-release")
	if errors.Is(err, fs.ErrNotExist) {
		data, err = c.read("usr/lib/os-release")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read os-release: %w", err)
	}
	os, err := envparse.Parse(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("parse os-release: %w", err)
	}
	w.Series(metrics.NodeOSInfo).Add(1, os["BUILD_ID"], os["ID"], os["ID_LIKE"], os["IMAGE_ID"], os["IMAGE_VERSION"],
		os["NAME"], os["PRETTY_NAME"], os["VARIANT"], os["VARIANT_ID"], os["VERSION"], os["VERSION_CODENAME"], os["VERSION_ID"])
	if version, err := strconv.ParseFloat(majorMinor.FindString(os["VERSION_ID"]), 64); err == nil && version > 0 {
		w.Series(metrics.NodeOSVersion).Add(version, os["ID"], os["ID_LIKE"], os["NAME"])
	}
	if end := os["SUPPORT_END"]; end != "" {
		day, err := time.Parse(time.DateOnly, end)
		if err != nil {
			return fmt.Errorf("os-release: SUPPORT_END: %w", err)
		}
		w.Series(metrics.NodeOSSupportEnd).Add(float64(day.Unix()))
	}
	return nil
}
