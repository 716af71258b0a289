package alertmanager

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the messages in testdata")

// message is what Alertmanager gives to templates.
type message struct {
	Receiver     string  `json:"receiver"`
	Status       string  `json:"status"`
	Alerts       []shown `json:"alerts"`
	CommonLabels Labels  `json:"commonLabels"`
	ExternalURL  string  `json:"externalURL"`
}

// shown is an alert in a message.
type shown struct {
	Alert
	Status      string `json:"status"`
	Fingerprint string `json:"fingerprint"`
}

// night is when the alerts of these messages begin.
var night = time.Date(2026, 11, 25, 3, 12, 0, 0, time.UTC)

// told is an alert in a message, with the annotations that Loadline's alerts have.
func told(name, severity, level, summary, description string, pairs ...string) shown {
	a := alert(name, severity, level, pairs...)
	a.StartsAt = night
	a.Annotations = map[string]string{
		"summary": summary, "description": description,
		"runbook_url":   "https://example.org/runbooks/" + strings.ToLower(name) + ".md",
		"dashboard_url": "/dashboards/loadline-" + level + "?var-namespace=" + a.Labels["namespace"] + "&var-cluster=eu",
	}
	return shown{Alert: a, Status: "firing"}
}

// over is an alert that has ended.
func over(a shown) shown {
	a.Status, a.EndsAt = "resolved", night.Add(28*time.Minute)
	return a
}

func messageOf(status string, alerts ...shown) message {
	common := Labels{"severity": alerts[0].Labels["severity"]}
	return message{Receiver: "shop-page", Status: status, Alerts: alerts, CommonLabels: common, ExternalURL: "https://alertmanager.example.org"}
}

func messages() map[string]message {
	web := []string{"namespace", "shop", "service", "web", "owner", "shop"}
	service := told("ServiceHasNoReadyEndpoint", "page", "service", "Nobody can reach the service web.", "0 of its 3 endpoints are ready.", web...)
	short := told("ServiceIsShort", "page", "service", "The service web has too few endpoints.", "0 of the 3 that it wants.", web...)
	node := told("NodeIsGone", "page", "node", "The node worker-7 is gone, with work on it.", "It has not been heard of for 2m 30s; 30 pods ran there.", "node", "worker-7")

	workload := told("WorkloadIsStalled", "page", "workload", "web makes no progress.", "1 of 12 pods is ready.", "namespace", "shop", "workload", "web", "workload_type", "deployment")
	many := []shown{}
	for i := range 12 {
		many = append(many, told("PodIsOverdue", "page", "pod", "A pod should have started.", "", "namespace", "shop", "workload", "web", "workload_type", "deployment", "pod", fmt.Sprint("web-", i)))
	}
	many = append(many, workload, over(told("ContainerIsOverdue", "page", "container", "", "", "namespace", "shop", "workload", "web", "workload_type", "deployment", "pod", "web-12", "container", "app")))

	hostile := told("Evil", "ticket", "container",
		"<script>alert(1)</script> <!channel> [press](https://evil.example) *_`@all\nSecond: line",
		strings.Repeat("long ", 200), "namespace", "a<b>&c", "pod", "p\"><img src=x onerror=alert(1)>", "container", "\u202Egnp.exe", "workload", "w", "workload_type", "pod", "owner", "|<!here>")
	hostile.Annotations["runbook_url"] = "javascript:alert(1)"
	hostile.Annotations["dashboard_url"] = "https://example.org/x)|> <y>\n(z\"'"

	events := []shown{}
	for i := range 104 {
		events = append(events, told("WorkloadWasRolledOut", "event", "workload", "A rollout is complete.", "", "namespace", "shop", "workload", fmt.Sprint("web-", i), "workload_type", "deployment"))
	}

	foreign := shown{Status: "firing", Alert: Alert{StartsAt: night, Labels: Labels{"alertname": "TargetDown", "severity": "critical", "job": "shop", "instance": "10.0.0.1:80"}}}

	return map[string]message{
		"service":  messageOf("firing", short, service),
		"node":     messageOf("firing", node),
		"ended":    messageOf("resolved", over(node)),
		"workload": messageOf("firing", many...),
		"hostile":  messageOf("firing", hostile),
		"foreign":  messageOf("firing", foreign),
		"digest":   messageOf("firing", events...),
	}
}

// committed are the templates at the defaults.
const committed = "../../rules/alertmanager/templates/*.tmpl"

// forms are the templates of a whole message by form.
var forms = map[string]string{
	"text":     `{{ template "__subject" . }}` + "\n\n" + `{{ template "loadline.text.message" . }}`,
	"slack":    `{{ template "slack.default.color" . }} {{ template "slack.default.title" . }}` + "\n\n" + `{{ template "slack.default.text" . }}`,
	"markdown": `{{ template "mattermost.default.text" . }}`,
	"html":     `{{ template "email.default.html" . }}`,
}

// render has amtool render a text, which is a template, with a message: as text or html.
func render(t *testing.T, templates, kind, text string, m message) string {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := amtool(t, "template", "render", "--template.glob="+templates, "--template.type="+kind, "--template.data="+file, "--template.text="+text)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimRight(out, "\n") + "\n"
}

// kind is how Alertmanager renders a form.
func kind(form string) string {
	if form == "html" {
		return "html"
	}
	return "text"
}

func TestMessagesAreShortAndWhole(t *testing.T) {
	config := Render(t, `{ linkBase: 'https://loadline.example.org' }`).Write(t, t.TempDir())
	templates := filepath.Join(filepath.Dir(config), "templates", "*.tmpl")
	for name, m := range messages() {
		for form := range forms {
			t.Run(name+"/"+form, func(t *testing.T) {
				got := render(t, templates, kind(form), forms[form], m)
				file := filepath.Join("testdata", name+"."+form)
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s is\n%s\nwant:\n%s", file, got, want)
				}
			})
		}
	}
}

func TestWhatIsHostileStaysText(t *testing.T) {
	for form, never := range map[string][]string{
		"html":     {"<script", "<img", "javascript:"},
		"slack":    {"<script", "<!", "javascript:", "\u202e"},
		"markdown": {"*<script", " <!", " [press]", "@all", "javascript:"},
		"text":     {"\nSecond", "\u202e", "javascript:"},
	} {
		got := render(t, committed, kind(form), forms[form], messages()["hostile"])
		for _, text := range never {
			if strings.Contains(got, text) {
				t.Errorf("%s has %q:\n%s", form, text, got)
			}
		}
		if !strings.Contains(got, "Second") || len(got) > 3000 {
			t.Errorf("%s says too little or too much:\n%s", form, got)
		}
	}
}

func TestAMessageHasNoLinkToADashboardThatNobodyNamed(t *testing.T) {
	for form, text := range forms {
		got := render(t, committed, kind(form), text, messages()["node"])
		if strings.Contains(got, "Dashboard") || !strings.Contains(got, "Runbook") {
			t.Errorf("%s:\n%s", form, got)
		}
	}
}

func TestEveryReceiverOfAlertmanagerSaysItInTheseWords(t *testing.T) {
	for _, name := range []string{
		"discord.default.title", "discord.default.message", "email.default.subject", "email.default.html", "jira.default.summary", "jira.default.description",
		"mattermost.default.title", "mattermost.default.text", "msteams.default.text", "msteamsv2.default.title", "msteamsv2.default.text",
		"opsgenie.default.message", "opsgenie.default.description", "pagerduty.default.description", "pushover.default.title", "pushover.default.message",
		"rocketchat.default.title", "rocketchat.default.text", "slack.default.title", "slack.default.text", "slack.default.fallback", "sns.default.subject", "sns.default.message",
		"telegram.default.message", "victorops.default.entity_display_name", "victorops.default.state_message", "webex.default.message", "wechat.default.message",
	} {
		got := render(t, committed, "text", fmt.Sprintf("{{ template %q . }}", name), messages()["node"])
		if !strings.Contains(got, "node worker-7, cluster eu") {
			t.Errorf("%s is %q", name, got)
		}
		if strings.Contains(got, "Labels:") {
			t.Errorf("%s lists labels: %q", name, got)
		}
	}
}
