package prom

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func containsAll(s string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(s, p) })
}

// network serves e on a port and returns its address.
func network(t *testing.T, e http.Handler) string {
	t.Helper()
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestJobsOfTheScrapeConfigFileAreScraped(t *testing.T) {
	t.Parallel()
	address := network(t, &exporter{text: "test_remote %d\n"})
	list := fmt.Sprintf(`[{"targets": [%q], "labels": {"found": "yes"}}]`, address)
	http := network(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, list)
	}))
	dir := t.TempDir()
	writeFile(t, dir, "targets.json", list)
	o := testOptions(t)
	o.ScrapeConfigFile = writeFile(t, dir, "prometheus.yml", fmt.Sprintf(`
rule_files: [not-used.yaml]
scrape_configs:
- job_name: static
  static_configs:
  - targets: [%q]
- job_name: from-file
  file_sd_configs:
  - files: [targets.json]   # beside this file
- job_name: from-http
  http_sd_configs:
  - url: http://%s/
- job_name: slow
  scrape_interval: 90s
  static_configs:
  - targets: [%q]
`, address, http, address))
	s, _ := start(t, o, &exporter{text: counting})
	result(t, s, "test_scrapes_total")
	result(t, s, `test_remote{job="static",instance="`+address+`"} > 2`)
	result(t, s, `test_remote{job="from-file",found="yes"} > 2`)
	result(t, s, `test_remote{job="from-http",found="yes"} > 2`)
	for _, j := range s.config().ScrapeConfigs {
		want := testInterval
		if j.JobName == "slow" {
			want = 90 * time.Second
		}
		if got := time.Duration(j.ScrapeInterval); got != want {
			t.Errorf("job %s is scraped every %s, want %s", j.JobName, got, want)
		}
	}
}

func TestIntervalOfTheFilesGlobalSectionIsKept(t *testing.T) {
	t.Parallel()
	jobs := "scrape_configs: [{job_name: j, static_configs: [{targets: [x]}]}]\n"
	for name, c := range map[string]struct {
		text              string
		interval, timeout time.Duration
	}{
		"no global section":    {jobs, 5 * time.Second, 5 * time.Second},
		"empty global section": {"global:\n" + jobs, 5 * time.Second, 5 * time.Second},
		"timeout only":         {"global: {scrape_timeout: 3s}\n" + jobs, 5 * time.Second, 3 * time.Second},
		"interval":             {"global: {scrape_interval: 30s}\n" + jobs, 30 * time.Second, 10 * time.Second},
		"flow style":           {"{" + strings.TrimSpace(jobs) + "}", 5 * time.Second, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			js, _, err := readScrapeConfigs(writeFile(t, t.TempDir(), "p.yml", c.text), 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if i, to := time.Duration(js[0].ScrapeInterval), time.Duration(js[0].ScrapeTimeout); i != c.interval || to != c.timeout {
				t.Errorf("interval %s, timeout %s; want %s, %s", i, to, c.interval, c.timeout)
			}
		})
	}
}

func TestBadScrapeConfigNamesFileAndProblem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, problem string }{
		"not YAML":                     {"scrape_configs: [", "line 1"},
		"not a mapping":                {"[]", "cannot unmarshal"},
		"unknown field":                {"scrape_configs:\n- job_name: a\n  scrape_intervall: 1s\n", "scrape_intervall"},
		"job without name":             {"scrape_configs: [{metrics_path: /m}]", "job_name"},
		"job twice":                    {"scrape_configs: [{job_name: a}, {job_name: a}]", `"a"`},
		"job is an exporter's":         {"scrape_configs: [{job_name: test}]", `"test"`},
		"timeout beyond interval":      {"scrape_configs: [{job_name: a, scrape_timeout: 2s, scrape_interval: 1s}]", "timeout"},
		"certificate missing":          {"scrape_configs: [{job_name: a, tls_config: {ca_file: none.pem}}]", "none.pem"},
		"log that cannot be written":   {"scrape_configs: [{job_name: a, scrape_failure_log_file: none/log}]", "none/log"},
		"Kubernetes discovery":         {"scrape_configs:\n- job_name: pods\n  kubernetes_sd_configs: [{role: pod}]\n", `line 3: job "pods": kubernetes_sd_configs is not supported; use static_configs`},
		"DNS discovery through anchor": {"x: &j {job_name: pods, dns_sd_configs: [{names: [a]}]}\nscrape_configs: [*j]\n", "dns_sd_configs is not supported"},
		"jobs in more files":           {"scrape_config_files: ['*.yml']", "scrape_config_files is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := testOptions(t)
			o.ScrapeConfigFile = writeFile(t, t.TempDir(), "prometheus.yml", c.text)
			_, err := Open(o)
			if err == nil || !containsAll(err.Error(), o.ScrapeConfigFile, c.problem) {
				t.Errorf("error is %v, want one with %q and the file", err, c.problem)
			}
		})
	}
	o := testOptions(t)
	o.ScrapeConfigFile = "/nonexistent/prometheus.yml"
	if _, err := Open(o); err == nil || strings.Count(err.Error(), o.ScrapeConfigFile) != 1 {
		t.Errorf("of a file that is not there the error is %v", err)
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"no directory":    func(o *Options) { o.DataDir = "" },
		"short retention": func(o *Options) { o.Retention = time.Minute },
		"interval":        func(o *Options) { o.ScrapeInterval = -time.Second },
		"relative path":   func(o *Options) { o.Self[0].Path = "metrics" },
		"job twice":       func(o *Options) { o.Self = append(o.Self, o.Self[0]) },
		"reserved label":  func(o *Options) { o.SelfLabels["__address__"] = "x" },
	} {
		o := testOptions(t)
		change(&o)
		if s, err := Open(o); err == nil {
			s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestReloadPicksUpAChangeAndABadOneKeepsTheOld(t *testing.T) {
	t.Parallel()
	address := network(t, &exporter{text: "test_remote %d\n"})
	job := func(name string) string {
		return fmt.Sprintf("- job_name: %s\n  static_configs: [{targets: [%q]}]\n", name, address)
	}
	dir := t.TempDir()
	o := testOptions(t)
	o.ScrapeConfigFile = writeFile(t, dir, "prometheus.yml", "scrape_configs:\n"+job("one"))
	s, _ := start(t, o, &exporter{text: counting})
	result(t, s, `test_remote{job="one"}`)

	writeFile(t, dir, "prometheus.yml", "scrape_configs:\n"+job("two"))
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	result(t, s, `test_remote{job="two"}`)
	if _, ok := s.scrape.TargetsActive()["one"]; ok {
		t.Error("the job that was taken out is still scraped")
	}

	writeFile(t, dir, "prometheus.yml", "scrape_configs:\n"+job("three")+"  nonsense: 1\n")
	if err := s.Reload(); err == nil || !containsAll(err.Error(), o.ScrapeConfigFile, "nonsense") {
		t.Errorf("the error of a bad file is %v", err)
	}
	if info, err := s.runtimeInfo(); err != nil || info.ReloadConfigSuccess {
		t.Errorf("after a bad reload success is %t (error %v)", info.ReloadConfigSuccess, err)
	}
	seen := result(t, s, `test_remote{job="two"}`)[0].F
	result(t, s, fmt.Sprintf(`test_remote{job="two"} > %g`, seen+3))
}
