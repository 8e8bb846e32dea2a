package openai

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3/packages/ssestream"
)

// Kind tells the ways apart in which a question fails.
type Kind string

// The kinds.
const (
	BadKey     Kind = "key"         // OpenAI does not take the key
	Forbidden  Kind = "forbidden"   // the key may not do this
	NoModel    Kind = "model"       // there is no such model, or not for this key
	ToolList   Kind = "tool list"   // OpenAI could not have the MCP server's tools
	RateLimit  Kind = "rate limit"  // too many requests for now
	Quota      Kind = "quota"       // nothing is left to spend
	Refused    Kind = "refused"     // the model will not answer
	Incomplete Kind = "incomplete"  // the answer ends before its end
	Cut        Kind = "cut"         // the connection ended before the answer did
	Timeout    Kind = "timeout"     // the answer took too long
	Network    Kind = "network"     // OpenAI could not be reached
	Down       Kind = "down"        // OpenAI failed
	BadRequest Kind = "bad request" // OpenAI does not take the request
	NotOpenAI  Kind = "not OpenAI"  // what answers is another program
)

// Error says why a question was not answered.
type Error struct {
	Kind    Kind
	Message string // what OpenAI, or the network, said; without secrets
	Changed bool   // a call was made or begun before that may have changed something
}

func (e *Error) Error() string {
	text := headlines[e.Kind]
	if e.Message != "" && text != "" {
		text += ": "
	}
	return text + e.Message
}

var headlines = map[Kind]string{
	BadKey:     "OpenAI does not take the API key",
	Forbidden:  "OpenAI does not allow this",
	NoModel:    "OpenAI has no such model for you",
	ToolList:   "OpenAI could not list the tools of the server",
	RateLimit:  "OpenAI is being asked too often",
	Quota:      "OpenAI has nothing left for this key",
	Refused:    "the model refused to answer",
	Incomplete: "the answer is not whole",
	Cut:        "the connection to OpenAI was cut in the middle of the answer",
	Timeout:    "the answer took too long",
	Network:    "OpenAI cannot be reached",
	Down:       "OpenAI failed to answer",
	BadRequest: "OpenAI does not take the request",
	NotOpenAI:  "what answers in OpenAI's place is not its API",
}

// Hint says what to do about it.
func (e *Error) Hint() string {
	if e.Changed {
		return "a call was made or begun before this, which may have changed the stock: look before you ask again, by mcpstore stock history"
	}
	if strings.Contains(e.Message, "previous_response") || strings.Contains(e.Message, "Previous response") {
		return "OpenAI keeps no conversations for this key: ask one question at a time, with --approve all"
	}
	switch e.Kind {
	case BadKey:
		return "set OPENAI_API_KEY to a key that works, from https://platform.openai.com/api-keys"
	case Forbidden:
		return "see whether the key's project and your region may use this model: https://platform.openai.com/settings"
	case NoModel:
		return "name one that you have, such as --model " + DefaultModel + "; https://platform.openai.com/docs/models lists them"
	case ToolList:
		return "mcpstore smoke URL shows what is wrong with the URL"
	case RateLimit:
		return "wait a minute and ask again; https://platform.openai.com/settings/organization/limits shows your limits"
	case Quota:
		return "add credit at https://platform.openai.com/settings/organization/billing"
	case Refused:
		return "ask in other words"
	case Incomplete:
		return "ask for less at once"
	case Timeout:
		return "ask again, or give it longer, such as --timeout 5m"
	case Network:
		return "see whether this machine is online, and whether OPENAI_BASE_URL, if set, is right"
	case NotOpenAI:
		return "see whether OPENAI_BASE_URL is right: it mostly ends in /v1"
	case Cut, Down:
		return "ask again; https://status.openai.com tells whether OpenAI is in trouble"
	}
	return "mcpstore ask --help shows what can be set"
}

// maxMessage bounds what is repeated of a message, in characters.
const maxMessage = 500

var errTimeout = errors.New("no answer in time")

// toolListMessage is in what OpenAI says when it could not have a server's
// tools.
const toolListMessage = "retrieving tool list"

// explain makes an error of the client into an [*Error]. Begun says that the
// answer had begun.
func (c *Conversation) explain(err error, begun bool) error {
	known := c.classify(err, begun)
	for _, secret := range []string{c.config.Key, c.config.Token} {
		if secret != "" {
			known.Message = strings.ReplaceAll(known.Message, secret, "…")
		}
	}
	if runes := []rune(known.Message); len(runes) > maxMessage {
		known.Message = string(runes[:maxMessage]) + "…"
	}
	return known
}

func (c *Conversation) classify(err error, begun bool) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if errors.Is(err, errTimeout) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: Timeout, Message: fmt.Sprintf("nothing whole after %s", c.config.Timeout)}
	}
	var e detail
	if answer, ok := errors.AsType[answered](err); ok {
		_ = json.Unmarshal([]byte(answer.RawJSON()), &e) // where it cannot be read, nothing is set
	}
	if c.status >= http.StatusBadRequest { // with or without an error that can be read
		return fromStatus(c.status, e)
	}
	if told, ok := errors.AsType[*ssestream.StreamError](err); ok {
		var event struct{ Error detail }
		_ = json.Unmarshal(told.Event.Data, &event)
		return fromCode(event.Error.code(), event.Error.Message)
	}
	switch {
	case begun:
		return &Error{Kind: Cut}
	case c.status == http.StatusOK: // and nothing in it was an event
		return &Error{Kind: NotOpenAI}
	}
	return &Error{Kind: Network, Message: rootCause(err)}
}

// rootCause is the innermost error, without the URLs around it.
func rootCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// answered is openai.Error, which could be named only by taking in the whole
// of openai-go.
type answered interface {
	error
	RawJSON() string // {"code", "message", …}
}

// detail is what an error of OpenAI's has.
type detail struct {
	Code, Type, Message string
}

// code is the code; some errors have theirs as their type.
func (d detail) code() string { return cmp.Or(d.Code, d.Type) }

// fromStatus is what an HTTP status and the error with it mean.
func fromStatus(status int, e detail) *Error {
	message := e.Message
	if known := fromCode(e.code(), message); known.Kind != Down {
		return known
	}
	switch {
	case status == http.StatusUnauthorized && strings.Contains(message, "Missing scopes"):
		return &Error{Kind: Forbidden, Message: message}
	case status == http.StatusUnauthorized:
		return &Error{Kind: BadKey} // what is said with it repeats parts of the key
	case status == http.StatusFailedDependency:
		return &Error{Kind: ToolList, Message: message}
	case status == http.StatusNotFound && e.Code == "":
		return &Error{Kind: NotOpenAI, Message: strings.TrimSpace("404 " + message)}
	case status == http.StatusForbidden:
		return &Error{Kind: Forbidden, Message: message}
	case status == http.StatusTooManyRequests:
		return &Error{Kind: RateLimit, Message: message}
	case status >= http.StatusInternalServerError:
		return &Error{Kind: Down, Message: strings.TrimSpace(fmt.Sprintf("%d %s", status, message))}
	}
	return &Error{Kind: BadRequest, Message: strings.TrimSpace(fmt.Sprintf("%d %s", status, message))}
}

// fromCode is what an error's code means, wherever it stands.
func fromCode(code, message string) *Error {
	if strings.Contains(message, toolListMessage) {
		return &Error{Kind: ToolList, Message: message}
	}
	switch code {
	case "invalid_api_key":
		return &Error{Kind: BadKey}
	case "model_not_found":
		return &Error{Kind: NoModel, Message: message}
	case "rate_limit_exceeded":
		return &Error{Kind: RateLimit, Message: message}
	case "insufficient_quota", "billing_hard_limit_reached":
		return &Error{Kind: Quota, Message: message}
	case "invalid_prompt", "bio_policy", "misalignment_policy_violation":
		return &Error{Kind: Refused, Message: message}
	case "unsupported_country_region_territory":
		return &Error{Kind: Forbidden, Message: message}
	}
	return &Error{Kind: Down, Message: message}
}

// incomplete is what it means that a response ended before its end.
func incomplete(reason string) *Error {
	switch reason {
	case "max_output_tokens":
		return &Error{Kind: Incomplete, Message: "it grew too long"}
	case "content_filter":
		return &Error{Kind: Refused, Message: "OpenAI's content filter stopped the answer"}
	}
	return &Error{Kind: Incomplete, Message: reason}
}
