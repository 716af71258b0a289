package kube

import (
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/randfill"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
)

// reduce is what package watch does with an object: a panic costs the object only.
func reduce(s *Store, o runtime.Object) (kept any) {
	defer func() {
		if recover() != nil {
			kept = nil
		}
	}()
	return s.Reduce(o)
}

// words are what random objects say, besides anything else: what generators know, and
// what is odd.
var words = []string{
	"", "True", "False", "Unknown", "Running", "Pending", "Failed", "Succeeded", "Ready", "Available", "Progressing", "CrashLoopBackOff",
	"OOMKilled", "Evicted", "Deployment", "ReplicaSet", "Job", "*/5 * * * *", "@hourly", "TZ=Nowhere/X 1 2 3 4 5", "Europe/Berlin", "cpu", "memory",
	"nvidia.com/gpu", "hugepages-2Mi", "10.0.0.1", "a\"b\\c\nd", "日本語", "€\u2028", strings.Repeat("x", 3000), "{}", "=,", "app.kubernetes.io/name",
}

// random fills an object with odd things: nil wherever something may be nil.
func random(fill *randfill.Filler, o runtime.Object) (ok bool) {
	defer func() { ok = recover() == nil }() // the library itself gives up on some types
	fill.NilChance(.4).NumElements(0, 3).MaxDepth(12).Funcs(
		func(s *string, c randfill.Continue) {
			if *s = words[c.Intn(len(words))]; c.Intn(4) == 0 {
				*s = c.String(20)
			}
		},
		func(t *metav1.Time, c randfill.Continue) {
			if c.Bool() {
				*t = metav1.NewTime(time.Unix(c.Int63n(1<<33)-1<<31, 0))
			}
		},
		func(t *metav1.MicroTime, c randfill.Continue) {
			*t = metav1.NewMicroTime(time.Unix(c.Int63n(1<<33), 0))
		},
		func(q *quantity.Quantity, c randfill.Continue) {
			*q = quantity.MustParse([]string{"0", "-1", "250m", "1n", "3Gi", "1e30", "9223372036854775807"}[c.Intn(7)])
		},
		func(r *runtime.RawExtension, _ randfill.Continue) { *r = runtime.RawExtension{} },
		func(f *metav1.FieldsV1, _ randfill.Continue) { *f = metav1.FieldsV1{} },
		func(u *types.UID, c randfill.Continue) { *u = types.UID(fmt.Sprint(c.Uint64())) },
	).Fill(o)
	return true
}

func TestTheTextIsKubeStateMetricsOwn(t *testing.T) {
	lists := map[string][]string{"*": {"*"}}
	for _, name := range allResources() {
		t.Run(name, func(t *testing.T) {
			r := testResource(t, name, lists, lists)
			ours, theirs := newStore(r, everyone), newPeer(r)
			agree(t, ours, theirs) // neither has an object
			served := 0
			for seed := range int64(100) {
				o := newObject(name)
				if seed > 0 && !random(randfill.NewWithSeed(seed), o) {
					continue
				}
				setName(t, o, seed)
				kept := reduce(ours, o)
				if kept == nil {
					continue // it makes kube-state-metrics panic
				}
				served++
				ours.Set(keyOf(t, o), kept)
				if err := theirs.Add(o); err != nil {
					t.Fatal(err)
				}
			}
			if served < 20 {
				t.Errorf("%d objects are served", served)
			}
			agree(t, ours, theirs)
		})
	}
}

// setName gives an object a name and a UID of its own.
func setName(t testing.TB, o runtime.Object, i int64) {
	t.Helper()
	m, err := meta.Accessor(o)
	if err != nil {
		t.Fatal(err)
	}
	m.SetName(fmt.Sprintf("%s-%d", strings.ToValidUTF8(m.GetName(), "?"), i))
	m.SetUID(types.UID(fmt.Sprint(i)))
}

func TestChangesAreFollowed(t *testing.T) {
	r := testResource(t, "pods", nil, nil)
	ours, theirs := newStore(r, everyone), newPeer(r)
	all := map[watch.Key]any{}
	for i := range 30 {
		all[keyOf(t, testPod(i))] = ours.Reduce(testPod(i))
	}
	ours.Replace(all)
	for i := range 30 {
		theirs.Add(testPod(i))
	}
	agree(t, ours, theirs)
	for i := range 10 {
		p := testPod(i)
		p.Status.Phase, p.Status.Reason = corev1.PodFailed, "Evicted"
		p.Status.ContainerStatuses = nil
		ours.Set(keyOf(t, p), ours.Reduce(p))
		theirs.Update(p)
	}
	for i := range 5 {
		ours.Delete(keyOf(t, testPod(i+8)), nil)
		theirs.Delete(testPod(i + 8))
	}
	ours.Delete(watch.Key{Name: "unknown"}, nil)
	agree(t, ours, theirs)
	ours.Replace(map[watch.Key]any{})
	theirs.Replace(nil, "")
	agree(t, ours, theirs)
}

func TestAScrapeSeesOneListOrTheOther(t *testing.T) {
	s := newStore(testResource(t, "pods", nil, nil), everyone)
	list := func(n int) map[watch.Key]any {
		all := map[watch.Key]any{}
		for i := range n {
			all[keyOf(t, testPod(i))] = s.Reduce(testPod(i))
		}
		return all
	}
	sizes := map[int]bool{}
	for _, n := range []int{20, 40} {
		s.Replace(list(n))
		sizes[s.view().objects] = true
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		for i := range 50 {
			s.Replace(list(20 + 20*(i%2)))
		}
	})
	for {
		select {
		case <-done:
			wg.Wait()
			return
		default:
		}
		v := s.view()
		if !sizes[v.objects] {
			t.Fatalf("a scrape sees %d pods", v.objects)
		}
		text, n := "", 0
		b, err := v.lines(0)(nil, func(b []byte) ([]byte, error) { return b, nil })
		if text = string(b); err != nil {
			t.Fatal(err)
		}
		if n = strings.Count(text, "\n"); n != v.series[0] {
			t.Fatalf("%d series of %d", n, v.series[0])
		}
	}
}

func TestWhatSeriesShareIsKeptOnce(t *testing.T) {
	s := newStore(testResource(t, "pods", nil, nil), everyone)
	r := s.Reduce(testPod(1)).(record)
	if n := strings.Count(string(r), "namespace=") + strings.Count(string(r), "uid="); n > 4 {
		t.Errorf("the pod's namespace and UID are written %d times:\n%q", n, r)
	}
}

func TestAnEndlessObjectIsLeftOut(t *testing.T) {
	s := newStore(testResource(t, "pods", nil, nil), everyone)
	p := testPod(1)
	p.Spec.NodeName = strings.Repeat("x", maxRecord)
	if reduce(s, p) != nil {
		t.Error("it is kept")
	}
	p.Spec.NodeName = strings.Repeat("x", 1<<17) // ends of four bytes
	s.Set(keyOf(t, p), s.Reduce(p))
	peer := newPeer(testResource(t, "pods", nil, nil))
	peer.Add(p)
	agree(t, s, peer)
}

func TestWhatIsNotUTF8IsReplaced(t *testing.T) {
	s := newStore(testResource(t, "pods", nil, nil), everyone)
	p := testPod(1)
	p.Spec.NodeName = "a\xffb"
	s.Set(keyOf(t, p), s.Reduce(p))
	text, _ := storeText(t, s, family.Text)
	if !strings.Contains(text, `node="a�b"`) || strings.Contains(text, "\xff") {
		t.Error("the text is not UTF-8")
	}
}

// FuzzObjects: whatever an object says, it costs nobody but itself, and what is kept
// is kube-state-metrics' text.
func FuzzObjects(f *testing.F) {
	all := allResources()
	for i := range all {
		data := make([]byte, 2000)
		rand.New(rand.NewSource(int64(i))).Read(data)
		f.Add(uint8(i), data)
	}
	types, made := typesOf(f), map[string]resourceOf{}
	for _, name := range all {
		made[name] = resourceOf{testResource(f, name, nil, nil)}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		name := names(types)[int(which)%len(types)]
		o := newObject(name)
		if !random(randfill.NewFromGoFuzz(data), o) {
			return
		}
		setName(t, o, 1)
		ours, theirs := newStore(made[name].resource, everyone), newPeer(made[name].resource)
		kept := reduce(ours, o)
		if kept == nil {
			return
		}
		ours.Set(keyOf(t, o), kept)
		if err := theirs.Add(o); err != nil {
			t.Fatal(err)
		}
		agree(t, ours, theirs)
	})
}

type resourceOf struct{ resource }
