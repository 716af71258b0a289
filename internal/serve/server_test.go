package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/crypto/bcrypt"
)

// serving serves a handler on a free port; stop orders the server to stop and
// returns how it ended.
func serving(t *testing.T, h http.Handler, configFile string) (address string, stop func() error) {
	t.Helper()
	s := &Server{Handler: h, Logger: slog.New(slog.DiscardHandler), Flags: &web.FlagConfig{
		WebListenAddresses: &[]string{"127.0.0.1:0"}, WebConfigFile: &configFile,
	}}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(cancel)
	return s.Addresses()[0], func() error { cancel(); return <-ended }
}

func get(client *http.Client, url string) (status int, body string, err error) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestARequestInFlightIsFinishedBeforeTheServerStops(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	address, stop := serving(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		fmt.Fprint(w, "whole")
	}), "")
	answer := make(chan string, 1)
	go func() {
		_, body, err := get(http.DefaultClient, "http://"+address)
		answer <- fmt.Sprint(body, err)
	}()
	<-arrived
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	// New connections are refused while the old one is still answered.
	for refused := false; !refused; {
		c, err := net.Dial("tcp", address)
		if refused = err != nil; !refused {
			c.Close()
		}
	}
	close(release)
	if got := <-answer; got != "whole<nil>" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestTooManyRequestsInFlightAreRefused(t *testing.T) {
	arrived, release := make(chan struct{}, maxRequests), make(chan struct{})
	address, _ := serving(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}), "")
	statuses := make(chan int, maxRequests)
	for range maxRequests {
		go func() {
			status, _, _ := get(http.DefaultClient, "http://"+address)
			statuses <- status
		}()
	}
	for range maxRequests {
		<-arrived
	}
	if status, _, err := get(http.DefaultClient, "http://"+address); status != http.StatusServiceUnavailable {
		t.Errorf("one more got %d, %v", status, err)
	}
	close(release)
	for range maxRequests {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("one within the bound got %d", status)
		}
	}
}

func TestTLSAndBasicAuthenticationComeFromTheWebConfiguration(t *testing.T) {
	dir := t.TempDir()
	roots := certificate(t, dir)
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "web.yml")
	text := "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\nbasic_auth_users:\n  prometheus: " + string(hash) + "\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address, _ := serving(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "in") }), config)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	for url, want := range map[string]int{
		"https://prometheus:secret@" + address: http.StatusOK,
		"https://prometheus:wrong@" + address:  http.StatusUnauthorized,
		"https://" + address:                   http.StatusUnauthorized,
		"http://" + address:                    http.StatusBadRequest,
	} {
		if status, _, err := get(client, url); status != want {
			t.Errorf("%s: got %d, %v, want %d", url, status, err, want)
		}
	}
}

// certificate writes a certificate for 127.0.0.1 and its key, and returns what
// trusts it.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, content := range map[string][]byte{
		"cert.pem": cert, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool
}
