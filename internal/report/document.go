package report

import "time"

// Version is the version of the JSON report. It rises when a field is renamed, removed
// or means something else; fields may be added without.
const Version = 1

// Report is what fired in a period, beside the period before it, and what counters say
// happened meanwhile. Lengths of time are in whole seconds.
type Report struct {
	Version    int       `json:"version"`
	Generated  time.Time `json:"generated"`
	Prometheus string    `json:"prometheus"` // its address, without a password
	Selector   string    `json:"selector,omitempty"`

	// Period is what the report is of, Before the same length that ends where it begins.
	Period Period `json:"period"`
	Before Period `json:"before"`
	// Comparable says whether both periods have at least nine tenths of their data.
	// Otherwise nothing is compared: before and change are missing everywhere.
	Comparable bool     `json:"comparable"`
	Settings   Settings `json:"settings"`
	// Notes are what a reader has to know: missing data, warnings of the API.
	Notes []string `json:"notes"`

	// ByUrgency are all episodes by what their severity asks for: page, ticket, event;
	// always those three.
	ByUrgency []Row `json:"by_urgency"`
	// Alerts are episodes by alertname and severity.
	Alerts Table `json:"alerts"`
	// Gone are the alerts that fired in the period before and not in this.
	Gone Table `json:"gone"`
	// Noisy are alerts to change, and why.
	Noisy []Noisy `json:"noisy"`
	// SelfHealed are the alerts whose condition went away before they fired, or soon
	// after, by alertname and severity.
	SelfHealed Table `json:"self_healed"`
	// LongestPages are single episodes of pages, the longest first.
	LongestPages Episodes `json:"longest_pages"`
	// Services and Workloads are those with the most time in page, then in ticket.
	Services  Places `json:"services"`
	Workloads Places `json:"workloads"`
	// By are episodes by one label each: severity, level, owner, namespace, service,
	// workload. What has no such label has it empty.
	By []Dimension `json:"by"`
	// Heartbeats are alerts that are meant to fire always. They are in nothing else.
	Heartbeats []Heartbeat `json:"heartbeats"`
	// Hours are the pages and tickets that began, by hour of the day.
	Hours [24]Hour `json:"hours"`
	// Days are the same by day, or by several days in a long period.
	Days []Day `json:"days"`
	// Runbooks are the pages that the rules of alerts that fired name as runbook_url, by
	// alertname, where this Prometheus has the rules.
	Runbooks map[string]string `json:"runbooks"`
	// Counters are what exporters counted.
	Counters []Counter `json:"counters"`
}

// Period is a time, and how much of it the Prometheus has data of.
type Period struct {
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Seconds int64     `json:"seconds"`
	// ObservedSeconds is for how long there are samples of any target, or null where
	// that can't be told, because there is no series named up.
	ObservedSeconds *int64 `json:"observed_seconds"`
	// Missing are the longest times without samples.
	Missing []Span `json:"missing,omitempty"`
}

// Span is a time from start to end.
type Span struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Settings are what the report was made with.
type Settings struct {
	StepSeconds  int    `json:"step_seconds"`  // times are exact to this
	GapSeconds   int    `json:"gap_seconds"`   // what is no further apart is one episode
	ShortSeconds int    `json:"short_seconds"` // what is shorter is said to have healed itself
	Timezone     string `json:"timezone"`
	WorkingHours string `json:"working_hours"`
	// ReplicaLabels tell copies of an evaluator or exporter apart, and are left out.
	ReplicaLabels []string `json:"replica_labels"`
	// PageSeverities and TicketSeverities are values of the label severity; any other
	// is an event.
	PageSeverities   []string `json:"page_severities"`
	TicketSeverities []string `json:"ticket_severities"`
	OwnerLabel       string   `json:"owner_label"`
	Heartbeats       []string `json:"heartbeats"` // alert names
	Top              int      `json:"top"`        // rows of a table
}

// Stats are of the episodes of some alerts in a period. An episode is a time for which
// one label set fired; of one that reaches out of the period only the part within it
// counts.
type Stats struct {
	Episodes int `json:"episodes"`
	// CarriedOver are those of them that began before the period.
	CarriedOver int `json:"carried_over"`
	// StillFiring are those that fire at its end (of the period before: at this one's
	// beginning).
	StillFiring int `json:"still_firing"`
	// Short are those that began and ended in the period within ShortSeconds.
	Short int `json:"short"`
	// OutsideHours are those that began outside working hours.
	OutsideHours int `json:"outside_working_hours"`
	// HealedPending is how often the condition went away before the alert fired.
	HealedPending int `json:"healed_pending"`
	// LabelSets is how many label sets fired, AtOnce how many at the same time at the
	// most, MostOfOne the episodes of the one with the most.
	LabelSets int `json:"label_sets"`
	AtOnce    int `json:"at_once"`
	MostOfOne int `json:"most_of_one"`
	// FiringSeconds adds up all episodes; AnySeconds is how long at least one lasted;
	// OneSeconds is the most of one label set.
	FiringSeconds  int64 `json:"firing_seconds"`
	AnySeconds     int64 `json:"any_seconds"`
	OneSeconds     int64 `json:"one_seconds"`
	MedianSeconds  int64 `json:"median_seconds"`
	LongestSeconds int64 `json:"longest_seconds"`
	// First is when the first began in the period, Last when the last ended.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}

// Change is what became of something since the period before.
type Change string

// Changes.
const (
	More  Change = "more"
	Fewer Change = "fewer"
	Same  Change = "same"
	New   Change = "new"
	Gone  Change = "gone"
)

// Row is the statistics of what has the same values of some labels.
type Row struct {
	Labels map[string]string `json:"labels"`
	Stats
	Before *Stats `json:"before,omitempty"` // nil where nothing is compared
	Change Change `json:"change,omitempty"` // by episodes
}

// Table is rows, the first by its order; what is left out is added up.
type Table struct {
	Rows []Row `json:"rows"`
	Rest Rest  `json:"rest"`
}

// Rest is what a table leaves out.
type Rest struct {
	Rows          int   `json:"rows"`
	Episodes      int   `json:"episodes"`
	FiringSeconds int64 `json:"firing_seconds"`
}

// Dimension are the episodes by the values of a label.
type Dimension struct {
	Label string `json:"label"`
	Table
}

// Noisy is an alert to change.
type Noisy struct {
	Row
	Reasons []Reason `json:"reasons"`
}

// Reason is why an alert is noisy: flapping, short, always or wide.
type Reason struct {
	Kind   string `json:"kind"`
	Why    string `json:"why"`
	Advice string `json:"advice"`
}

// Episode is one time for which one label set fired, or the part within the period.
type Episode struct {
	Labels      map[string]string `json:"labels"`
	Start       time.Time         `json:"start"`
	End         time.Time         `json:"end"`
	Seconds     int64             `json:"seconds"`
	CarriedOver bool              `json:"carried_over"`
	StillFiring bool              `json:"still_firing"`
}

// Episodes are some of all.
type Episodes struct {
	Rows []Episode `json:"rows"`
	Rest Rest      `json:"rest"`
}

// Place is a service or workload by how long anything fired for it.
type Place struct {
	Labels  map[string]string `json:"labels"`
	Pages   int               `json:"pages"`
	Tickets int               `json:"tickets"`
	// PageSeconds is how long at least one page fired, TicketSeconds likewise.
	PageSeconds   int64 `json:"page_seconds"`
	TicketSeconds int64 `json:"ticket_seconds"`
	// Top is the alert that fired longest.
	Top string `json:"top"`
	// PageSecondsBefore and TicketSecondsBefore are of the period before; null where
	// nothing is compared.
	PageSecondsBefore   *int64 `json:"page_seconds_before,omitempty"`
	TicketSecondsBefore *int64 `json:"ticket_seconds_before,omitempty"`
	Change              Change `json:"change,omitempty"` // by time in page, then in ticket
}

// Places are those that are worst.
type Places struct {
	Rows []Place `json:"rows"`
	// Rest is how many more there are, RestSeconds their time in page and in ticket.
	Rest        int   `json:"rest"`
	RestSeconds int64 `json:"rest_seconds"`
}

// Heartbeat is an alert that is meant to fire always.
type Heartbeat struct {
	Alert string `json:"alert"`
	// Seconds is how long it fired in the period.
	Seconds int64 `json:"seconds"`
	Firing  bool  `json:"firing"` // at the end
}

// Hour is an hour of the day.
type Hour struct {
	Pages   int `json:"pages"`
	Tickets int `json:"tickets"`
	// PagesOutside are those of the pages that began outside working hours.
	PagesOutside int `json:"pages_outside_working_hours"`
}

// Day is a day, or some, from midnight on; the first and last may be in part.
type Day struct {
	Start   time.Time `json:"start"`
	Pages   int       `json:"pages"`
	Tickets int       `json:"tickets"`
}

// Counter is a counter of exporters: exact differences of its samples, not PromQL's
// extrapolated increase.
type Counter struct {
	Family string `json:"family"`
	// Title says what is counted.
	Title string `json:"title"`
	// Present says whether there is any such series; without, all else is empty.
	Present bool     `json:"present"`
	Total   float64  `json:"total"`
	Before  *float64 `json:"before,omitempty"`
	// Kinds are the amounts by the value of Label.
	Label string `json:"label"`
	Kinds []Kind `json:"kinds"`
	// Workloads are those with most of what is Notable, which is a part of the kinds.
	Notable   string   `json:"notable"`
	Workloads []Amount `json:"workloads"`
	// Rest is how many more workloads there are, RestAmount what they have.
	Rest       int     `json:"rest"`
	RestAmount float64 `json:"rest_amount"`
}

// Kind is the amount of one value of a label.
type Kind struct {
	Value   string   `json:"value"`
	Notable bool     `json:"notable"`
	Amount  float64  `json:"amount"`
	Before  *float64 `json:"before,omitempty"`
	Change  Change   `json:"change,omitempty"`
}

// Amount is what a workload has of something.
type Amount struct {
	Cluster   string   `json:"cluster,omitempty"`
	Namespace string   `json:"namespace"`
	Workload  string   `json:"workload"` // empty: of no workload that is known
	Type      string   `json:"workload_type"`
	Amount    float64  `json:"amount"`
	Mostly    string   `json:"mostly"` // the kind that it has most of
	Before    *float64 `json:"before,omitempty"`
	Change    Change   `json:"change,omitempty"`
}
