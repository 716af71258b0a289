// Package dashboards has the suite's dashboards as Perses reads them, for the page that
// is built in, and beside them those for Grafana. They are made of jsonnet/ by make
// generate.
package dashboards

import "embed"

// Files are the dashboards of the built-in page, perses/UID.json.
//
//go:embed perses/*.json
var Files embed.FS
