package tools

import (
	"context"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/mcpstore/mcpstore/internal/store"
)

// Auth is how clients are told who may call what. Who calls, and what they may
// do, is the [store.Caller] of the request; where that is not enough, the call
// is refused here even if whoever let it in did not look.
type Auth struct {
	// OAuth says that clients can get a token by OAuth, and so are told which
	// tools need one.
	OAuth bool
	// PublicReads says that anyone may read. With OAuth, anonymous callers are
	// then shown what changes the stock as well, so that their client offers to
	// sign in.
	PublicReads bool
	// Challenge returns the WWW-Authenticate value (RFC 6750, section 3) that
	// asks for the scopes. If nil, refusals carry none.
	Challenge func(store.Scopes) string
}

// ScopeOf returns what a message of this method about the tool or resource of
// this name needs; 0 where nothing but what is the same for everybody is asked
// for, and for a tool that there never is.
func ScopeOf(method, name string) store.Scopes {
	switch mcp.MCPMethod(method) {
	case mcp.MethodToolsCall:
		return scopeOfTool(name)
	case mcp.MethodResourcesList, mcp.MethodResourcesRead, mcp.MethodResourcesSubscribe,
		mcp.MethodPromptsGet, mcp.MethodCompletionComplete, mcp.MethodSubscriptionsListen:
		return store.ScopeRead
	}
	return 0
}

func scopeOfTool(name string) store.Scopes {
	switch name {
	case "check_stock", "search_products", "list_stores", "get_product",
		"list_low_stock", "list_expiring", "stock_history", "search", "fetch":
		return store.ScopeRead
	case "record_movement", "count_stock", "transfer_stock",
		"reserve_stock", "release_reservation", "undo_movement":
		return store.ScopeWrite
	}
	return 0
}

// allows reports whether c may do what needs these scopes. A nil Auth allows
// everything.
func (a *Auth) allows(c store.Caller, need store.Scopes) bool {
	return a == nil || c.Scopes.Has(need) || a.PublicReads && need == store.ScopeRead
}

// shows reports whether c is told of a tool that needs these scopes. So are those
// who lack them and can ask the owner by OAuth, or else their client would never
// find out that there is something to ask for. A token that the owner made stays
// what it is.
func (a *Auth) shows(c store.Caller, need store.Scopes) bool {
	_, signedIn := c.Grant()
	return a.allows(c, need) || a.OAuth && (signedIn || a.PublicReads && c.ID == "")
}

// scheme is a way to be let in, as OpenAI's clients read it in a tool's
// _meta.securitySchemes.
type scheme struct {
	Type   string   `json:"type"`
	Scopes []string `json:"scopes,omitempty"`
}

// schemes are the ways to be let in to a tool that needs this scope. There is
// none for tokens that the owner hands out.
func (a *Auth) schemes(need store.Scopes) []scheme {
	var schemes []scheme
	if a == nil || a.OAuth && a.PublicReads && need == store.ScopeRead {
		schemes = append(schemes, scheme{Type: "noauth"})
	}
	if a != nil && a.OAuth {
		schemes = append(schemes, scheme{"oauth2", need.Names()})
	}
	return schemes
}

// metaOf is the _meta of a tool that needs this scope, or nil where it has none:
// how to be let in, and the card that shows its answers.
func (h *handler) metaOf(need store.Scopes, card bool) *mcp.Meta {
	fields := make(map[string]any)
	if schemes := h.auth.schemes(need); schemes != nil {
		fields["securitySchemes"] = schemes
	}
	if card {
		fields["ui"] = cardRef
	}
	if len(fields) == 0 {
		return nil
	}
	return &mcp.Meta{AdditionalFields: fields}
}

// showTools takes the tools out of a list that its reader is not told of.
func (h *handler) showTools(ctx context.Context, _ any, _ *mcp.ListToolsRequest, result *mcp.ListToolsResult) {
	h.nameServer(ctx, result)
	c := store.CallerFrom(ctx)
	result.Tools = slices.DeleteFunc(result.Tools, func(t mcp.Tool) bool { return !h.auth.shows(c, scopeOfTool(t.Name)) })
}

// mayRead reports whether the caller may read what there is.
func (h *handler) mayRead(ctx context.Context) bool {
	return h.auth.allows(store.CallerFrom(ctx), store.ScopeRead)
}

// forbidden refuses a call to somebody who may not make it.
type forbidden struct {
	need store.Scopes
	ask  bool // it is of use to ask for them
	text string
}

func (e *forbidden) Error() string { return e.text }

// permit returns a [*forbidden] where the caller may not do what needs these
// scopes.
func (h *handler) permit(ctx context.Context, meta *mcp.Meta, need store.Scopes) error {
	c := store.CallerFrom(ctx)
	if h.auth.allows(c, need) {
		return nil
	}
	say := languageOf(meta)
	switch lacks := need &^ c.Scopes; {
	case c.ID == "":
		return &forbidden{need, true, say.say("這需要先登入（權限 %s）；請使用者登入後再試一次", "This needs the user to sign in (scope %s); have them do so, then call again", need)}
	case c.Withheld.Has(lacks):
		return &forbidden{need, false, say.say("店主沒有允許這個程式更改庫存（權限 %s）；請不要重試。要改變決定，店主可以在程式裡重新連接這台伺服器並勾選",
			"The owner did not allow this program to change the stock (scope %s), so don't try again; to change that, the owner can connect this server again in the program and tick the box", need)}
	}
	return &forbidden{need, true, say.say("目前的登入沒有權限 %s；請使用者重新登入並同意，或請店主給這個權限", "This sign-in lacks the scope %s; have the user sign in again and allow it, or ask the owner for it", need)}
}

// result is that of a refused call, from which a client can tell how to sign
// in.
func (e *forbidden) result(challenge func(store.Scopes) string) *mcp.CallToolResult {
	result := failure(e)
	if e.need == store.ScopeWrite { // the answers of tools that read know no refusal
		result.StructuredContent = refuse(codeInsufficientScope, e.text)
	}
	if e.ask && challenge != nil {
		if c := challenge(e.need); c != "" {
			result.EnsureResultMeta().SetMetaField("mcp/www_authenticate", []string{c})
		}
	}
	return result
}
