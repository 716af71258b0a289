package registry

import (
	"net/http"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/image"
)

// ask asks for a manifest and returns the answer's status and digest.
func ask(t *testing.T, r *Registry, path string) (status int, digest string) {
	t.Helper()
	response, err := http.Get("http://" + r.Address + "/v2/" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header.Get("Docker-Content-Digest")
}

func TestWhatIsPushedIsServedUntilItIsRefused(t *testing.T) {
	r := Start(t, "127.0.0.1")
	i, err := image.Build(image.Spec{Name: r.Address + "/team/app:1"}, []byte("#!program"))
	if err != nil {
		t.Fatal(err)
	}
	const manifest = "team/app/manifests/1"
	if status, _ := ask(t, r, manifest); status != http.StatusNotFound {
		t.Errorf("before the push it answers %d", status)
	}
	r.Push(t.Context(), i)
	status, digest := ask(t, r, manifest)
	if status != http.StatusOK {
		t.Errorf("after the push it answers %d", status)
	}
	if status, _ := ask(t, r, "team/app/manifests/"+digest); status != http.StatusOK {
		t.Errorf("by its digest it answers %d", status)
	}
	r.Refuse(http.StatusTooManyRequests)
	if status, _ := ask(t, r, manifest); status != http.StatusTooManyRequests {
		t.Errorf("refusing it answers %d", status)
	}
	r.Refuse(0)
	if status, _ := ask(t, r, manifest); status != http.StatusOK {
		t.Errorf("serving again it answers %d", status)
	}
}
