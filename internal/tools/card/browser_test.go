package card_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// lacking skips a test that wants what is not installed. Under CI, where
// everything is, it fails instead.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// quit ends what the tests share, once it is there.
var quit []func()

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range quit {
		end()
	}
	os.Exit(code)
}

// browser starts the headless Chromium that all tests share. It finds nothing
// but this machine.
var browser = sync.OnceValues(func() (context.Context, error) {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, nil
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // which root cannot have
		chromedp.DisableGPU,
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		// The card then is in its host's process, where one session reaches
		// both. Its sandbox and its policy hold all the same.
		chromedp.Flag("disable-features", "Translate,IsolateSandboxedIframes"),
		chromedp.Flag("hide-scrollbars", true),
	)...)
	ctx, cancel := chromedp.NewContext(alloc)
	quit = append(quit, cancel, cancelAlloc)
	return ctx, chromedp.Do(ctx)
})

// clients is the folder that has the packages of others.
func clients(t *testing.T) string {
	t.Helper()
	home := os.Getenv("MCPSTORE_TEST_CLIENTS")
	if home == "" {
		lacking(t, "the packages for Node.js are not installed: export MCPSTORE_TEST_CLIENTS=$(.ci/clients)")
	}
	return filepath.Join(home, "node_modules")
}

// tab is a tab of the browser that shows a host with a card in it. A step that
// fails ends the test.
type tab struct {
	t    *testing.T
	open context.Context        // as long as the tab is
	ctx  context.Context        // which ends when a question takes too long
	doc  runtime.RemoteObjectID // the card's document
}

func newTab(t *testing.T) *tab {
	t.Helper()
	shared, err := browser()
	if err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	if shared == nil {
		lacking(t, "chromium is not on PATH; on Debian: apt-get install chromium fonts-noto-cjk")
	}
	ctx, cancel := chromedp.NewContext(shared)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	b := &tab{t: t, open: ctx, ctx: ctx}
	order(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.violations = [];
		addEventListener("securitypolicyviolation", (e) => violations.push(e.effectiveDirective));`})
	return b
}

func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("browser: %s: %v", what, err)
	}
}

// inHost evaluates an expression in the host.
func (b *tab) inHost(js string, args ...any) json.RawMessage {
	b.t.Helper()
	object := order(b, runtime.Evaluate, runtime.EvaluateParams{Expression: "window"}).Result
	return b.evaluate(object.ObjectID, js, args...)
}

// inCard evaluates an expression in the card.
func (b *tab) inCard(js string, args ...any) json.RawMessage {
	b.t.Helper()
	return b.evaluate(b.doc, js, args...)
}

// evaluate evaluates an expression where an object lives. It may await, and
// knows the first two arguments as a and b.
func (b *tab) evaluate(where runtime.RemoteObjectID, js string, args ...any) json.RawMessage {
	b.t.Helper()
	given, err := json.Marshal(append([]any{}, args...))
	if err != nil {
		b.t.Fatal(err)
	}
	r := order(b, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: fmt.Sprintf("async function () {\nconst [a, b] = %s;\nreturn (%s);\n}", given, js),
		ObjectID:            where, ReturnByValue: new(true), AwaitPromise: new(true), UserGesture: new(true),
	})
	if r.ExceptionDetails != nil {
		b.t.Fatalf("browser: %s: %s", js, r.ExceptionDetails.Exception.Description)
	}
	return json.RawMessage(r.Result.Value)
}

// await waits until an expression holds in the card.
func (b *tab) await(js string, args ...any) {
	b.t.Helper()
	ctx := b.ctx
	defer func() { b.ctx = ctx }()
	var cancel func()
	b.ctx, cancel = context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	defer func() {
		if b.ctx.Err() != nil {
			b.ctx = ctx
			b.t.Errorf("the card shows:\n%s", b.text("main"))
		}
	}()
	b.inCard(`await new Promise((done) => { (function look() { (`+js+`) ? done() : setTimeout(look, 10); })(); })`, args...)
}

// resolve finds the card's document, once its frame has loaded.
func (b *tab) resolve() {
	b.t.Helper()
	frame := order(b, runtime.Evaluate, runtime.EvaluateParams{Expression: "host.frame"}).Result
	node := order(b, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: frame.ObjectID, Pierce: new(true)}).Node
	if node.ContentDocument == nil {
		b.t.Fatal("browser: the card has no document")
	}
	b.doc = order(b, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node.ContentDocument.BackendNodeID}).Object.ObjectID
}

// text is what a reader sees of an element of the card.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return decode[string](b, b.inCard(`document.querySelector(a)?.innerText ?? ""`, selector))
}

func decode[T any](b *tab, raw json.RawMessage) T {
	b.t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		b.t.Fatalf("browser: %s: %v", raw, err)
	}
	return v
}
