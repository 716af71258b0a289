package watch

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

type runtimeObject = runtime.Object

func want(there bool) error {
	if !there {
		return errors.New("not yet")
	}
	return nil
}

func fakeClient(objects ...runtime.Object) kubernetes.Interface { return fake.NewClientset(objects...) }

func TestEveryBuiltInResourceIsListedByItsOwnName(t *testing.T) {
	w := New(fakeClient(), Options{Logger: slog.New(slog.DiscardHandler)})
	for _, r := range builtIn(fakeClient()) {
		if err := w.Add(r.Name, &book{}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	for _, s := range w.Sources() {
		wait.For(t, 10*time.Second, s.Status().Name+" to be available", func() error { return want(s.Status().Available()) })
	}
}

func TestEveryBuiltInResourceIsOfItsOwnType(t *testing.T) {
	for _, r := range builtIn(fakeClient()) {
		list, err := r.In("default").List(t.Context(), ListOptions{})
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		items := reflect.ValueOf(list).Elem().FieldByName("Items")
		if got, want := reflect.PointerTo(items.Type().Elem()), reflect.TypeOf(r.Object); got != want {
			t.Errorf("%s: a list has %v, want %v", r.Name, got, want)
		}
		if kinds, _, err := scheme.Scheme.ObjectKinds(r.Object); err != nil || len(kinds) == 0 {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}

func TestAChangeOfARealClientsObjectIsTold(t *testing.T) {
	c := fakeClient(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Generation: 7}})
	b := &book{}
	w := New(c, Options{Logger: slog.New(slog.DiscardHandler)})
	if err := w.Add("pods", b); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	wait.For(t, 10*time.Second, "the list", func() error { return want(w.Fresh("pods") && w.Sources()[0].Status().Available()) })
	if _, err := c.CoreV1().Pods("shop").Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db", Generation: 8}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	wait.For(t, 10*time.Second, "the new pod", func() error { return want(b.String() == "[shop/db@8 shop/web@7]") })
}
