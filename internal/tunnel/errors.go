package tunnel

import (
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Error is why a tunnel cannot be, in words for the person who started it. It
// never carries a secret, though ngrok's own texts do.
type Error struct {
	Code string // ngrok's, such as "ERR_NGROK_334"; "" where ngrok gave none
	What string // what is wrong
	hint string
}

// Hint says what to do next.
func (e *Error) Hint() string { return e.hint }

func (e *Error) Error() string {
	if e.Code == "" {
		return e.What
	}
	return fmt.Sprintf("%s (%s)", e.What, e.Code)
}

// patience is how long a failure is worth retrying.
type patience int

const (
	never      patience = iota // no retry can mend it
	onceOnline                 // a reconnecting tunnel retries it, a starting one does not
	briefly                    // retried for [Config.TakenFor] at the start, and as long as it takes later
	always                     // as long as it takes
)

const codeTaken = "ERR_NGROK_334"

// refusals are the answers of ngrok that a user of mcpstore may meet. Their
// meanings are at https://ngrok.com/docs/errors.
var refusals = map[string]struct {
	patience   patience
	what, hint string
}{
	"ERR_NGROK_105": {
		never, "ngrok says that the authtoken is malformed",
		"copy it whole from https://dashboard.ngrok.com/get-started/your-authtoken"},
	"ERR_NGROK_107": {
		never, "ngrok does not know this authtoken: it is mistyped, was revoked, or its account is gone",
		"take the current one from https://dashboard.ngrok.com/get-started/your-authtoken"},
	"ERR_NGROK_108": {
		onceOnline, "the ngrok account runs as many agents as its plan allows",
		"stop one of those listed at https://dashboard.ngrok.com/agents, or use another account"},
	"ERR_NGROK_121": {
		never, "ngrok no longer speaks with this old a version of its SDK",
		"get a newer mcpstore"},
	codeTaken: {
		briefly, "the URL is already online: another mcpstore or the ngrok program holds it",
		"stop that one (https://dashboard.ngrok.com/endpoints shows it), or give --pooling to both so that they share the URL, or ask for another URL with --url"},
	"ERR_NGROK_725": {
		never, "the ngrok account has used up the bandwidth of its plan for this month",
		"see https://dashboard.ngrok.com/usage; wait for the next month or change the plan"},
	"ERR_NGROK_727": {
		never, "the ngrok account has used up the HTTP requests of its plan for this month",
		"see https://dashboard.ngrok.com/usage; wait for the next month or change the plan"},
	"ERR_NGROK_734": {
		onceOnline, "the ngrok account has met its plan's limit of requests a minute",
		"start again in a minute; if it comes back, see https://dashboard.ngrok.com/usage"},
	"ERR_NGROK_3200": {
		onceOnline, "ngrok says that the endpoint is offline",
		"start again; if it stays so, see https://status.ngrok.com"},
	"ERR_NGROK_4018": {
		never, "ngrok got no authtoken",
		"take yours from https://dashboard.ngrok.com/get-started/your-authtoken and set NGROK_AUTHTOKEN"},
	"ERR_NGROK_18016": {
		never, "the URL is online without pooling, and this start asks to pool",
		"give --pooling to all who serve the URL, or to none"},
	"ERR_NGROK_18017": {
		never, "the URL is online with pooling, and this start does not pool",
		"give --pooling to all who serve the URL, or to none"},
	"ERR_NGROK_18019": {
		never, "the ngrok account's plan has no endpoint pooling",
		"start without --pooling, or change the plan"},
	"ERR_NGROK_18020": {
		onceOnline, "the pool at this URL has as many endpoints as the ngrok account's plan allows",
		"stop one of those at https://dashboard.ngrok.com/endpoints, or change the plan"},
}

// codeOf returns the ngrok code that err carries, or "". Depending on where an
// error comes from, the SDK has the code in one type or another or in the text
// alone; in the text it always is.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return strings.ToUpper(codePattern.FindString(err.Error()))
}

var codePattern = regexp.MustCompile(`(?i)ERR_NGROK_\d+`)

// patienceFor tells how long err is worth retrying. A code that is not in the
// list ends a start, where somebody is there to read it, and is retried by a
// tunnel that has worked before.
func patienceFor(err error) patience {
	code := codeOf(err)
	switch r, known := refusals[code]; {
	case known:
		return r.patience
	case code != "" || untrusted(err):
		return onceOnline
	default:
		return always
	}
}

// untrusted reports whether the edge could not prove who it is.
func untrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

// explain turns what the SDK said into words without the authtoken.
func explain(err error, authtoken string) *Error {
	var explained *Error
	if errors.As(err, &explained) {
		return explained
	}
	code := codeOf(err)
	if r, known := refusals[code]; known {
		return &Error{Code: code, What: r.what, hint: r.hint}
	}
	text := redact(oneLine(err.Error()), authtoken)
	if code != "" {
		text, _, _ = strings.Cut(text, " "+code)
		return &Error{Code: code, What: "ngrok refused: " + text, hint: "see https://ngrok.com/docs/errors/" + code}
	}
	if errors.Is(err, errRestart) || errors.Is(err, errOffline) {
		return &Error{What: text}
	}
	what, hint := "cannot reach ngrok: "+text, "check the network, and https://status.ngrok.com; behind a proxy, use --proxy-url"
	if untrusted(err) {
		hint = "something between here and ngrok opens TLS connections: have it leave this one alone, or trust its CA with --connect-ca"
	}
	return &Error{What: what, hint: hint}
}

// redact takes the secret out of text.
func redact(text, secret string) string {
	if secret == "" {
		return text
	}
	return strings.ReplaceAll(text, secret, "[authtoken]")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
