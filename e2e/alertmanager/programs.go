// Package alertmanager gives a test an Alertmanager as it is published, its amtool,
// and a receiver of what it sends.
package alertmanager

import "github.com/loadline-exporters/loadline/e2e/program"

// Version is the one that e2e/alertmanager/program/go.mod pins.
const Version = "0.34.2"

// server is Alertmanager, whose module is published without its page.
func server() program.Published {
	return program.Published{
		Name: "alertmanager", Version: Version,
		Module: "e2e/alertmanager/program", Package: "github.com/prometheus/alertmanager/cmd/alertmanager",
		Missing: "ui/app/dist/index.html",
	}
}

// tool is amtool.
func tool() program.Published {
	return program.Published{
		Name: "amtool", Version: Version,
		Module: "e2e/alertmanager/program", Package: "github.com/prometheus/alertmanager/cmd/amtool",
	}
}
