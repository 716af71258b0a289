package alertmanager

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Notification is what Alertmanager sends to a webhook.
type Notification struct {
	// Receiver is the receiver's name.
	Receiver string
	// Status is firing or resolved.
	Status string
	Alerts []struct {
		Status string
		Labels Labels
	}
}

// Names are the names of its alerts, in its order.
func (n Notification) Names() []string {
	var names []string
	for _, a := range n.Alerts {
		names = append(names, a.Labels["alertname"])
	}
	return names
}

// Receiver is a webhook that keeps what it is sent. It may be used concurrently.
type Receiver struct {
	// URL is where it listens.
	URL string

	mu   sync.Mutex
	kept []Notification
}

// Receive starts a receiver on loopback, which ends with the test.
func Receive(t testing.TB) *Receiver {
	r := &Receiver{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		var n Notification
		if err := json.NewDecoder(request.Body).Decode(&n); err != nil {
			t.Errorf("what Alertmanager sends is no notification: %v", err)
		}
		n.Receiver = strings.ReplaceAll(n.Receiver, `\`, "") // it comes as a regular expression
		r.mu.Lock()
		defer r.mu.Unlock()
		r.kept = append(r.kept, n)
	}))
	t.Cleanup(s.Close)
	r.URL = s.URL
	return r
}

// Notifications are those that came until now, in their order.
func (r *Receiver) Notifications() []Notification {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Notification(nil), r.kept...)
}

// Webhook is a receiver of Alertmanager's that leads here, in jsonnet.
func (r *Receiver) Webhook() string {
	return fmt.Sprintf("{ webhook_configs: [{ url: '%s' }] }", r.URL)
}
