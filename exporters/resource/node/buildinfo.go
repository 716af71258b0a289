package node

import (
	"context"

	"github.com/prometheus/common/version"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// buildInfo stands in for node_exporter's word about itself, by which dashboards
// of the node mixin find the clusters that there are.
type buildInfo struct{}

// Collect says what this program was built of.
func (buildInfo) Collect(_ context.Context, w *family.Writer) error {
	w.Series(metrics.NodeExporterBuildInfo).Add(1, version.Branch, version.GoArch, version.GoOS, version.GoVersion,
		version.GetRevision(), version.GetTags(), version.Version)
	return nil
}
