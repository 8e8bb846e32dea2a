package tunneltest

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
)

// binding is an endpoint that an agent has online.
type binding struct {
	Endpoint  // guarded by the Edge's mutex
	session   *session
	host      string
	tunnelID  string
	transport *http.Transport // over streams to the agent
	proxy     *httputil.ReverseProxy
}

// pool is what is online at one host name: several bindings if they all allow
// it, else one.
type pool struct {
	bindings []*binding
	next     int
}

// bind puts an endpoint online.
func (s *session) bind(q bindRequest) (a bindAnswer) {
	e := s.edge
	e.mu.Lock()
	defer e.mu.Unlock()

	var opts bindOptions
	if err := json.Unmarshal(q.Opts, &opts); err != nil {
		a.Error = fmt.Sprintf("The options of the endpoint are not understood: %v", err)
		return a
	}
	switch {
	case !slices.Contains(e.online, s):
		a.Error = "Authenticate first."
		return a
	case q.Proto != "https":
		a.Error = fmt.Sprintf("The stand-in serves https endpoints, not %s.", q.Proto)
		return a
	}
	u, err := e.chooseURL(s, q, opts)
	if err != nil {
		a.Error = err.Error()
		return a
	}
	host := hostOf(u)
	if code := e.refuseBind(host, q.Extra.PoolingEnabled); code != 0 {
		e.log.Info("endpoint refused", "code", codeName(code), "url", u, "session", s.id)
		a.Error = refusal(code, u)
		return a
	}

	b := &binding{
		Endpoint: Endpoint{
			ID:             cmp.Or(q.ID, strings.ToLower(rand.Text())),
			URL:            u,
			Name:           q.Extra.Name,
			Description:    q.Extra.Description,
			Metadata:       q.Extra.Metadata,
			Bindings:       q.Extra.Bindings,
			PoolingEnabled: q.Extra.PoolingEnabled,
			TrafficPolicy:  opts.TrafficPolicy,
			ForwardsTo:     q.ForwardsTo,
		},
		session:  s,
		host:     host,
		tunnelID: "tn_" + strings.ToLower(rand.Text()),
	}
	e.serveBinding(b)
	if e.pools[host] == nil {
		e.pools[host] = &pool{}
	}
	e.pools[host].bindings = append(e.pools[host].bindings, b)
	s.bindings = append(s.bindings, b)
	token := cmp.Or(q.Extra.Token, rand.Text())
	e.bound[token] = u
	e.notify()
	e.log.Info("endpoint online", "url", u, "session", s.id)
	s.dropAfterBind = e.faults.dropAfterBind.take()

	a.ID = b.ID
	a.URL = u
	a.Proto = q.Proto
	a.Opts = q.Opts
	a.Extra.Token = token
	a.Extra.TunnelID = b.tunnelID
	return a
}

// chooseURL returns the URL of an endpoint: the one it had before, the one that
// it asks for, or the dev domain of its account.
func (e *Edge) chooseURL(s *session, q bindRequest, opts bindOptions) (string, error) {
	if u := e.bound[q.Extra.Token]; u != "" {
		if renamed := e.faults.rename; renamed != "" {
			e.faults.rename = ""
			return e.publicURL(renamed)
		}
		return u, nil
	}
	asked := cmp.Or(opts.URL, opts.Domain, opts.Hostname, e.cfg.DevDomain)
	if asked == "" {
		sum := sha256.Sum256([]byte(s.auth.Extra.Authtoken))
		asked = fmt.Sprintf("dev-%x.ngrok-free.test", sum[:4])
	}
	return e.publicURL(asked)
}

// publicURL completes a URL or a host name with the scheme and with the port
// that the public reaches it at.
func (e *Edge) publicURL(asked string) (string, error) {
	if !strings.Contains(asked, "://") {
		asked = "https://" + asked
	}
	u, err := url.Parse(asked)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" {
		return "", fmt.Errorf("%q is not the URL of an https endpoint", asked)
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		_, port, _ = net.SplitHostPort(e.public.String())
	}
	if port == "443" {
		return "https://" + host, nil
	}
	return "https://" + net.JoinHostPort(host, port), nil
}

// hostOf returns the host name in a URL, with or without its scheme and port.
func hostOf(u string) string {
	if _, rest, found := strings.Cut(u, "://"); found {
		u = rest
	}
	host, _, _ := strings.Cut(u, "/")
	return strings.ToLower((&url.URL{Host: host}).Hostname())
}

// refuseBind returns the code to refuse an endpoint with, or 0.
func (e *Edge) refuseBind(host string, pooling bool) (code int) {
	if e.faults.refuseBind.take() {
		return e.faults.refuseBindCode
	}
	if e.held[host] {
		return codeTaken
	}
	if p := e.pools[host]; p != nil && !(pooling && p.bindings[0].PoolingEnabled) {
		return codeTaken
	}
	return 0
}

// takeOffline ends a binding. Requests that are in flight go on. The caller
// takes it out of its session.
func (e *Edge) takeOffline(b *binding) {
	p := e.pools[b.host]
	p.bindings = slices.DeleteFunc(p.bindings, func(other *binding) bool { return other == b })
	if len(p.bindings) == 0 {
		delete(e.pools, b.host)
	}
	b.transport.CloseIdleConnections()
	e.log.Info("endpoint offline", "url", b.URL, "session", b.session.id)
	e.notify()
}

// unbind takes an endpoint offline for the agent that has it.
func (s *session) unbind(q unbindRequest) errorAnswer {
	s.edge.mu.Lock()
	defer s.edge.mu.Unlock()
	for i, b := range s.bindings {
		if b.ID == q.ID {
			s.bindings = slices.Delete(s.bindings, i, i+1)
			s.edge.takeOffline(b)
			return errorAnswer{}
		}
	}
	return errorAnswer{fmt.Sprintf("There is no endpoint %q.", q.ID)}
}

// patch changes what an agent said about an endpoint.
func (s *session) patch(q patchRequest) errorAnswer {
	s.edge.mu.Lock()
	defer s.edge.mu.Unlock()
	for _, b := range s.bindings {
		if b.tunnelID != q.TunnelID {
			continue
		}
		set(&b.Name, q.Name)
		set(&b.Description, q.Description)
		set(&b.Metadata, q.Metadata)
		set(&b.TrafficPolicy, q.TrafficPolicy)
		set(&b.PoolingEnabled, q.PoolingEnabled)
		s.edge.notify()
		return errorAnswer{}
	}
	return errorAnswer{fmt.Sprintf("There is no endpoint %q.", q.TunnelID)}
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}
