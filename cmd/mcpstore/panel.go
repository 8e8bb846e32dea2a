package main

import (
	"io"
	"strings"
	"text/template"

	"github.com/mcpstore/mcpstore/internal/store"
)

// panel is what people see on the terminal once the server is online.
type panel struct {
	Endpoint string // the URL to paste
	Local    bool   // reached from this machine only
	Writes   bool   // clients may change the stock
	Stock    store.Summary
	Database string // where the stock is kept
	Question string // to ask first; "" where there is nothing to ask for
}

// Exposed reports whether anybody on the internet may read somebody's own data.
func (p panel) Exposed() bool { return !p.Local && !p.Stock.Demo && p.Stock.Products > 0 }

// print writes the panel in Traditional Chinese where the user's locale is a
// Chinese one, else in English.
func (p panel) print(w io.Writer, getenv func(string) string) error {
	text := panelEN
	if chineseLocale(getenv) {
		text = panelZH
	}
	return template.Must(template.New("panel").Parse(text)).Execute(w, p)
}

func chineseLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			return strings.HasPrefix(value, "zh")
		}
	}
	return false
}

const panelEN = `
mcpstore is online{{if .Local}} on this machine{{end}}.

  URL       {{.Endpoint}}
  Stock     {{.Stock.Shops}} stores, {{.Stock.Products}} products{{if .Stock.Demo}} (demo data){{end}}
  Database  {{.Database}}
{{- if .Writes}}
  Writes    allowed: clients can change the stock
{{- end}}
{{if .Local}}
  Clients on this machine can use the URL, such as MCP Inspector:
  npx @modelcontextprotocol/inspector
  OpenAI cannot reach it: for that, start mcpstore without --local.
{{else}}
  In OpenAI's Playground (https://platform.openai.com/playground):
    Tools → Add → MCP Server, paste the URL, authentication: none.
  In ChatGPT:
    Plugins → + → Add custom MCP server, paste the URL.
    Older accounts: turn on Settings → Developer mode first.
{{end}}
{{- with .Question}}
  Ask first:  {{.}}
{{end}}
{{- if .Exposed}}
  ! This is your own data, and anyone who has the URL can read it:
    there is no authentication.
{{end}}
  Ctrl-C stops it.

`

const panelZH = `
mcpstore 已{{if .Local}}在這台電腦上啟動{{else}}上線{{end}}。

  網址    {{.Endpoint}}
  庫存    {{.Stock.Shops}} 間門市、{{.Stock.Products}} 項商品{{if .Stock.Demo}}（示範資料）{{end}}
  資料庫  {{.Database}}
{{- if .Writes}}
  寫入    已開放：用戶端可以更改庫存
{{- end}}
{{if .Local}}
  這台電腦上的 MCP 用戶端可以連上這個網址，例如 MCP Inspector：
  npx @modelcontextprotocol/inspector
  OpenAI 連不到這裡：要讓它連線，請不加 --local 重新啟動。
{{else}}
  在 OpenAI Playground（https://platform.openai.com/playground）：
    Tools → Add → MCP Server，貼上網址，驗證方式選 None。
  在 ChatGPT：
    外掛（Plugins）→ + → Add custom MCP server，貼上網址。
    較舊的帳號：請先開啟「設定 → Developer mode」。
{{end}}
{{- with .Question}}
  先問問看：{{.}}
{{end}}
{{- if .Exposed}}
  ! 這是您自己的資料，而任何知道網址的人都讀得到：目前沒有驗證身分。
{{end}}
  按 Ctrl-C 結束。

`
