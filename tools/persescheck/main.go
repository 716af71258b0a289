// Command persescheck decodes dashboards by Perses' own types, which refuse what its
// server would refuse, and checks what these leave open: that the page has the plugins.
// It is a module of its own to keep Perses out of the product's module graph.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/perses/perses/pkg/model/api/v1"
)

// Kinds of plugins that the built-in page has.
var (
	panels  = []string{"TimeSeriesChart", "StatChart", "Table", "BarChart", "Markdown"}
	queries = []string{"PrometheusTimeSeriesQuery"}
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: persescheck FOLDER")
		os.Exit(2)
	}
	if err := checkAll(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// checkAll checks every dashboard of a folder.
func checkAll(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no dashboards in %s", folder)
	}
	var all []error
	for _, file := range files {
		if err := check(file); err != nil {
			all = append(all, fmt.Errorf("%s: %w", file, err))
		}
	}
	return errors.Join(all...)
}

func check(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var dashboard v1.Dashboard
	if err := json.Unmarshal(text, &dashboard); err != nil {
		return err
	}
	var all []error
	placed := map[string]bool{}
	for _, layout := range dashboard.Spec.Layouts {
		spec, err := json.Marshal(layout.Spec)
		if err != nil {
			return err
		}
		var grid struct {
			Items []struct {
				Content struct {
					Ref string `json:"$ref"`
				}
			}
		}
		if err := json.Unmarshal(spec, &grid); err != nil {
			return err
		}
		for _, item := range grid.Items {
			placed[filepath.Base(item.Content.Ref)] = true
		}
	}
	for key, panel := range dashboard.Spec.Panels {
		if !placed[key] {
			all = append(all, fmt.Errorf("panel %s has no place", key))
		}
		if kind := panel.Spec.Plugin.Kind; !slices.Contains(panels, kind) {
			all = append(all, fmt.Errorf("panel %s is a %s, which the page cannot draw", key, kind))
		}
		for _, query := range panel.Spec.Queries {
			if kind := query.Spec.Plugin.Kind; !slices.Contains(queries, kind) {
				all = append(all, fmt.Errorf("panel %s has a %s, which the page cannot ask", key, kind))
			}
		}
	}
	return errors.Join(all...)
}
