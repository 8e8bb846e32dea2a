package tunneltest

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"io"
	"slices"
	"strings"

	"golang.ngrok.com/muxado/v2"
)

// session is what an agent does over one link. The Edge's mutex guards what
// changes.
type session struct {
	edge    *Edge
	link    *link
	backlog *backlog
	mux     muxado.TypedStreamSession

	id       string // "" until the agent has authenticated
	clientID string // the same again when the agent reconnects
	auth     authRequest
	bindings []*binding // oldest first

	// Whether to hang up as soon as the agent has the answer.
	dropAfterAuth, dropAfterBind bool
}

// serveAgent serves what the agent at the other end of l asks for, until
// either hangs up.
func (e *Edge) serveAgent(l *link) {
	conn := tls.Server(l, &tls.Config{GetCertificate: e.ca.certificate})
	if err := conn.Handshake(); err != nil {
		e.log.Warn("TLS handshake with an agent failed; does it trust the CA?", "remote", l.RemoteAddr(), "err", err)
		return
	}
	backlog := newBacklog()
	mux := muxado.Server(conn, &muxado.Config{NewFramer: backlog.over})
	s := &session{edge: e, link: l, backlog: backlog, mux: muxado.NewTypedStreamSession(mux)}
	for {
		stream, err := s.mux.AcceptTypedStream()
		if err != nil {
			return
		}
		e.wg.Go(func() {
			if err := s.serve(stream); err != nil {
				e.log.Debug("stream of an agent failed", "type", stream.StreamType(), "err", err)
				// What muxado could not write it may be writing still: to close the
				// stream would pack the same frame again.
				l.Close()
				return
			}
			stream.Close()
		})
	}
}

// serve serves one stream that the agent opened.
func (s *session) serve(stream muxado.TypedStream) error {
	switch stream.StreamType() {
	case heartbeatStream:
		_, err := io.Copy(stream, stream)
		return err
	case srvInfoStream:
		return answer(stream, func(struct{}) srvInfoAnswer { return srvInfoAnswer{Region: "test"} })
	case authStream:
		defer s.dropIf(&s.dropAfterAuth)
		return answer(stream, s.authenticate)
	case bindStream:
		defer s.dropIf(&s.dropAfterBind)
		return answer(stream, s.bind)
	case unbindStream:
		return answer(stream, s.unbind)
	case patchStream:
		return answer(stream, s.patch)
	}
	return nil
}

// dropIf plays the faults DropAfterAuth and DropAfterBind.
func (s *session) dropIf(due *bool) {
	s.edge.mu.Lock()
	defer s.edge.mu.Unlock()
	if *due {
		s.edge.hangUpLocked(s.link)
	}
}

// authenticate lets an agent in, or tells why not and leaves it to hang up. An
// agent that was here before takes over from its former self.
func (s *session) authenticate(q authRequest) (a authAnswer) {
	e := s.edge
	e.mu.Lock()
	defer e.mu.Unlock()

	if code := e.refuseAuth(q.Extra.Authtoken); code != 0 {
		e.log.Info("session refused", "code", codeName(code), "agent", q.Extra.UserAgent)
		a.Error = refusal(code, q.Extra.Authtoken)
		return a
	}
	if s.id != "" || !e.links[s.link] {
		a.Error = "This connection has had its session."
		return a
	}

	s.auth = q
	s.id = "ts_" + strings.ToLower(rand.Text())
	if cookie := e.cookies[q.ClientID]; cookie != "" && cookie == q.Extra.Cookie {
		s.clientID = q.ClientID
		for _, former := range slices.Clone(e.online) {
			if former.clientID == s.clientID {
				e.hangUpLocked(former.link)
			}
		}
	} else {
		s.clientID = strings.ToLower(rand.Text())
		e.cookies[s.clientID] = rand.Text()
	}
	e.online = append(e.online, s)
	s.dropAfterAuth = e.faults.dropAfterAuth.take()
	e.notify()
	e.log.Info("session online", "session", s.id, "agent", q.Extra.UserAgent, "remote", s.link.RemoteAddr())

	a.Version = "3"
	if !slices.Contains(q.Version, a.Version) && len(q.Version) > 0 {
		a.Version = q.Version[0]
	}
	a.ClientID = s.clientID
	a.Extra.Version = "tunneltest"
	a.Extra.Region = "test"
	a.Extra.Cookie = e.cookies[s.clientID]
	a.Extra.AccountName = cmp.Or(e.cfg.Account, "tunneltest")
	a.Extra.PlanName = "Free"
	a.Extra.AgentSessionID = s.id
	return a
}

// refuseAuth returns the code to refuse an agent with, or 0.
func (e *Edge) refuseAuth(authtoken string) (code int) {
	switch {
	case e.faults.refuseAuth.take():
		return e.faults.refuseAuthCode
	case authtoken == "":
		return codeNoToken
	case !wellFormed.MatchString(authtoken):
		return codeMalformed
	case len(e.cfg.Authtokens) > 0 && !slices.Contains(e.cfg.Authtokens, authtoken):
		return codeUnknown
	}
	return 0
}
