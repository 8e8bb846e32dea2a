package main

import (
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpstore/mcpstore/internal/tunnel/tunneltest"
)

// connectProxy is an HTTP proxy on loopback that leads to one address alone, and
// notes all others that it is asked for.
type connectProxy struct {
	*httptest.Server
	leadsTo string

	mu    sync.Mutex
	asked []string
}

func startConnectProxy(t *testing.T, leadsTo string) *connectProxy {
	p := &connectProxy{leadsTo: leadsTo}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || r.Host != p.leadsTo {
		p.mu.Lock()
		p.asked = append(p.asked, r.Method+" "+r.Host)
		p.mu.Unlock()
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	to, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, "no", http.StatusBadGateway)
		return
	}
	defer to.Close()
	from, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	io.WriteString(from, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { defer to.Close(); io.Copy(to, from) }()
	io.Copy(from, to)
}

func (p *connectProxy) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func TestDocumentsAreFetchedThroughTheProxyOfTheProgram(t *testing.T) {
	t.Parallel()
	tunnel := []string{"--auth", "oauth"}
	local := []string{"--local", "--listen", "127.0.0.1:0", "--auth", "oauth"}
	asked := []string{"CONNECT client.example:443"}
	for name, test := range map[string]struct {
		env        map[string]string
		args       []string
		flag       bool // with --proxy-url
		variable   string
		advertised bool
		want       []string // of the proxy
	}{
		"through the tunnel's":      {args: tunnel, flag: true, advertised: true, want: asked},
		"with a tunnel":             {args: tunnel, variable: "HTTPS_PROXY", advertised: true, want: asked},
		"with a tunnel alone":       {args: tunnel, advertised: true},
		"on this machine":           {args: local, variable: "HTTPS_PROXY", advertised: true, want: asked},
		"on this machine, by flag":  {args: local, flag: true, advertised: true, want: asked},
		"in lower case":             {args: local, variable: "https_proxy", advertised: true, want: asked},
		"for http alone":            {args: local, variable: "HTTP_PROXY", advertised: false},
		"on this machine alone":     {args: local, advertised: false},
		"not for the host":          {args: local, variable: "HTTPS_PROXY", env: map[string]string{"NO_PROXY": ".example"}, advertised: true},
		"not for the host, as well": {args: local, variable: "HTTPS_PROXY", env: map[string]string{"no_proxy": "*"}, advertised: false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			edge := tunneltest.Start(t, tunneltest.Config{})
			proxy := startConnectProxy(t, edge.ConnectAddr())
			env := map[string]string{"NGROK_AUTHTOKEN": tunneltest.Authtoken}
			client := http.DefaultClient
			if !slices.Contains(test.args, "--local") {
				client, env["MCPSTORE_CONNECT_URL"], env["MCPSTORE_CONNECT_CA"] = edge.Client(), edge.ConnectAddr(), edge.CAFile()
			}
			maps.Copy(env, test.env)
			if test.variable != "" {
				env[test.variable] = proxy.URL
			}
			args := test.args
			if test.flag {
				args = append(args[:len(args):len(args)], "--proxy-url", proxy.URL)
			}
			p := startIn(t, env, args...)
			base := strings.TrimSuffix(p.endpoint, "/mcp")
			get := func(path string) *http.Response {
				t.Helper()
				resp, err := client.Get(base + path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { resp.Body.Close() })
				return resp
			}
			var metadata struct {
				Documents bool `json:"client_id_metadata_document_supported"`
			}
			if err := json.NewDecoder(get("/.well-known/oauth-authorization-server").Body).Decode(&metadata); err != nil || metadata.Documents != test.advertised {
				t.Errorf("documents are advertised: %v, %v; want %v", metadata.Documents, err, test.advertised)
			}
			get("/authorize?client_id=" + url.QueryEscape("https://client.example/id.json"))
			if diff := cmp.Diff(test.want, proxy.heard()); diff != "" {
				t.Errorf("the proxy was asked for (-want +got):\n%s", diff)
			}
		})
	}
}
