package main

import (
	"io"
	"strings"
	"text/template"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
)

// panel is what people see on the terminal once the server is online.
type panel struct {
	Endpoint   string // the URL to paste
	Local      bool   // there is no tunnel
	Network    bool   // it is Local, and other machines of the network reach it
	Writes     bool   // clients may change the stock
	Auth       access.Mode
	Open       bool   // anyone who reaches it can read
	Issuer     string // who vouches for callers, with --auth oidc
	Passphrase bool   // there is one, with which the owner lets clients in
	Stock      store.Summary
	Database   string // where the stock is kept
	Question   string // to ask first; "" where there is nothing to ask for

	ToolsChanged bool // since the internet was offered them last
}

// Exposed reports whether anybody on the internet may read somebody's own data.
func (p panel) Exposed() bool { return !p.Local && p.Open && !p.Stock.Demo && p.Stock.Products > 0 }

// print writes the panel in Traditional Chinese where the user's locale is a
// Chinese one, else in English.
func (p panel) print(w io.Writer, getenv func(string) string) error {
	text := panelEN
	if chineseLocale(getenv) {
		text = panelZH
	}
	return template.Must(template.New("panel").Parse(text)).Execute(w, p)
}

// say picks one of two texts, in the user's language.
func (e *env) say(zh, en string) string {
	if chineseLocale(e.getenv) {
		return zh
	}
	return en
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
{{- if eq .Auth "token"}}
  Access    with a token{{if .Open}}; reading without one, too{{end}}
{{- else if eq .Auth "oauth"}}
  Access    whom you let in, {{if .Passphrase}}by your passphrase{{else}}by a one-time code that is shown here{{end}}{{if .Open}}; reading is open to anyone{{end}}
{{- else if eq .Auth "oidc"}}
  Access    whom {{.Issuer}} vouches for{{if .Open}}; reading is open to anyone{{end}}
{{- end}}
{{- if .Writes}}
  Writes    allowed: {{if eq .Auth "none" ""}}clients{{else}}who has the scope stock:write{{end}} can change the stock
{{- end}}
{{if .Local}}
  Clients on this machine can use the URL, such as MCP Inspector:
  npx @modelcontextprotocol/inspector
  OpenAI cannot reach it: for that, start mcpstore without --local.
{{else}}
  In another terminal, mcpstore connect says what to paste where, and
  mcpstore ask puts a question to OpenAI.

  In OpenAI's Playground (https://platform.openai.com/playground):
    Tools → Add → MCP Server, paste the URL, authentication:
    {{- if eq .Auth "none" ""}} none.
    {{- else if eq .Auth "oidc"}} access token.
    {{- else}} access token,
    from: mcpstore access token create --name playground
    {{- end}}
{{- if eq .Auth "token"}}
  ChatGPT cannot send a token: start mcpstore with --auth oauth for it.
{{- else}}
  In ChatGPT:
    Plugins → + → Add custom MCP server, paste the URL
    {{- if eq .Auth "oauth"}}, authentication: OAuth.
    A page opens: {{if .Passphrase}}type your passphrase{{else}}type the code that is then shown here{{end}}.
    {{- else if eq .Auth "oidc"}}, authentication: OAuth.
    {{- else}}.
    {{- end}}
    Older accounts: turn on Settings → Developer mode first.
{{- end}}
{{end}}
{{- with .Question}}
  Ask first:  {{.}}
{{end}}
{{- if .ToolsChanged}}
  ! The tools are others than at the last run, and ChatGPT keeps the old list:
    press Refresh in the plugin's settings there.
{{end}}
{{- if .Network}}
  ! Other machines on the network can {{if .Open}}read this stock{{else}}reach this server{{end}}, by the address
    of this machine, or by a name that --allow-host gives.
{{end}}
{{- if .Exposed}}
  ! This is your own data, and anyone who has the URL can read it.
    To be asked first: mcpstore --auth oauth
{{end}}
  Ctrl-C stops it.

`

const panelZH = `
mcpstore 已{{if .Local}}在這台電腦上啟動{{else}}上線{{end}}。

  網址    {{.Endpoint}}
  庫存    {{.Stock.Shops}} 間門市、{{.Stock.Products}} 項商品{{if .Stock.Demo}}（示範資料）{{end}}
  資料庫  {{.Database}}
{{- if eq .Auth "token"}}
  存取    需要權杖{{if .Open}}；查詢則不用{{end}}
{{- else if eq .Auth "oauth"}}
  存取    由您核准：{{if .Passphrase}}輸入您的通行碼{{else}}輸入屆時顯示在這裡的一次性代碼{{end}}{{if .Open}}；任何人不必登入就能查詢{{end}}
{{- else if eq .Auth "oidc"}}
  存取    由 {{.Issuer}} 驗證身分{{if .Open}}；任何人不必登入就能查詢{{end}}
{{- end}}
{{- if .Writes}}
  寫入    已開放：{{if eq .Auth "none" ""}}用戶端{{else}}有 stock:write 權限的{{end}}可以更改庫存
{{- end}}
{{if .Local}}
  這台電腦上的 MCP 用戶端可以連上這個網址，例如 MCP Inspector：
  npx @modelcontextprotocol/inspector
  OpenAI 連不到這裡：要讓它連線，請不加 --local 重新啟動。
{{else}}
  在另一個終端機：mcpstore connect 會列出各處要貼上的內容，
  mcpstore ask 可以直接向 OpenAI 提問。

  在 OpenAI Playground（https://platform.openai.com/playground）：
    Tools → Add → MCP Server，貼上網址，驗證方式選
    {{- if eq .Auth "none" ""}} None。
    {{- else if eq .Auth "oidc"}} Access token。
    {{- else}} Access token，
    權杖這樣取得：mcpstore access token create --name playground
    {{- end}}
{{- if eq .Auth "token"}}
  ChatGPT 不能送出權杖：要給 ChatGPT 用，請以 --auth oauth 啟動 mcpstore。
{{- else}}
  在 ChatGPT：
    外掛（Plugins）→ + → Add custom MCP server，貼上網址
    {{- if eq .Auth "oauth"}}，驗證方式選 OAuth。
    接著會開啟一個網頁：請輸入{{if .Passphrase}}您的通行碼{{else}}屆時顯示在這裡的代碼{{end}}。
    {{- else if eq .Auth "oidc"}}，驗證方式選 OAuth。
    {{- else}}。
    {{- end}}
    較舊的帳號：請先開啟「設定 → Developer mode」。
{{- end}}
{{end}}
{{- with .Question}}
  先問問看：{{.}}
{{end}}
{{- if .ToolsChanged}}
  ! 工具和上次啟動時不同，而 ChatGPT 會沿用舊的清單：
    請在 ChatGPT 的外掛設定裡按「重新整理（Refresh）」。
{{end}}
{{- if .Network}}
  ! 同一個網路上的其他電腦也{{if .Open}}讀得到這些庫存{{else}}連得到這台伺服器{{end}}：
    透過這台電腦的 IP 位址，或 --allow-host 指定的名稱。
{{end}}
{{- if .Exposed}}
  ! 這是您自己的資料，而任何知道網址的人都讀得到。
    要由您核准才能讀取，請執行：mcpstore --auth oauth
{{end}}
  按 Ctrl-C 結束。

`
