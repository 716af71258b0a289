package peers

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
)

// Answer is a scrape's.
type Answer struct {
	// Body is the text, not compressed.
	Body []byte
	// ContentType is what the body is.
	ContentType string
	// Sent is how many bytes the body was on the wire, compressed.
	Sent int
	// Took is the time from the request to the end of the body.
	Took time.Duration
}

// Scrape asks as Prometheus 3 does, with its headers.
func (p *Program) Scrape() (Answer, error) { return get(p.URL+"/metrics", acceptHeader(), limit) }

// ScrapeText asks for the text format, which everybody speaks and in which the
// types of families are as they were published.
func (p *Program) ScrapeText() (Answer, error) {
	return get(p.URL+"/metrics", "text/plain;version=0.0.4", limit)
}

// ScrapePlain asks as Prometheus does, and for no compression.
func (p *Program) ScrapePlain() (Answer, error) {
	return ask(p.URL+"/metrics", acceptHeader(), "identity", limit)
}

// MustScrape fails the test when that fails.
func (p *Program) MustScrape() Answer {
	p.t.Helper()
	a, err := p.Scrape()
	if err != nil {
		p.t.Fatalf("scrape %s: %v", p.Name, err)
	}
	return a
}

// client keeps its connection, as Prometheus does, and leaves the body alone.
var client = &http.Client{Transport: &http.Transport{DisableCompression: true}}

func get(url, accept string, timeout time.Duration) (Answer, error) {
	return ask(url, accept, "gzip", timeout)
}

func ask(url, accept, encoding string, timeout time.Duration) (Answer, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("Accept-Encoding", encoding)
	request.Header.Set("User-Agent", "Prometheus/3")
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64))
	begin := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	sent, err := io.ReadAll(response.Body)
	a := Answer{Body: sent, ContentType: response.Header.Get("Content-Type"), Sent: len(sent), Took: time.Since(begin)}
	if err != nil {
		return a, err
	}
	if response.StatusCode != http.StatusOK {
		return a, fmt.Errorf("GET %s: %s", url, response.Status)
	}
	if response.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(sent))
		if err != nil {
			return a, err
		}
		if a.Body, err = io.ReadAll(z); err != nil {
			return a, err
		}
	}
	return a, nil
}

// acceptHeader is what Prometheus sends by default.
func acceptHeader() string {
	var values []string
	weight := len(config.ScrapeProtocolsHeaders) + 1
	for _, protocol := range config.DefaultScrapeProtocols {
		value := config.ScrapeProtocolsHeaders[protocol]
		if protocol == config.PrometheusText1_0_0 || protocol == config.OpenMetricsText1_0_0 {
			value += ";" + model.EscapingKey + "=" + model.AllowUTF8
		}
		values = append(values, fmt.Sprintf("%s;q=0.%d", value, weight))
		weight--
	}
	return strings.Join(append(values, fmt.Sprintf("*/*;q=0.%d", weight)), ",")
}
