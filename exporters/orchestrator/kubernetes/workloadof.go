package kubernetes

import "github.com/loadline-exporters/loadline/internal/hierarchy"

// WorkloadOf is what a ReplicaSet, a Job or a HorizontalPodAutoscaler belongs to, of
// which events tell. ok is false while nothing is known of the object.
func (c *Cluster) WorkloadOf(kind, namespace, name string) (w hierarchy.Workload, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	switch k := named(namespace, name); kind {
	case "ReplicaSet":
		if s := c.replicaSets.kept[k]; s != nil {
			return s.place.Value().Workload, true
		}
	case "Job":
		if j := c.jobs.kept[k]; j != nil {
			return j.place.Value().Workload, true
		}
	case "HorizontalPodAutoscaler":
		if a := c.autoscalers.kept[k]; a != nil && a.target.Type != "" {
			return a.target, true
		}
	}
	return hierarchy.Workload{}, false
}
