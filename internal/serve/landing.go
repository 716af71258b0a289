package serve

import (
	"html/template"
	"net/http"

	"github.com/prometheus/common/version"

	"github.com/loadline-exporters/loadline/internal/source"
)

var landingPage = template.Must(template.New("landing").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Loadline {{.Name}}-exporter</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:50rem;padding:0 1rem}
td,th{text-align:left;padding:.15rem 1rem .15rem 0}.no{color:#a40}</style>
<h1>Loadline {{.Name}}-exporter</h1>
<p>{{.Summary}}</p>
<ul><li><a href="metrics">Metrics</a></li><li><a href="-/ready">Readiness</a></li>
<li><a href="-/healthy">Health</a></li><li><a href="loadline/v1/sources">Sources (JSON)</a></li></ul>
<h2>Sources</h2>
<table><tr><th>source</th><th>state</th><th>detail</th></tr>
{{range .Sources}}<tr><td>{{.Name}}</td><td{{if not .Available}} class="no"{{end}}>{{if .Available}}available{{else}}{{.Reason}}{{end}}</td><td>{{.Detail}}</td></tr>
{{end}}</table>
<p>Version {{.Version}}</p></html>
`))

func (h *Handler) landing(w http.ResponseWriter, _ *http.Request) {
	e := h.gatherer.exporter
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err := landingPage.Execute(w, struct {
		Exporter
		Sources []source.Status
		Version string
	}{e, e.Statuses(), version.Info()})
	if err != nil {
		h.logger.Debug("client went away", "err", err)
	}
}
