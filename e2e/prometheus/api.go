package prometheus

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// limit bounds what is waited for; nothing here takes that long on an idle
// machine.
const limit = 30 * time.Second

// API is a Prometheus that can be asked.
type API struct {
	// Address is its URL, http://127.0.0.1:PORT/.
	Address string
}

// Sample is a series at one time.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Vector asks Prometheus' API for the value of an expression at a time, or now
// when it is zero.
func (p API) Vector(expression string, at time.Time) ([]Sample, error) {
	parameters := url.Values{"query": {expression}}
	if !at.IsZero() {
		parameters.Set("time", at.UTC().Format(time.RFC3339Nano))
	}
	response, err := http.Get(p.Address + "api/v1/query?" + parameters.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("query %s: %w: %.200s", expression, err, body)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("query %s: %s", expression, answer.Error)
	}
	var samples []Sample
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", expression, err)
		}
		samples = append(samples, Sample{r.Metric, value})
	}
	return samples, nil
}

// Query is Vector for an expression that yields one series.
func (p API) Query(expression string, at time.Time) (float64, error) {
	samples, err := p.Vector(expression, at)
	if err != nil {
		return 0, err
	}
	if len(samples) != 1 {
		return 0, fmt.Errorf("query %s: %d series", expression, len(samples))
	}
	return samples[0].Value, nil
}

// Value waits for such an answer.
func (p API) Value(t testing.TB, expression string) float64 {
	t.Helper()
	var v float64
	wait.For(t, limit, expression, func() (err error) {
		v, err = p.Query(expression, time.Time{})
		return err
	})
	return v
}
