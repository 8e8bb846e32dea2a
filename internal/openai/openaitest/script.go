package openaitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Script says what the model does, question by question.
type Script []Turn

// Turn is what the model does about one question.
type Turn struct {
	Ask   string `json:"ask"`   // the question, as it is asked
	Calls []Call `json:"calls"` // of tools, in this order

	// Say is the answer. "{output}" in it stands for what the last call put
	// out, and "{name}" for what is there by that name in its structured
	// result, such as "{available}".
	Say string `json:"say"`

	// Declined is the answer where a call was not approved; if "", the model
	// says so.
	Declined string `json:"declined"`

	// Refuse is what the model refuses with, in the place of an answer.
	Refuse string `json:"refuse"`
}

// Call is the call of a tool.
type Call struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// turn returns what is done about a question. One that is not in the script is
// answered by saying so.
func (s *Server) turn(question string) Turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.script {
		if t.Ask == question {
			return t
		}
	}
	return Turn{Ask: question, Say: fmt.Sprintf("(the script has no answer to %q)", question)}
}

// answer is what is said once the calls are made.
func (t Turn) answer(last *callResult) string {
	text := t.Say
	if last == nil {
		return text
	}
	text = strings.ReplaceAll(text, "{output}", last.output)
	for name, value := range last.structured {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(value))
	}
	return text
}

// Fault is a way for a request to go wrong.
type Fault string

// The faults. What is wrong with a key, a model, a request, an MCP server or a
// tool needs none: it goes wrong as it does at OpenAI.
const (
	FaultRateLimit Fault = "rate-limit" // 429, for a moment
	FaultQuota     Fault = "quota"      // 429, until somebody pays
	FaultServer    Fault = "server"     // 500
	FaultOverload  Fault = "overload"   // 503
	FaultForbidden Fault = "forbidden"  // 403, such as from a region that is not served
	FaultToolList  Fault = "tool-list"  // 424, whatever the MCP server answers
	FaultDrop      Fault = "drop"       // the connection, before an answer
	FaultCut       Fault = "cut"        // the connection, in the middle of the answer
	FaultEnd       Fault = "end"        // the stream, in the middle of the answer, as if it were whole
	FaultHang      Fault = "hang"       // in the middle of the answer nothing more comes
	FaultStream    Fault = "stream"     // an error event in the middle of the answer
	FaultFailed    Fault = "failed"     // the response fails in the middle of the answer
	FaultLength    Fault = "length"     // the answer grows too long, and is left incomplete
	FaultFilter    Fault = "filter"     // the answer is cut by the content filter
)

// refusal is the error by which a request is answered from the start.
func (f Fault) refusal() (apiError, bool) {
	switch f {
	case FaultRateLimit:
		return apiError{http.StatusTooManyRequests, "requests", "", "Rate limit reached for " + Model + " in organization org-test on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.", "rate_limit_exceeded"}, true
	case FaultQuota:
		return apiError{http.StatusTooManyRequests, "insufficient_quota", "", "You exceeded your current quota, please check your plan and billing details.", "insufficient_quota"}, true
	case FaultServer:
		return apiError{http.StatusInternalServerError, "server_error", "", "The server had an error while processing your request. Sorry about that!", ""}, true
	case FaultOverload:
		return apiError{http.StatusServiceUnavailable, "server_error", "", "The engine is currently overloaded, please try again later.", ""}, true
	case FaultForbidden:
		return apiError{http.StatusForbidden, "request_forbidden", "", "Country, region, or territory not supported", "unsupported_country_region_territory"}, true
	case FaultToolList:
		return toolListError("mcpstore", "Http status code: 424 (Failed Dependency)"), true
	}
	return apiError{}, false
}

// toolListError is how it is answered that a server's tools cannot be had.
func toolListError(label, why string) apiError {
	return apiError{http.StatusFailedDependency, "external_connector_error", "tools", fmt.Sprintf("Error retrieving tool list from MCP server: '%s'. %s", label, why), "http_error"}
}
