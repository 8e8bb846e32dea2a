package tools

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/store"
)

// A change that is large, or undoes another, is made after a second yes. A
// client that can ask its user is told to (an elicitation of the revision of
// 2026); any other is shown what would happen, and a token to send along. Both
// the state of the one and the token of the other are seals: an HMAC over who
// may do what until when. What the seal is on need not be kept, so that any
// replica takes it; that it is used once is seen to by the store.

// confirmTTL is how long a preview may be said yes to.
const confirmTTL = 10 * time.Minute

// elicitation is the name of the only thing that is ever asked of a client.
const elicitation = "confirm"

// sealed is what a seal is an HMAC over.
type sealed struct {
	Kind   string // how it was asked for: a seal for a person's answer is no token
	Caller string
	Tool   string
	Change any         // as the store understands it, so that what the words mean cannot change
	Before store.Level // where the yes is to a difference, what it is from
	ID     []byte
	Until  int64 // in seconds since 1970
}

// The kinds of seals.
const (
	sealToken = "token"
	sealState = "state"
)

const (
	sealID   = 12
	sealSize = sealID + 8 + sha256.Size

	maxSealed = 100 // characters; a seal has 70
)

// confirm returns what the store must use up together with p, once somebody
// said yes to it, or else what asks for that.
func (h *handler) confirm(ctx context.Context, q mcp.CallToolRequest, p plan, preview store.Receipt) (store.Once, reply, error) {
	s := sealed{Kind: sealToken, Caller: store.CallerFrom(ctx).ID, Tool: q.Params.Name, Change: p.change, Before: p.from(preview)}
	text := p.confirmation
	if text == "" && elicits(ctx) {
		s.Kind, text = sealState, q.Params.RequestState
		said := mcpserver.ElicitationResponse(q.Params.InputResponses, elicitation)
		switch {
		case said == nil:
			text = "" // to be asked, or asked again
		case said.Action != mcp.ElicitationResponseActionAccept:
			return store.Once{}, answer{
				say:  p.say,
				text: p.say.say("沒有更動：使用者沒有同意", "Nothing was changed: the user did not agree"),
				data: &changed{Status: statusDeclined},
			}, nil
		case text == "":
			return store.Once{}, nil, invalidConfirmation(p.say)
		}
	}
	if text != "" {
		once, err := h.open(ctx, p.say, s, text)
		return once, nil, err
	}
	seal, until, err := h.seal(ctx, s)
	if err != nil {
		return store.Once{}, nil, err
	}
	line, out := h.describe(ctx, p.say, preview)
	if s.Kind == sealState {
		return store.Once{}, askUser(p.say, line, seal), nil
	}
	return store.Once{}, h.askForToken(p.say, line, out, seal, until), nil
}

// elicits reports whether the client can put a question to its user between
// two rounds of a request. Only a request of the revision of 2026 says so of
// itself: before that, mcp-go would ask by a stream that a stateless server
// does not have.
func elicits(ctx context.Context) bool {
	info := mcpserver.RequestProtocolInfoFromContext(ctx)
	if info == nil || !info.Modern || info.ClientCapabilities == nil {
		return false
	}
	can := info.ClientCapabilities.Elicitation
	return can != nil && (can.Form != nil || can.URL == nil) // {} means forms
}

// inquiry asks the client to put something to its user.
type inquiry struct{ *mcpserver.InputRequestBuilder }

func (q inquiry) result() *mcp.CallToolResult { return q.ToolResult() }

// askUser asks for a yes to what line says.
func askUser(say language, line, state string) inquiry {
	return inquiry{mcpserver.NewInputRequestBuilder(state).Elicit(elicitation, mcp.ElicitationParams{
		Mode:            mcp.ElicitationModeForm,
		Message:         say.say("要這樣更動庫存嗎？%s", "Change the stock like this? %s", line),
		RequestedSchema: json.RawMessage(`{"type":"object","properties":{}}`), // yes or no is all
	})}
}

// askForToken says what would happen, and with what to say yes to it.
func (h *handler) askForToken(say language, line string, out changed, token string, until time.Time) answer {
	out.Status, out.Confirmation = statusUnconfirmed, token
	out.Movements, out.Reservation = nil, nil // there are none to name yet
	return answer{say: say, data: &out, text: say.say("還沒有更動。將會：%s。請先問使用者；同意的話，用同樣的參數再呼叫一次，並加上 confirmation：%s（%s 前有效）",
		"Nothing has changed yet. This would happen: %s. Ask the user; if they agree, call again with the same arguments and confirmation: %s (valid until %s)",
		line, token, h.clockTime(until))}
}

// seal makes the seal of s, which it completes.
func (h *handler) seal(ctx context.Context, s sealed) (text string, until time.Time, err error) {
	until = h.now().Add(confirmTTL)
	s.ID, s.Until = make([]byte, sealID), until.Unix()
	rand.Read(s.ID)
	mac, err := h.mac(ctx, s)
	if err != nil {
		return "", time.Time{}, err
	}
	raw := binary.BigEndian.AppendUint64(s.ID, uint64(s.Until))
	return base64.RawURLEncoding.EncodeToString(append(raw, mac...)), until, nil
}

// open returns what the store must use up for a seal of s to count, or a
// refusal where text is not one.
func (h *handler) open(ctx context.Context, say language, s sealed, text string) (store.Once, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != sealSize {
		return store.Once{}, invalidConfirmation(say)
	}
	s.ID, s.Until = raw[:sealID], int64(binary.BigEndian.Uint64(raw[sealID:]))
	want, err := h.mac(ctx, s)
	if err != nil {
		return store.Once{}, err
	}
	until := time.Unix(s.Until, 0)
	if !hmac.Equal(want, raw[sealID+8:]) || !h.now().Before(until) {
		return store.Once{}, invalidConfirmation(say)
	}
	return store.Once{Token: base64.RawURLEncoding.EncodeToString(s.ID), TokenUntil: until}, nil
}

func (h *handler) mac(ctx context.Context, s sealed) ([]byte, error) {
	key, err := h.store.Secret(ctx, "confirmations")
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m.Sum(nil), nil
}

func invalidConfirmation(say language) *refused {
	return refuse(codeConfirmationInvalid, say.say(
		"confirmation 無效：參數或庫存和預覽時不同、超過 10 分鐘，或已經用過。沒有更動；不帶 confirmation 再呼叫一次，重新預覽",
		"The confirmation does not hold: the arguments or the stock are not those of the preview, it is older than 10 minutes, or it was used before. Nothing was changed; call again without confirmation for a new preview"))
}
