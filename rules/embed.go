// Package rules has the recording rules and alerts of the suite, as Prometheus reads
// them. They are made of jsonnet/ by make generate.
package rules

import "embed"

// Files are the rule files, loadline-*.yaml.
//
//go:embed loadline-*.yaml
var Files embed.FS
