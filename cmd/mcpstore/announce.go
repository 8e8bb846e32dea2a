package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/tunnel"
)

// announcer tells where the server is: scripts by stdout and the URL file,
// people by the panel, and both by the log.
type announcer struct {
	*env
	file   urlFile
	log    *slog.Logger
	people bool  // read stderr; else machines do
	view   panel // what people are shown

	mu       sync.Mutex
	endpoint string // as announced; "" before
	state    serverState
	presence *presence // nil where it could not be announced
	trouble  string    // what was logged last
}

// endpointAt returns what clients are given for a tunnel's URL.
func endpointAt(url string) string { return url + "/mcp" }

// online announces the URL once the server answers there.
// Tools is the fingerprint of what is offered there.
func (a *announcer) online(tun tunnel.Tunnel, tools string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endpoint = endpointAt(tun.URL())
	if err := a.file.write(a.endpoint); err != nil {
		return err
	}
	a.view.Endpoint = a.endpoint
	a.keepState(tools)
	if _, err := fmt.Fprintln(a.stdout, a.endpoint); err != nil {
		return fmt.Errorf("print the URL: %w", err)
	}
	return a.tellPeople()
}

// keepState tells other commands of this server, and notes whether its tools
// are others than those that the internet was offered last. Serving does not
// depend on either.
func (a *announcer) keepState(tools string) {
	v := &a.view
	a.state = serverState{
		Started: time.Now(), URL: a.endpoint, Local: v.Local, Auth: string(v.Auth), PublicReads: v.Open && v.Auth != access.None,
		Writes: v.Writes, Passphrase: v.Passphrase, Question: v.Question,
	}
	var err error
	if a.presence, err = announcePresence(v.Database, a.state); err != nil {
		a.log.Warn("mcpstore connect and mcpstore ask will not find this server", "err", err)
	}
	if v.Local || v.Auth == access.Tokens && !v.Open { // nobody out there keeps a list of these tools, nor does ChatGPT
		return
	}
	last := lastTools(v.Database)
	if v.ToolsChanged = last != "" && last != tools; last != tools {
		if err := keepTools(v.Database, tools); err != nil {
			a.log.Warn("it will not be told when the tools change", "err", err)
		}
	}
}

// tellPeople shows the panel or, where stderr is for machines, logs the same.
func (a *announcer) tellPeople() error {
	v := a.view
	if a.people {
		return v.print(a.stderr, a.getenv)
	}
	a.log.Info("online", "url", v.Endpoint, "auth", string(v.Auth), "stores", v.Stock.Shops, "products", v.Stock.Products, "demo", v.Stock.Demo, "database", v.Database)
	if v.Network {
		a.log.Warn("other machines on the network can reach this server, by the address of this machine or by a name that --allow-host gives", "reads", v.Open)
	}
	if v.Exposed() {
		a.log.Warn("this is your own data, and anyone who has the URL can read it", "auth", string(v.Auth))
	}
	if v.ToolsChanged {
		a.log.Warn("the tools are others than at the last run: press Refresh in ChatGPT, which keeps the old list")
	}
	if v.Auth == access.OAuth && !v.Passphrase {
		a.log.Warn("there is no passphrase, so nobody can be let in: set one by mcpstore access passphrase")
	}
	return nil
}

// tunnelChanged logs what became of the tunnel and keeps the URL file true.
func (a *announcer) tunnelChanged(s tunnel.State) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch s.Phase {
	case tunnel.Connecting:
		a.logTrouble("not connected to ngrok yet; retrying", s.Err)
	case tunnel.Reconnecting:
		a.logTrouble("lost the connection to ngrok; reconnecting", s.Err)
	case tunnel.Online:
		a.onlineAgain(endpointAt(s.URL))
	}
}

// logTrouble says each reason once, however often it is retried.
func (a *announcer) logTrouble(what string, err error) {
	if err == nil || err.Error() == a.trouble {
		return
	}
	a.trouble = err.Error()
	args := []any{"reason", err}
	if hint := hintOf(err); hint != "" {
		args = append(args, "hint", hint)
	}
	a.log.Warn(what, args...)
}

func (a *announcer) onlineAgain(endpoint string) {
	a.trouble = ""
	switch a.endpoint {
	case "":
		return // not announced yet
	case endpoint:
		a.log.Info("online again", "url", endpoint)
		return
	}
	a.log.Warn("the public URL has changed: paste the new one where the old one was; clients that signed in have to do so again", "url", endpoint, "was", a.endpoint)
	a.endpoint, a.state.URL = endpoint, endpoint
	if a.presence != nil {
		if err := a.presence.tell(a.state); err != nil {
			a.log.Warn("other commands still know the old URL", "err", err)
		}
	}
	if err := a.file.write(endpoint); err != nil {
		a.log.Error("the URL file still has the old URL", "err", err)
	}
}

// withdraw takes back the URL file: from now on nothing answers there.
func (a *announcer) withdraw() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.file.remove(); err != nil {
		a.log.Error("the URL file is left behind", "err", err)
	}
	if err := a.presence.withdraw(); err != nil {
		a.log.Warn("the file by which other commands find this server is left behind", "err", err)
	}
}

// firstQuestion is one that the stock can answer. It is "" for an empty stock.
func firstQuestion(ctx context.Context, s database, summary store.Summary) (string, error) {
	if summary.Demo {
		return "KOKO便利店的茶葉蛋還有幾個", nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	one := store.Page{Limit: 1}
	shops, _, err := s.Shops(ctx, store.ShopQuery{Page: one})
	if err != nil || len(shops) == 0 {
		return "", err
	}
	products, _, err := s.Products(ctx, store.ProductQuery{ShopID: shops[0].ID, Page: one})
	if err != nil || len(products) == 0 {
		return "", err
	}
	return shops[0].Name + "的" + products[0].Name + "還有幾" + cmp.Or(products[0].Unit, "個"), nil
}
