package oauth

import (
	"context"
	"errors"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store"
)

// client is a program that asks to be let in.
type client struct {
	id        string
	name      string // as it calls itself; "" if it does not
	redirects []string
	host      string // that its document came from; "" where it registered itself
	scope     string // what it registered to ask for; "" if it did not say
}

// label is what the owner is shown.
func (c client) label() string {
	switch {
	case c.name != "":
		return c.name
	case c.host != "":
		return c.host
	}
	return "(no name)"
}

// mayGoTo reports whether the client may have the owner sent to uri.
func (c client) mayGoTo(uri string) bool {
	for _, registered := range c.redirects {
		if redirectFits(registered, uri) {
			return true
		}
	}
	return false
}

// errUnknownClient says that a client's ID is nobody's.
var errUnknownClient = errors.New("no client is known by this client_id; it may have gone unused for too long: register again")

// client finds the client with the given ID: the URL of its document, or the
// ID that it got when it registered. An error that is not the store's fault is
// an [errUnknownClient] or a [documentError].
func (s *Server) client(ctx context.Context, id string) (client, error) {
	if isDocumentURL(id) {
		return s.documents.client(ctx, id)
	}
	if id == "" || len(id) > maxURI {
		return client{}, errUnknownClient
	}
	c, err := s.config.Store.Client(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return client{}, errUnknownClient
	}
	if err != nil {
		return client{}, err
	}
	return client{id: c.ID, name: cleanName(c.Name), redirects: c.RedirectURIs, scope: c.Scope}, nil
}

// isDocumentURL reports whether a client's ID is the URL of its document.
func isDocumentURL(id string) bool { return strings.HasPrefix(id, "https://") }
