// Package card is the stock card: what ChatGPT and other hosts of MCP Apps show
// in the chat, beside the model's words, for an answer about stock. It is one
// HTML document that loads nothing, draws the structured content of a tool's
// result, and talks to its host alone, by the UI protocol of 2026-01-26.
//
// The document is card.html with card.css and, one after another, words.js
// (texts, numbers, dates), host.js (the protocol), rows.js (what lists look
// like) and card.js (everything else): begin there. See docs/stock-card.md.
package card

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"sync"
)

// MIMEType is what the document is served as: that of MCP Apps.
const MIMEType = "text/html;profile=mcp-app"

//go:embed card.html
var page string

//go:embed card.css
var style string

//go:embed words.js
var wordsScript string

//go:embed host.js
var hostScript string

//go:embed rows.js
var rowsScript string

//go:embed card.js
var cardScript string

// HTML returns the document.
func HTML() string { return document() }

// URI returns the address of the resource that the document is. It changes with
// the document, since hosts keep what they once got under an address.
func URI() string { return address() }

// Meta returns the resource's _meta: that the document connects to nothing and
// loads nothing, and wants a border.
func Meta() map[string]any {
	return map[string]any{"ui": map[string]any{
		"csp":           map[string]any{"connectDomains": []string{}, "resourceDomains": []string{}},
		"prefersBorder": true,
	}}
}

var document = sync.OnceValue(func() string {
	style := "\n" + unix(style)
	script := "\n" + unix(wordsScript+hostScript+rowsScript+cardScript)
	// Hosts apply a policy of their own too; this one holds wherever they don't.
	policy := "default-src 'none'; script-src " + source(script) + "; style-src " + source(style) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
	return strings.NewReplacer("{{policy}}", policy, "{{style}}", style, "{{script}}", script).Replace(unix(page))
})

var address = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(document()))
	return "ui://mcpstore/stock-card-" + hex.EncodeToString(sum[:4]) + ".html"
})

// source is what a Content-Security-Policy calls an inline style or script.
func source(inline string) string {
	sum := sha256.Sum256([]byte(inline))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// unix has lines end as a browser has them end before it hashes them.
func unix(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
