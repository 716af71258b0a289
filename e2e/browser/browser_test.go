// Package browser proves `loadline up` in a real browser: the start page of a
// machine with real containers, as people see it.
package browser

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const (
	// limit bounds what is waited for.
	limit = 30 * time.Second
	// soon is within a few scrapes.
	soon = 12 * time.Second
)

// tab is a page that is open in a browser of the test's own.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	console  []string // warnings, errors and exceptions, refused by policy included
	requests []string // addresses
}

// open opens an address in a new browser with an empty profile.
func open(t testing.TB, address string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(need.Program(t, "chromium", "chromium")),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("close the browser: %v", err)
		}
		cancel()
		cancelAllocator()
	})
	b := &tab{t: t, ctx: ctx}
	messages, requests := chromedp.Console(ctx), chromedp.Events(ctx, network.RequestWillBeSent)
	go func() {
		for m, err := range messages {
			if err == nil && m.Type != chromedp.ConsoleLog && m.Type != chromedp.ConsoleInfo && m.Type != chromedp.ConsoleDebug {
				b.note(&b.console, fmt.Sprintf("%s: %s", m.Type, m.Text))
			}
		}
	}()
	go func() {
		for r, err := range requests {
			if err == nil {
				b.note(&b.requests, r.Request.URL)
			}
		}
	}()
	b.view(1500, 900, "light")
	b.do("open "+address, chromedp.Navigate(address))
	return b
}

func (b *tab) note(list *[]string, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*list = append(*list, text)
}

// do runs steps and fails the test when one fails.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// view sets the window's size in CSS pixels and the colour scheme.
func (b *tab) view(width, height int64, scheme string) {
	b.t.Helper()
	var options []chromedp.EmulateViewportOption
	if width < 600 {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2))
	}
	b.do("resize the window", chromedp.EmulateViewport(width, height, options...),
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}))
}

// evaluate returns what a script yields in the page.
func evaluate[T any](b *tab, script string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		err = fmt.Errorf("evaluate %.80q: %w", script, err)
	}
	return v, err
}

// must is evaluate, and fails the test on an error.
func must[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := evaluate[T](b, script)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// until waits until a script yields true.
func (b *tab) until(what, script string) {
	b.t.Helper()
	wait.For(b.t, limit, what, func() error {
		ok, err := evaluate[bool](b, script)
		if err == nil && !ok {
			text, _ := evaluate[string](b, "document.body.innerText")
			err = fmt.Errorf("not yet; the page says: %.2000s", text)
		}
		return err
	})
}

// wantQuiet checks that nothing was written to the console, neither by a script
// nor by the content security policy, and that nobody but the page's own server
// was asked.
func (b *tab) wantQuiet(address string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.console) > 0 {
		b.t.Errorf("the console has:\n%s", strings.Join(b.console, "\n"))
	}
	for _, r := range b.requests {
		if !strings.HasPrefix(r, address) && !strings.HasPrefix(r, "data:") {
			b.t.Errorf("the page asked %s", r)
		}
	}
	if len(b.requests) < 3 {
		b.t.Errorf("the page asked only for %v", b.requests)
	}
}
