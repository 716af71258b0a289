// Package quantity parses Kubernetes' quantities as they come from outside.
package quantity

import (
	"fmt"
	"math"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Parse returns a resource.Quantity's amount in its base unit. One with a large
// exponent, which nothing honest writes, is refused: calculating it takes minutes
// ("1e-999999999").
func Parse(text string) (float64, error) {
	if i := strings.LastIndexAny(text, "eE"); len(text) > 64 || i >= 0 && len(text)-i > len("e-12") {
		return 0, fmt.Errorf("%.64q is no quantity", text)
	}
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	v := q.AsApproximateFloat64()
	if math.IsNaN(v) || math.IsInf(v, 0) { // "e700" has an exponent and no digit
		return 0, fmt.Errorf("%q is no quantity", text)
	}
	return v, nil
}
