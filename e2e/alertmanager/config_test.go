package alertmanager

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-jsonnet"
)

// everything is a configuration that uses all there is.
const everything = `{
  global: { smtp_smarthost: 'mail.example.org:587', smtp_from: 'alerts@example.org', smtp_auth_password_file: '/secret/mail' },
  default: {
    page: { pagerduty_configs: [{ routing_key_file: '/secret/pagerduty' }], opsgenie_configs: [{ api_key_file: '/secret/opsgenie' }] },
    ticket: { jira_configs: [{ api_url: 'https://example.atlassian.net', project: 'OPS', issue_type: 'Task' }] },
    event: { email_configs: [{ to: 'ops@example.org' }] },
  },
  owners: {
    shop: {
      page: { slack_configs: [{ api_url_file: '/secret/slack', channel: '#shop' }] },
      ticket: { mattermost_configs: [{ webhook_url_file: '/secret/mattermost' }], msteamsv2_configs: [{ webhook_url_file: '/secret/teams' }] },
      event: { email_configs: [{ to: 'shop@example.org', text: '{{ template "loadline.text.message" . }}' }] },
    },
    search: { page: { webhook_configs: [{ url_file: '/secret/hook' }], telegram_configs: [{ bot_token_file: '/secret/telegram', chat_id: 1 }] } },
  },
  severities+: { ticket+: { hours: [{ weekdays: ['monday:friday'], times: [{ start_time: '08:00', end_time: '18:00' }], location: 'Europe/Berlin' }] } },
  windows: [
    { name: 'patches', times: [{ weekdays: ['sunday'], times: [{ start_time: '02:00', end_time: '04:00' }] }] },
    { name: 'sale', times: [{ months: ['november'], days_of_month: ['27:30'] }], severities: ['ticket', 'event'], owners: ['shop'] },
  ],
  maintenance: { node: 'loadline_orchestrator_node_schedulable == 0' },
  linkBase: 'https://loadline.example.org',
}`

// amtool runs amtool, and returns what it prints.
func amtool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(tool().Path(t), args...).CombinedOutput()
	return string(out), err
}

func TestAmtoolTakesWhatIsRendered(t *testing.T) {
	for name, change := range map[string]string{"defaults": "{}", "everything": everything} {
		t.Run(name, func(t *testing.T) {
			out, err := amtool(t, "check-config", Render(t, change).Write(t, t.TempDir()))
			if err != nil || strings.Contains(out, "FAILED") || !strings.Contains(out, "1 templates") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestAmtoolTakesTheCommittedFiles(t *testing.T) {
	out, err := amtool(t, "check-config", "../../rules/alertmanager/alertmanager.yaml")
	if err != nil || strings.Contains(out, "FAILED") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheDocumentsExampleWorks(t *testing.T) {
	document, err := os.ReadFile("../../docs/routing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(document), "```jsonnet\n")
	example, _, found := strings.Cut(example, "```")
	if !found {
		t.Fatal("the document has no example")
	}
	vm := jsonnet.MakeVM()
	vm.StringOutput = true
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{"../.."}})
	files, err := vm.EvaluateAnonymousSnippetMulti("example", example)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "alertmanager.yaml")
	if out, err := amtool(t, "check-config", config); err != nil || strings.Contains(out, "FAILED") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := amtool(t, "config", "routes", "test", "--config.file="+config, "--verify.receivers=shop-page", "severity=page", "level=service", "owner=shop"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAmtoolFindsAMistake(t *testing.T) {
	broken := Render(t, `{ default+: { page: { email_configs: [{ to: 'ops@example.org' }] } } }`)
	if out, err := amtool(t, "check-config", broken.Write(t, t.TempDir())); err == nil {
		t.Errorf("mail without a mail server is taken:\n%s", out)
	}
}

func TestAlertsGoToTheReceiverOfTheirSeverityAndOwner(t *testing.T) {
	config := Render(t, everything).Write(t, t.TempDir())
	for _, c := range []struct{ name, labels, receiver string }{
		{"a page of an owner", "severity=page level=service owner=shop", "shop-page"},
		{"a ticket of an owner", "severity=ticket level=container owner=shop", "shop-ticket"},
		{"an event of an owner", "severity=event level=workload owner=shop", "shop-event"},
		{"a page of a node that has an owner", "severity=page level=node owner=shop", "shop-page"},
		{"a page of an owner who has only that", "severity=page owner=search", "search-page"},
		{"a ticket of an owner who has no receiver for it", "severity=ticket owner=search", "default-ticket"},
		{"a page of an unknown owner", "severity=page owner=shops", "default-page"},
		{"a page of nobody", "severity=page level=service", "default-page"},
		{"a page of a node", "severity=page level=node node=a", "default-page"},
		{"an event of nobody", "severity=event", "default-event"},
		{"a page of others", "severity=critical owner=shop", "shop-page"},
		{"a ticket of others", "severity=warning", "default-ticket"},
		{"an event of others", "severity=info", "default-event"},
		{"a severity that is not known", "severity=pages owner=shop", "default-ticket"},
		{"no severity", "alertname=Any", "default-ticket"},
		{"a mark", "severity=event loadline_cause=node owner=shop", "nobody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"config", "routes", "test", "--config.file=" + config, "--verify.receivers=" + c.receiver}, strings.Fields(c.labels)...)
			if out, err := amtool(t, args...); err != nil {
				t.Errorf("want %s: %v\n%s", c.receiver, err, out)
			}
		})
	}
}
