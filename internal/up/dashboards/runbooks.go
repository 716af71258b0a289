package dashboards

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

//go:embed runbook.html
var runbookPage string

//go:embed runbook.css
var runbookStyle string

// addRunbooks adds the list of runbooks and each of them. Markup in a runbook is text.
func (h *Handler) addRunbooks() error {
	files, err := fs.Glob(h.o.Runbooks, "*.md")
	if err != nil {
		return fmt.Errorf("the runbooks: %w", err)
	}
	var names []string
	for _, f := range files {
		if f != "README.md" {
			names = append(names, strings.TrimSuffix(f, ".md"))
		}
	}
	page, err := template.New("").Parse(runbookPage)
	if err != nil {
		return err
	}
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table))
	h.mux.HandleFunc("GET "+RunbooksPath+"{$}", func(w http.ResponseWriter, _ *http.Request) {
		h.serveRunbook(w, page, map[string]any{"Title": "Runbooks", "Names": names})
	})
	h.mux.HandleFunc("GET "+RunbooksPath+"{name}", func(w http.ResponseWriter, r *http.Request) {
		// Runbooks refer to each other by their files' names.
		name := strings.TrimSuffix(r.PathValue("name"), ".md")
		if !slices.Contains(names, name) {
			http.NotFound(w, r)
			return
		}
		var text bytes.Buffer
		source, err := fs.ReadFile(h.o.Runbooks, name+".md")
		if err == nil {
			err = markdown.Convert(source, &text)
		}
		if err != nil {
			h.o.Logger.Error("a runbook can't be rendered", "name", name, "err", err)
			http.Error(w, "the runbook can't be rendered", http.StatusInternalServerError)
			return
		}
		h.serveRunbook(w, page, map[string]any{"Title": name, "Text": template.HTML(text.String())})
	})
	h.mux.HandleFunc("GET "+RunbooksPath+"runbook.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, err := w.Write([]byte(runbookStyle))
		h.gone(err)
	})
	return nil
}

func (h *Handler) serveRunbook(w http.ResponseWriter, page *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	h.gone(page.Execute(w, data))
}
