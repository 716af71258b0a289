package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// Update changes a service's specification, and does not wait for what follows.
func (s *Service) Update(ctx context.Context, change func(*swarm.ServiceSpec)) error {
	// Swarm itself changes a service while it is updated: then its version is
	// another one.
	err := wait.Until(ctx, func() error {
		is, err := s.docker.Client.ServiceInspect(ctx, s.ID, client.ServiceInspectOptions{})
		if err != nil {
			return err
		}
		change(&is.Service.Spec)
		_, err = s.docker.Client.ServiceUpdate(ctx, s.ID, client.ServiceUpdateOptions{Version: is.Service.Version, Spec: is.Service.Spec})
		return err
	})
	if err != nil {
		return fmt.Errorf("update service %s: %w", s.Name, err)
	}
	return nil
}

// Scale changes how many tasks a replicated service has.
func (s *Service) Scale(ctx context.Context, replicas uint64) error {
	return s.Update(ctx, func(spec *swarm.ServiceSpec) { spec.Mode.Replicated.Replicas = &replicas })
}

// Remove removes the service, and does not wait for its tasks.
func (s *Service) Remove(ctx context.Context) error {
	if _, err := s.docker.Client.ServiceRemove(ctx, s.ID, client.ServiceRemoveOptions{}); err != nil {
		return fmt.Errorf("remove service %s: %w", s.Name, err)
	}
	return nil
}

// SetAvailability says what the Swarm's only node is to take.
func (d *Docker) SetAvailability(ctx context.Context, a swarm.NodeAvailability) error {
	err := wait.Until(ctx, func() error {
		is, err := d.Client.NodeInspect(ctx, d.NodeID, client.NodeInspectOptions{})
		if err != nil {
			return err
		}
		is.Node.Spec.Availability = a
		_, err = d.Client.NodeUpdate(ctx, d.NodeID, client.NodeUpdateOptions{Version: is.Node.Version, Spec: is.Node.Spec})
		return err
	})
	if err != nil {
		return fmt.Errorf("make the node %s: %w", a, err)
	}
	return nil
}
