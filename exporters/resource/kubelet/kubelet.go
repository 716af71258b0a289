// Package kubelet asks the node's kubelet which pods run here, what they ask for
// and what controls them.
//
// It needs access to the kubelet's /pods, which fine-grained authorization
// (KEP-2862) grants as nodes/pods: never nodes/proxy, by which one could run
// commands in every pod.
package kubelet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
	"github.com/loadline-exporters/loadline/internal/source"
)

// Defaults of Options.
const (
	DefaultURL       = "https://127.0.0.1:10250"
	DefaultTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	DefaultCAFile    = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
)

// maxAnswer bounds the answer. A node's 110 pods take about 2 MB.
const maxAnswer = 32 << 20

// maxToken bounds a token's file.
const maxToken = 64 << 10

// Options say where the kubelet is and how to speak to it.
type Options struct {
	URL       string // https://host:port, or http:// for a read-only port
	TokenFile string // a bearer token for https, read again for each request: they are rotated
	CAFile    string // what signed the kubelet's certificate; missing: the system's authorities
	Insecure  bool   // don't check the kubelet's certificate
}

// Source asks one kubelet.
type Source struct {
	url       string
	shown     string // the URL without a password, for errors
	tokenFile string
	client    *http.Client
	jobs      hierarchy.CronJobs
}

// New returns a source. A URL that is none, or an authority's file that holds no
// certificate, is an error; files that are not there are not. jobs may be nil.
func New(o Options, jobs hierarchy.CronJobs) (*Source, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("kubelet URL %q: want https://host:port", o.URL)
	}
	roots, err := authorities(o.CAFile)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" {
		// A read-only port asks for no token, and would be sent it in the clear.
		o.TokenFile = ""
	}
	u = u.JoinPath("pods")
	return &Source{
		url: u.String(), shown: u.Redacted(), tokenFile: o.TokenFile, jobs: jobs,
		client: &http.Client{
			Transport: &http.Transport{
				TLSClientConfig:        &tls.Config{RootCAs: roots, InsecureSkipVerify: o.Insecure, MinVersion: tls.VersionTLS12},
				MaxIdleConns:           1,
				IdleConnTimeout:        90 * time.Second,
				TLSHandshakeTimeout:    5 * time.Second,
				MaxResponseHeaderBytes: 64 << 10,
			},
			// A kubelet does not redirect; a token must not follow one.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || file == "" {
		return nil, nil // the system's
	}
	if err != nil {
		return nil, fmt.Errorf("kubelet's certificate authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("kubelet's certificate authority: %s holds no PEM certificate", file)
	}
	return pool, nil
}

// Fetch lists the node's pods.
func (s *Source) Fetch(ctx context.Context) ([]container.Pod, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	token, err := s.token()
	if err != nil {
		return nil, "", err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, "", because(err)
	}
	defer resp.Body.Close()
	if err := s.check(resp, token != ""); err != nil {
		return nil, "", err
	}
	body := &io.LimitedReader{R: resp.Body, N: maxAnswer + 1}
	pods, err := decode(body, s.jobs)
	switch {
	case body.N == 0:
		return nil, "", source.Because(source.Invalid, fmt.Errorf("%s answers more than %d MiB", s.shown, maxAnswer>>20))
	case err != nil && ctx.Err() != nil:
		return nil, "", fmt.Errorf("reading %s: %w", s.shown, ctx.Err())
	case err != nil:
		return nil, "", source.Because(source.Invalid, fmt.Errorf("reading %s: %w", s.shown, err))
	}
	// A connection is used again only when the answer was read to its end.
	_, _ = io.CopyN(io.Discard, resp.Body, 1024)
	return pods, s.shown, nil
}

// token reads the token anew. Without a file the request goes without one: a
// read-only port asks for none.
func (s *Source) token() (string, error) {
	if s.tokenFile == "" {
		return "", nil
	}
	f, err := os.Open(s.tokenFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("kubelet's bearer token: %w", err)
	}
	defer f.Close()
	token, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("kubelet's bearer token: %w", err)
	}
	token = bytes.TrimSpace(token)
	for _, c := range token {
		if c <= ' ' || c > '~' {
			// What the file holds is not repeated: it may be a secret.
			return "", source.Because(source.Invalid, fmt.Errorf("kubelet's bearer token: %s holds no token", s.tokenFile))
		}
	}
	return string(token), nil
}

func (s *Source) check(resp *http.Response, withToken bool) error {
	err := fmt.Errorf("%s answers %s", s.shown, resp.Status)
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		hint := "its token needs the right to get nodes/pods"
		if !withToken {
			hint = "no bearer token was found (--kubelet-token-file)"
		}
		return source.Because(source.Forbidden, fmt.Errorf("%w: %s", err, hint))
	case code >= 500, code == http.StatusTooManyRequests:
		return err
	}
	return source.Because(source.Invalid, fmt.Errorf("%w: this is no kubelet (--kubelet-url)", err))
}

// because finds the reason in what the HTTP client's errors hide.
func because(err error) error {
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return source.Because(source.Forbidden, fmt.Errorf("%w (--kubelet-ca-file, or --kubelet-insecure-skip-verify)", err))
	}
	return err
}
