package cluster

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// validity outlasts every test.
const validity = 30 * 24 * time.Hour

// authority signs a cluster's certificates. Its own lies in its directory as ca.crt,
// others as NAME.crt with NAME.key.
type authority struct {
	t           testing.TB
	dir         string
	key         crypto.Signer
	certificate *x509.Certificate
	serial      int64
}

func newAuthority(t testing.TB, dir string) *authority {
	t.Helper()
	a := &authority{t: t, dir: filepath.Join(dir, "pki"), key: newKey(t)}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "loadline-e2e"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	a.certificate = template
	a.certificate = a.sign("ca", template, a.key)
	return a
}

// server issues a certificate for a server's addresses and names.
func (a *authority) server(name string, addresses []net.IP, names ...string) {
	a.t.Helper()
	a.issue(name, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: addresses, DNSNames: names,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// client issues a certificate for a user of some groups.
func (a *authority) client(name, user string, groups ...string) {
	a.t.Helper()
	a.issue(name, &x509.Certificate{
		Subject:  pkix.Name{CommonName: user, Organization: groups},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (a *authority) issue(name string, template *x509.Certificate) {
	a.t.Helper()
	key := newKey(a.t)
	a.sign(name, template, key)
	a.pair(name, key)
}

// pair writes a key as NAME.key and its public half as NAME.pub.
func (a *authority) pair(name string, key crypto.Signer) {
	a.t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".key", "PRIVATE KEY", private)
	a.write(name+".pub", "PUBLIC KEY", public)
}

// sign signs a certificate for a key, and writes it as NAME.crt.
func (a *authority) sign(name string, template *x509.Certificate, key crypto.Signer) *x509.Certificate {
	a.t.Helper()
	a.serial++
	template.SerialNumber = big.NewInt(a.serial)
	template.NotBefore = time.Now().Add(-time.Hour) // tests move clocks
	template.NotAfter = template.NotBefore.Add(validity)
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		a.t.Fatalf("sign the certificate of %s: %v", name, err)
	}
	a.write(name+".crt", "CERTIFICATE", raw)
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate
}

func (a *authority) write(file, kind string, content []byte) {
	a.t.Helper()
	if err := os.WriteFile(a.path(file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// path is where a file of the authority's lies.
func (a *authority) path(file string) string { return filepath.Join(a.dir, file) }

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
