// Package fargate asks a task's own endpoint what runs in the task, where nobody may
// look at the node: on AWS Fargate.
//
// The endpoint is version 4 of the ECS task metadata endpoint. It says what the
// task's containers are and what they use, as Docker's statistics, which the
// platform takes every ten seconds or so. Every container of a task may ask it, so
// the exporter is one more container of the task.
package fargate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/loadline-exporters/loadline/internal/source"
)

// URIVariable is the environment variable by which ECS tells each container where
// the endpoint is.
const URIVariable = "ECS_CONTAINER_METADATA_URI_V4"

// Every is how often the endpoint is asked: its numbers are not newer.
const Every = 10 * time.Second

// maxAnswer bounds one answer. A task has ten containers at the most, of some
// kilobytes each.
const maxAnswer = 4 << 20

// Source asks a task's metadata endpoint.
type Source struct {
	task, stats string // URLs; empty without an endpoint
	shown       string // the URL without a password, for errors
	node        string
	client      *http.Client
}

// New returns a source for the endpoint at uri, which is absent when it is empty. A
// URI that is none is an error. node is the name that the containers' node has.
func New(uri, node string) (*Source, error) {
	if uri == "" {
		return &Source{}, nil
	}
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("ECS task metadata URI %q: want http://host/v4/ID", uri)
	}
	return &Source{
		task: u.JoinPath("task").String(), stats: u.JoinPath("task", "stats").String(), shown: u.Redacted(), node: node,
		client: &http.Client{
			// No proxy: the address is link-local.
			Transport: &http.Transport{MaxIdleConns: 1, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10},
			// The endpoint does not redirect, and nothing it says is followed.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Fetch asks what the task is and what its containers use.
func (s *Source) Fetch(ctx context.Context) (*Task, string, error) {
	if s.task == "" {
		return nil, "", source.Because(source.Absent, errors.New("this is no ECS task: "+URIVariable+" is not set"))
	}
	task, err := s.get(ctx, s.task)
	if err != nil {
		return nil, "", err
	}
	stats, err := s.get(ctx, s.stats)
	if err != nil {
		return nil, "", err
	}
	t, err := decode(task, stats, s.node)
	if err != nil {
		return nil, "", source.Because(source.Invalid, fmt.Errorf("%s: %w", s.shown, err))
	}
	return t, s.shown, nil
}

// get asks for one answer.
func (s *Source) get(ctx context.Context, from string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
	case code == http.StatusForbidden:
		return nil, source.Because(source.Forbidden, fmt.Errorf("%s answers %s", from, resp.Status))
	case code >= 500, code == http.StatusTooManyRequests:
		return nil, fmt.Errorf("%s answers %s", from, resp.Status)
	default:
		return nil, source.Because(source.Invalid, fmt.Errorf("%s answers %s: this is no ECS task metadata endpoint", from, resp.Status))
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", from, err)
	case len(answer) > maxAnswer:
		return nil, source.Because(source.Invalid, fmt.Errorf("%s answers more than %d MiB", from, maxAnswer>>20))
	}
	return answer, nil
}
