package watch

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/internal/source"
)

// replace tells the sinks of a part's list. With several parts each remembers what is
// kept, so that sinks are told of all of it.
func (r *resource) replace(p *part, objects []*reduced) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.parts) == 1 {
		r.tellAll(len(objects), func(add func(*reduced)) {
			for _, o := range objects {
				add(o)
			}
		})
		return
	}
	p.objects = make(map[Key]*reduced, len(objects))
	for _, o := range objects {
		p.objects[o.key] = o
	}
	r.tellParts()
}

// tellParts tells the sinks of what all parts remember.
func (r *resource) tellParts() {
	n := 0
	for _, p := range r.parts {
		n += len(p.objects)
	}
	r.tellAll(n, func(add func(*reduced)) {
		for _, p := range r.parts {
			for _, o := range p.objects {
				add(o)
			}
		}
	})
}

// tellAll tells each sink of n objects, those that each goes through.
func (r *resource) tellAll(n int, each func(add func(*reduced))) {
	for i, s := range r.sinks {
		all := make(map[Key]any, n)
		each(func(o *reduced) {
			if o.kept[i] != nil {
				all[o.key] = o.kept[i]
			}
		})
		r.guard(i, Key{}, func() { s.Replace(all) })
	}
}

// set tells the sinks of an object that was added or has changed.
func (r *resource) set(p *part, obj runtime.Object) {
	r.events.Add(1)
	o, kept := r.reduce(obj)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.parts) > 1 {
		delete(p.objects, o.key)
		if kept && p.objects != nil {
			p.objects[o.key] = o
		}
	}
	for i, this := range o.kept {
		if this == nil {
			r.guard(i, o.key, func() { r.sinks[i].Delete(o.key, nil) })
		} else {
			r.guard(i, o.key, func() { r.sinks[i].Set(o.key, this) })
		}
	}
}

// remove tells the sinks of an object that has gone.
func (r *resource) remove(p *part, obj runtime.Object) {
	r.events.Add(1)
	o, _ := r.reduce(obj)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(p.objects, o.key)
	for i, this := range o.kept {
		r.guard(i, o.key, func() { r.sinks[i].Delete(o.key, this) })
	}
}

// dropStale takes from the sinks what parts without contact have told, while others go
// on: such a namespace's rights may have been taken away. It is listed anew once there
// is contact.
func (r *resource) dropStale(ctx context.Context) {
	tick := time.NewTicker(staleCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			r.mu.Lock()
			dropped := false
			for _, p := range r.parts {
				if p.objects != nil && p.empty(now) {
					p.objects, dropped = nil, true
				}
			}
			if dropped {
				r.tellParts()
			}
			r.mu.Unlock()
		}
	}
}

// report says in the source how the last requests of all parts ended.
func (r *resource) report() {
	r.reporting.Lock()
	defer r.reporting.Unlock()
	var failed error
	for _, p := range r.parts {
		asked, err := p.answer()
		if err != nil {
			failed = err
			break
		}
		if !asked {
			return
		}
	}
	if !r.source.Report(failed, "") {
		return
	}
	if failed != nil {
		r.logger.Info("source is not available", "from", r.Name, "reason", r.source.Status().Reason, "err", failed)
	} else {
		r.logger.Info("source is available", "from", r.Name)
	}
}

// Because gives an API server's refusal its reason.
func Because(err error) error {
	var known *source.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return source.Because(source.Forbidden, err)
	case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
		return source.Because(source.Absent, err)
	case apierrors.IsTimeout(err), apierrors.IsServerTimeout(err):
		return source.Because(source.Timeout, err)
	case runtime.IsNotRegisteredError(err), runtime.IsMissingKind(err), runtime.IsMissingVersion(err), runtime.IsStrictDecodingError(err):
		return source.Because(source.Invalid, err)
	}
	return err
}
