// Package dashboards asks every question of every dashboard, as Grafana and as the
// built-in page ask it, of a Prometheus that has scraped the exporters on a Kubernetes
// on which something runs and something is broken.
package dashboards

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Query is one of a panel.
type Query struct {
	// Panel is UID/TITLE.
	Panel string
	// Text is the query, with variables.
	Text string
}

// Variable is a choice that a dashboard offers.
type Variable struct {
	// Name is also the label's.
	Name string
	// Selector is of the series that have its values; it may name variables before.
	Selector string
	// All is what stands for all values, empty if one has to be chosen.
	All string
}

// Dashboard is what one asks.
type Dashboard struct {
	File      string
	Variables []Variable
	Queries   []Query
}

// Read reads the dashboards of a folder, by a function that knows their form.
func Read(files fs.FS, parse func(uid string, content []byte) (Dashboard, error)) ([]Dashboard, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	var all []Dashboard
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		d, err := parse(strings.TrimSuffix(name, ".json"), content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		d.File = name
		all = append(all, d)
	}
	return all, nil
}

var labelValues = regexp.MustCompile(`^label_values\((.*), *([a-zA-Z_][a-zA-Z0-9_]*)\)$`)

// Grafana parses a dashboard of Grafana's schema v1.
func Grafana(uid string, content []byte) (Dashboard, error) {
	var in struct {
		Templating struct {
			List []struct {
				Type, Name, AllValue string
				IncludeAll           bool
				Query                json.RawMessage
			}
		}
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(content, &in); err != nil {
		return Dashboard{}, err
	}
	var d Dashboard
	for _, v := range in.Templating.List {
		if v.Type != "query" {
			continue
		}
		var query struct{ Query string }
		if err := json.Unmarshal(v.Query, &query); err != nil {
			return d, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		parts := labelValues.FindStringSubmatch(query.Query)
		if parts == nil || parts[2] != v.Name {
			return d, fmt.Errorf("variable %s is of %s", v.Name, query.Query)
		}
		d.Variables = append(d.Variables, Variable{v.Name, parts[1], all(v.IncludeAll, v.AllValue)})
	}
	for _, p := range in.Panels {
		for _, t := range p.Targets {
			d.Queries = append(d.Queries, Query{uid + "/" + p.Title, t.Expr})
		}
	}
	return d, nil
}

// Perses parses a dashboard of the built-in page.
func Perses(uid string, content []byte) (Dashboard, error) {
	var in struct {
		Spec struct {
			Variables []struct {
				Spec struct {
					Name, CustomAllValue string
					AllowAllValue        bool
					Plugin               struct {
						Spec struct{ Matchers []string }
					}
				}
			}
			Panels map[string]struct {
				Spec struct {
					Display struct{ Name string }
					Queries []struct {
						Spec struct {
							Plugin struct {
								Spec struct{ Query string }
							}
						}
					}
				}
			}
		}
	}
	if err := json.Unmarshal(content, &in); err != nil {
		return Dashboard{}, err
	}
	var d Dashboard
	for _, v := range in.Spec.Variables {
		if len(v.Spec.Plugin.Spec.Matchers) != 1 {
			return d, fmt.Errorf("variable %s has the matchers %q", v.Spec.Name, v.Spec.Plugin.Spec.Matchers)
		}
		d.Variables = append(d.Variables, Variable{v.Spec.Name, v.Spec.Plugin.Spec.Matchers[0], all(v.Spec.AllowAllValue, v.Spec.CustomAllValue)})
	}
	for _, p := range in.Spec.Panels {
		for _, q := range p.Spec.Queries {
			d.Queries = append(d.Queries, Query{uid + "/" + p.Spec.Display.Name, q.Spec.Plugin.Spec.Query})
		}
	}
	return d, nil
}

func all(offered bool, value string) string {
	switch {
	case !offered:
		return ""
	case value == "":
		return ".*"
	}
	return value
}

// Choice are values by the names of variables.
type Choice map[string]string

// intervals are what a panel is drawn with, over minutes.
var intervals = Choice{"__rate_interval": "1m", "__interval": "15s", "__range": "10m"}

// In is a text with its variables replaced.
func (c Choice) In(text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found, "${}")
		if value, ok := intervals[name]; ok {
			return value
		}
		if value, ok := c[name]; ok {
			return value
		}
		return found // which no parser takes
	})
}

var variable = regexp.MustCompile(`\$(\{\w+\}|\w+)`)

// Choices are all that can be chosen: values yields those of a label of the series of a
// selector.
func Choices(variables []Variable, values func(selector, label string) ([]string, error)) ([]Choice, error) {
	choices := []Choice{{}}
	for _, v := range variables {
		var next []Choice
		for _, before := range choices {
			if v.All != "" {
				next = append(next, before.with(v.Name, v.All))
				continue
			}
			found, err := values(before.In(v.Selector), v.Name)
			if err != nil {
				return nil, err
			}
			slices.Sort(found)
			for _, value := range found {
				next = append(next, before.with(v.Name, value))
			}
		}
		choices = next
	}
	return choices, nil
}

func (c Choice) with(name, value string) Choice {
	next := Choice{name: value}
	for n, v := range c {
		next[n] = v
	}
	return next
}
