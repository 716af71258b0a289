package jobs

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// apiServer lists and watches Jobs as far as a metadata client asks for it.
type apiServer struct {
	t       *testing.T
	address string
	server  *http.Server

	mu      sync.Mutex
	streams bool // it streams lists, as since Kubernetes 1.32
	hangs   bool // it takes requests and does not answer
	refuses int  // status code of every answer; 0 answers
	closes  bool // each watch ends as soon as it has begun
	jobs    []metav1.PartialObjectMetadata
	events  []event // since the beginning; a watch begins after those it knows
	lists   int
	watches int
	changed chan struct{} // closed and made anew when something changed
}

type event struct {
	Type   string `json:"type"`
	Object any    `json:"object"`
}

// startAPIServer lets the test run beside others: client-go waits about a second
// before it tries again.
func startAPIServer(t *testing.T) *apiServer {
	t.Helper()
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &apiServer{t: t, address: l.Addr().String(), changed: make(chan struct{})}
	a.serve(l)
	t.Cleanup(func() { a.server.Close() })
	return a
}

func (a *apiServer) serve(l net.Listener) {
	a.server = &http.Server{Handler: a, ErrorLog: log.New(io.Discard, "", 0)}
	go func(s *http.Server) { _ = s.Serve(l) }(a.server)
}

// stop ends the server and all its connections, until start.
func (a *apiServer) stop() {
	if err := a.server.Close(); err != nil {
		a.t.Fatal(err)
	}
}

func (a *apiServer) start() {
	l, err := net.Listen("tcp", a.address)
	if err != nil {
		a.t.Fatal(err)
	}
	a.serve(l)
}

// set changes the server and lets every watch see it.
func (a *apiServer) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
	close(a.changed)
	a.changed = make(chan struct{})
}

// job returns a Job as the API server shows its metadata; owner may be empty.
func job(name, ownerKind, owner string) metav1.PartialObjectMetadata {
	m := metav1.PartialObjectMetadata{
		TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "batch", Name: name, UID: "uid", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"},
			Finalizers: []string{"e/f"}, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "g"}},
		},
	}
	if owner != "" {
		controller := true
		m.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: ownerKind, Name: owner, UID: "x", Controller: &controller}}
	}
	return m
}

func (a *apiServer) add(jobs ...metav1.PartialObjectMetadata) {
	a.set(func() {
		for _, j := range jobs {
			j.ResourceVersion = strconv.Itoa(len(a.events) + 2)
			a.jobs = append(a.jobs, j)
			a.events = append(a.events, event{"ADDED", j})
		}
	})
}

func (a *apiServer) remove(name string) {
	a.set(func() {
		i := slices.IndexFunc(a.jobs, func(j metav1.PartialObjectMetadata) bool { return j.Name == name })
		gone := a.jobs[i]
		gone.ResourceVersion = strconv.Itoa(len(a.events) + 2)
		a.jobs = slices.Delete(a.jobs, i, i+1)
		a.events = append(a.events, event{"DELETED", gone})
	})
}

// expire ends all watches because their history is gone.
func (a *apiServer) expire() {
	a.set(func() {
		a.events = append(a.events, event{"ERROR", failure(http.StatusGone, metav1.StatusReasonExpired)})
	})
}

func failure(code int, reason metav1.StatusReason) metav1.Status {
	return metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: string(reason),
	}
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	hangs, refuses, streams := a.hangs, a.refuses, a.streams
	a.mu.Unlock()
	q := r.URL.Query()
	initial := q.Get("sendInitialEvents") == "true"
	switch {
	case hangs:
		<-r.Context().Done()
	case refuses != 0:
		answer(w, refuses, failure(refuses, map[int]metav1.StatusReason{403: metav1.StatusReasonForbidden, 401: metav1.StatusReasonUnauthorized}[refuses]))
	case r.URL.Path != "/apis/batch/v1/jobs":
		answer(w, http.StatusNotFound, failure(http.StatusNotFound, metav1.StatusReasonNotFound))
	case initial && !streams:
		answer(w, http.StatusUnprocessableEntity, failure(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid))
	case q.Get("watch") != "":
		a.watch(w, r, initial)
	default:
		a.list(w)
	}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func (a *apiServer) list(w http.ResponseWriter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lists++
	answer(w, http.StatusOK, metav1.PartialObjectMetadataList{
		TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"},
		ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(len(a.events) + 1)}, Items: a.jobs,
	})
}

func (a *apiServer) watch(w http.ResponseWriter, r *http.Request, initial bool) {
	w.Header().Set("Content-Type", "application/json")
	encode := json.NewEncoder(w)
	a.mu.Lock()
	a.watches++
	sent, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	sent-- // a resource version is one more than the number of events
	if initial {
		for _, j := range a.jobs {
			_ = encode.Encode(event{"ADDED", j})
		}
		sent = len(a.events)
		end := job("", "", "")
		end.ObjectMeta = metav1.ObjectMeta{
			ResourceVersion: strconv.Itoa(sent + 1), Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"},
		}
		_ = encode.Encode(event{"BOOKMARK", end})
	}
	for {
		for ; sent < len(a.events); sent++ {
			_ = encode.Encode(a.events[sent])
		}
		changed, closes := a.changed, a.closes
		a.mu.Unlock()
		_ = http.NewResponseController(w).Flush()
		if closes {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
		a.mu.Lock()
	}
}

// kubeconfig writes one that names the server.
func (a *apiServer) kubeconfig() string {
	file := filepath.Join(a.t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","clusters":[{"name":"c","cluster":{"server":"http://%s"}}],`+
		`"contexts":[{"name":"x","context":{"cluster":"c"}}],"current-context":"x"}`, a.address)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}
