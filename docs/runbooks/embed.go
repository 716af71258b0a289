// Package runbooks has the runbooks, so that `loadline up` can show them.
package runbooks

import "embed"

// Files are the runbooks: NAME.md for the alert of that name, in lower case with hyphens.
//
//go:embed *.md
var Files embed.FS
