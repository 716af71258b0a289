package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

const (
	// maxAnswer bounds an answer in bytes. One that is longer is asked for again in
	// smaller pieces.
	maxAnswer = 128 << 20
	// fewSamples is what a piece should have: some megabytes of JSON.
	fewSamples = 250_000
	// maxPoints is below the 11,000 points of a series that Prometheus answers with.
	maxPoints = 10_000
	// maxURL bounds the address of a runbook, in bytes.
	maxURL = 2048
	// maxWarnings bounds the warnings that are kept, maxWarning each of them in bytes.
	maxWarnings, maxWarning = 20, 400
)

// errAnswer is the error of an answer that is too long.
var errAnswer = fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)

// client asks a Prometheus.
type client struct {
	api     v1.API
	address string // without a password
	timeout time.Duration
	// warnings are those of all answers, each once.
	warnings []string
}

// newClient returns a client of the Prometheus at an address, by an HTTP client
// configuration in Prometheus' form.
func newClient(address string, c config.HTTPClientConfig, timeout time.Duration) (*client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// Not shown: it may have a password.
		return nil, errors.New("--prometheus is not an address such as https://prometheus.example:9090")
	}
	transport, err := config.NewRoundTripperFromConfig(c, "report", config.WithUserAgent("loadline-report"))
	if err != nil {
		return nil, fmt.Errorf("the HTTP client's configuration: %w", err)
	}
	a, err := api.NewClient(api.Config{Address: address, Client: &http.Client{
		Transport: bounded{transport},
		// The transport adds credentials to every request.
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if !c.FollowRedirects || r.URL.Host != u.Host || r.URL.Scheme != u.Scheme || len(via) > 5 {
				return fmt.Errorf("it redirects to %s, which is not followed", r.URL.Redacted())
			}
			return nil
		},
	}})
	if err != nil {
		return nil, fmt.Errorf("--prometheus %s: %w", u.Redacted(), err)
	}
	return &client{api: v1.NewAPI(a), address: u.Redacted(), timeout: timeout}, nil
}

// bounded has answers that are too long end in errAnswer.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &boundedBody{answer.Body, maxAnswer}
	return answer, nil
}

type boundedBody struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errAnswer
	}
	return n, err
}

// instant evaluates an expression at a time, which yields a vector or a matrix.
func (c *client) instant(ctx context.Context, query string, at int64) (model.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	v, warnings, _, err := c.api.Query(ctx, query, time.Unix(at, 0), v1.WithTimeout(c.timeout))
	switch all := v.(type) {
	case model.Vector:
		v = slices.DeleteFunc(all, func(s *model.Sample) bool { return s == nil })
	case model.Matrix:
		v = withoutNull(all)
	}
	return v, c.checked(query, warnings, err)
}

// matrix evaluates an expression at every step from the first time to the last.
func (c *client) matrix(ctx context.Context, query string, p piece) (model.Matrix, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	v, warnings, _, err := c.api.QueryRange(ctx, query, v1.Range{
		Start: time.Unix(p.first, 0), End: time.Unix(p.last, 0), Step: time.Duration(p.step) * time.Second,
	}, v1.WithTimeout(c.timeout))
	if err := c.checked(query, warnings, err); err != nil {
		return nil, err
	}
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, c.checked(query, nil, fmt.Errorf("the answer is a %s instead of a matrix", v.Type()))
	}
	return withoutNull(m), nil
}

// withoutNull leaves out what a server said to be null instead of a series.
func withoutNull(m model.Matrix) model.Matrix {
	return slices.DeleteFunc(m, func(s *model.SampleStream) bool { return s == nil })
}

// runbooks returns what rules say that alerts' runbooks are. A server that answers
// queries need not have the rules, so an error is none.
func (c *client) runbooks(ctx context.Context, alerts map[string]bool) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	out := map[string]string{}
	rules, err := c.api.Rules(ctx, nil)
	if err != nil {
		return out
	}
	for _, group := range rules.Groups {
		for _, r := range group.Rules {
			rule, ok := r.(v1.AlertingRule)
			if !ok || !alerts[rule.Name] {
				continue
			}
			page := string(rule.Annotations["runbook_url"])
			if u, err := url.Parse(page); err == nil && (u.Scheme == "https" || u.Scheme == "http") && len(page) <= maxURL {
				out[rule.Name] = page
			}
		}
	}
	return out
}

// checked keeps warnings and says in an error what was asked of whom.
func (c *client) checked(query string, warnings v1.Warnings, err error) error {
	for _, w := range warnings {
		if w = cut(w, maxWarning); len(c.warnings) < maxWarnings && !slices.Contains(c.warnings, w) {
			c.warnings = append(c.warnings, w)
		}
	}
	if err == nil {
		return nil
	}
	var detail string
	var e *v1.Error
	if errors.As(err, &e) && e.Detail != "" {
		detail = ": " + cut(strings.Join(strings.Fields(e.Detail), " "), maxWarning)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		detail = fmt.Sprintf(" (no answer within --timeout=%s)", c.timeout)
	}
	return fmt.Errorf("query %s of %s: %w%s", query, c.address, err, detail)
}

// tooMuch says whether an error may go when less is asked for at once.
func tooMuch(err error) bool {
	if errors.Is(err, errAnswer) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var e *v1.Error
	return errors.As(err, &e) && (e.Type == v1.ErrExec || e.Type == v1.ErrTimeout)
}

// piece are the times first, first+step … last.
type piece struct{ first, last, step int64 }

func (p piece) points() int { return int((p.last-p.first)/p.step) + 1 }

// inPieces has a time asked for in pieces, in order, so long that an answer has some
// hundred thousand samples. The function says how many an answer had. What is too much
// for the server is asked for again in halves.
func inPieces(ctx context.Context, all piece, points int, ask func(piece) (samples int, err error)) error {
	most := maxPoints
	for first := all.first; first <= all.last; {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := piece{first, min(all.last, first+int64(points-1)*all.step), all.step}
		samples, err := ask(p)
		if err != nil {
			if most = p.points() / 2; !tooMuch(err) || most == 0 || ctx.Err() != nil {
				return err
			}
			points = most
			continue
		}
		first = p.last + p.step
		points = min(4*points, most, max(1, fewSamples*p.points()/max(samples, 1)))
	}
	return nil
}

func samples(m model.Matrix) int {
	n := 0
	for _, s := range m {
		n += len(s.Values)
	}
	return n
}

// cut shortens text that others made to a number of bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
