package openai

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io"
	"slices"
	"strings"
	"text/template"
)

// Connection is what a client must be told of an MCP server.
type Connection struct {
	URL         string // of the MCP endpoint, such as "https://name.ngrok-free.dev/mcp"
	Auth        string // "none", "token", "oauth" or "oidc"; if "", none
	PublicReads bool   // reading needs no token
	Writes      bool   // it offers tools that change the stock
	Local       bool   // it is reached from this machine or network alone
	Passphrase  bool   // its owner lets clients in with a passphrase, not a one-time code
	Database    string // for commands that are to be typed; if "", the default
	Elsewhere   bool   // such commands are for another machine

	Model    string // if "", [DefaultModel]
	Question string // one that the stock can answer; if "", one that the demo data can
}

// Target is where a server is used from.
type Target string

// The targets.
const (
	Playground   Target = "playground"
	ResponsesAPI Target = "responses"
	AgentsSDK    Target = "agents"
	ChatGPT      Target = "chatgpt"
	Inspector    Target = "inspector"
)

// Targets are all targets, in the order in which [Connect] writes of them.
var Targets = []Target{Playground, ResponsesAPI, AgentsSDK, ChatGPT, Inspector}

// Reaches reports whether a target can reach a server that is on this machine
// alone.
func (t Target) Reaches() bool { return t == AgentsSDK || t == Inspector }

// SDKs are those that there is code of for a target, in the order in which
// [Connect] writes of them.
func (t Target) SDKs() []SDK {
	switch t {
	case ResponsesAPI:
		return []SDK{Curl, Python, TypeScript, Go}
	case AgentsSDK:
		return []SDK{TypeScript, Python}
	}
	return nil
}

// SDK is what code is written for.
type SDK string

// The SDKs.
const (
	Curl       SDK = "curl"
	Python     SDK = "python"
	TypeScript SDK = "typescript"
	Go         SDK = "go"
)

// ErrLocal is why OpenAI cannot be connected to a server.
var ErrLocal = errors.New("OpenAI cannot reach it from the internet")

// defaultQuestion is one that the demo data can answer.
const defaultQuestion = "KOKO便利店的茶葉蛋還有幾個"

// Connect writes what to paste where so that t uses c: Markdown that also reads
// well on a terminal, in Traditional Chinese if lang is "zh-TW" and else in
// English. If t is "", that is every target which can reach it; if sdk is "",
// every SDK of each. If sdk is given, Connect writes the code and nothing else.
//
// No secret is ever in it: the code takes the token from MCPSTORE_TOKEN, and
// OpenAI's key from OPENAI_API_KEY.
func Connect(w io.Writer, c Connection, t Target, sdk SDK, lang string) error {
	switch {
	case t != "" && !slices.Contains(Targets, t):
		return fmt.Errorf("connect: there is no target %q, only %s", t, List(Targets))
	case sdk != "" && !slices.Contains(t.SDKs(), sdk):
		return fmt.Errorf("connect: %q has no code for %q", t, sdk)
	case t != "" && c.Local && !t.Reaches():
		return fmt.Errorf("connect %s to %q: %w", t, c.URL, ErrLocal)
	}
	g := newGuide(c, t, lang)
	var out bytes.Buffer
	switch {
	case sdk != "":
		code, err := g.Code(sdk)
		if err != nil {
			return err
		}
		out.WriteString(code + "\n")
	case t != "":
		if err := g.section(&out, t); err != nil {
			return err
		}
	default:
		if err := g.all(&out); err != nil {
			return err
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// List names values, with commas.
func List[T ~string](values []T) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return strings.Join(names, ", ")
}

// guide is what the templates in connect/ are filled with.
type guide struct {
	Connection
	Target Target // the one that is being written of
	Label  string
	ZH     bool
}

func newGuide(c Connection, t Target, lang string) guide {
	if c.Auth == "" {
		c.Auth = "none"
	}
	if c.Model == "" {
		c.Model = DefaultModel
	}
	if c.Question == "" {
		c.Question = defaultQuestion
	}
	return guide{Connection: c, Target: t, Label: Label, ZH: strings.HasPrefix(lang, "zh")}
}

// MayChange reports whether the target is let change the stock. The Agents SDK
// is not where it calls the tools itself, for it would do so without asking.
func (g guide) MayChange() bool { return g.Writes && !(g.Target == AgentsSDK && g.Local) }

// Token reports whether a token must be sent.
func (g guide) Token() bool { return g.Auth != "none" && (g.MayChange() || !g.PublicReads) }

// CreateToken is the command that makes the token.
func (g guide) CreateToken() string {
	scope := "stock:read"
	if g.MayChange() {
		scope += ",stock:write"
	}
	command := fmt.Sprintf("mcpstore access token create --name %s --scope %s", g.Target, scope)
	if g.Database != "" {
		command += " --db " + shellQuote(g.Database)
	}
	return command
}

//go:embed connect/*.tmpl
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"json":   jsonQuote,
	"shjson": jsonInShellQuote,
	"python": pythonQuote,
	"go":     goQuote,
	"shell":  shellQuote,
	"plain":  plain,
}).ParseFS(files, "connect/*.tmpl"))

// codeFiles are the extensions of the files with code.
var codeFiles = map[SDK]string{Curl: "sh", Python: "py", TypeScript: "mts", Go: "go"}

// Code is the code for the target that is being written of.
func (g guide) Code(sdk SDK) (string, error) {
	name := string(g.Target)
	if g.Target == AgentsSDK && g.Local {
		name += "_local"
	}
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name+"."+codeFiles[sdk]+".tmpl", g); err != nil {
		return "", err
	}
	code := out.Bytes()
	if sdk == Go {
		var err error
		if code, err = format.Source(code); err != nil {
			return "", fmt.Errorf("format the code for Go: %w", err)
		}
	}
	return strings.TrimSpace(string(code)), nil
}

// section writes of one target.
func (g guide) section(w io.Writer, t Target) error {
	g.Target = t
	return templates.ExecuteTemplate(w, g.named(string(t)), g)
}

// all writes of every target that can reach the server.
func (g guide) all(w io.Writer) error {
	if err := templates.ExecuteTemplate(w, g.named("intro"), g); err != nil {
		return err
	}
	for _, t := range Targets {
		if g.Local && !t.Reaches() {
			continue
		}
		fmt.Fprintln(w)
		if err := g.section(w, t); err != nil {
			return err
		}
	}
	return nil
}

// named is what a template of a name is called in the guide's language.
func (g guide) named(name string) string {
	if g.ZH {
		return name + ".zh"
	}
	return name + ".en"
}
