package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
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

// browser is a headless Chromium that tests share, each with tabs and cookies
// of its own.
type browser struct{ ctx context.Context }

// startBrowser starts a Chromium that finds hosts, which are names or patterns,
// at the addresses given with them, and else this machine alone. It trusts the
// keys of the certificates.
func startBrowser(t *testing.T, hosts map[string]string, trusted ...*x509.Certificate) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		lacking(t, "chromium is not on PATH; on Debian: apt-get install chromium fonts-noto-cjk")
	}
	var rules, keys []string
	for host, addr := range hosts {
		rules = append(rules, fmt.Sprintf("MAP %s %s", host, addr))
	}
	slices.SortFunc(rules, func(a, b string) int { return len(b) - len(a) }) // the first that matches counts
	rules = append(rules, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1")
	for _, cert := range trusted {
		key := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
		keys = append(keys, base64.StdEncoding.EncodeToString(key[:]))
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // which root cannot have
		chromedp.DisableGPU,
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", strings.Join(rules, ", ")),
		chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(keys, ",")),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return &browser{ctx}
}

// tab is a tab of a browser, with cookies of its own. A step that fails ends
// the test.
type tab struct {
	t    *testing.T
	ctx  context.Context // which ends when the browser takes too long
	open context.Context
}

// open opens a URL as somebody who reads the languages, such as "zh-TW,zh".
func (b *browser) open(t *testing.T, url, languages string) *tab {
	t.Helper()
	open, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(open); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	ctx, cancel := context.WithTimeout(open, 30*time.Second)
	t.Cleanup(cancel)
	p := &tab{t, ctx, open}
	_, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": languages},
	})
	if err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p.do("open "+url, chromedp.Navigate(url))
	return p
}

func (p *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatalf("browser: %s: %v\n%s", what, err, p.seen())
	}
}

// seen tells what the tab shows, for a test that fails.
func (p *tab) seen() string {
	ctx, cancel := context.WithTimeout(p.open, 2*time.Second)
	defer cancel()
	location, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	return location + "\n" + text
}

// text is what a reader sees.
func (p *tab) text() string {
	p.t.Helper()
	return p.textOf("body")
}

func (p *tab) textOf(selector string) string {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		p.t.Fatalf("browser: read %s: %v\n%s", selector, err, p.seen())
	}
	return text
}

func (p *tab) attribute(selector, name string) string {
	p.t.Helper()
	found, err := chromedp.Run(p.ctx, chromedp.AttributeValue(chromedp.CSS(selector), name))
	if err != nil {
		p.t.Fatalf("browser: read %s of %s: %v\n%s", name, selector, err, p.seen())
	}
	return found.Value
}

// enter types into the only field for a passphrase or code.
func (p *tab) enter(secret string) {
	p.t.Helper()
	field := chromedp.CSS("input[autocomplete]")
	p.do("type the passphrase", chromedp.Clear(field), chromedp.SendKeys(field, secret))
}

// press presses the button that says text, and awaits nothing.
func (p *tab) press(text string) {
	p.t.Helper()
	p.do("press "+text, chromedp.Click(button(text)))
}

// submit presses the button that says text, and awaits the page that comes.
func (p *tab) submit(text string) {
	p.t.Helper()
	if _, err := chromedp.RunResponse(p.ctx, chromedp.Click(button(text))); err != nil {
		p.t.Fatalf("browser: press %s: %v\n%s", text, err, p.seen())
	}
}

// button is an XPath.
func button(text string) string {
	return fmt.Sprintf("//*[self::button or self::a][normalize-space()=%q]", text)
}
