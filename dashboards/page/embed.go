// Package page is the page that shows the dashboards, as `loadline up` serves it. It is
// built of what is in src/ by
//
//	go test ./dashboards/page -run Current -update
//
// and committed, so that building Loadline takes no Node.
package page

import "embed"

// Files are the built page below dist/: index.html, which awaits a nonce, and what it
// loads, compressed with gzip, each file named by its contents.
//
//go:embed dist
var Files embed.FS
