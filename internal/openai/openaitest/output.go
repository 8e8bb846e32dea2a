package openaitest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// output is a response in the making. Where a stream was asked for, each step
// is told as it is taken.
type output struct {
	stand  *Server
	w      http.ResponseWriter
	q      *request
	fault  Fault
	stream bool
	id     string
	seq    int
	items  []object
	made   []item
	over   bool // nothing more can be said

	status  string    // of the response: "in_progress" until it ends
	failure *apiError // why it failed
	reason  string    // why it is incomplete
}

func newOutput(s *Server, w http.ResponseWriter, q *request, fault Fault) *output {
	o := &output{stand: s, w: w, q: q, fault: fault, stream: q.Stream, id: s.newID("resp"), status: "in_progress"}
	if o.stream {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		o.event("response.created", object{"response": o.response()})
		o.event("response.in_progress", object{"response": o.response()})
	}
	return o
}

// response is the response as it is now.
func (o *output) response() object {
	items := o.items
	if items == nil {
		items = []object{}
	}
	tools := []object{}
	for _, t := range o.q.Tools {
		tools = append(tools, object{"type": "mcp", "server_label": t.ServerLabel, "server_url": t.ServerURL})
	}
	r := object{
		"id": o.id, "object": "response", "created_at": time.Now().Unix(), "status": o.status, "model": o.q.Model,
		"output": items, "tools": tools, "previous_response_id": orNull(o.q.Previous),
		"error": nil, "incomplete_details": nil, "instructions": nil, "metadata": object{},
		"access_programs": object{"cyber": "standard"}, "parallel_tool_calls": true, "temperature": 1.0, "top_p": 1.0, "tool_choice": "auto", "store": true,
		"usage": object{"input_tokens": 1, "input_tokens_details": object{"cached_tokens": 0, "cache_write_tokens": 0}, "output_tokens": 1,
			"output_tokens_details": object{"reasoning_tokens": 0}, "total_tokens": 2},
	}
	if o.failure != nil {
		r["error"] = object{"code": "server_error", "message": o.failure.message}
	}
	if o.reason != "" {
		r["incomplete_details"] = object{"reason": o.reason}
	}
	return r
}

// event tells a step.
func (o *output) event(kind string, fields object) {
	if !o.stream || o.over {
		return
	}
	fields["type"], fields["sequence_number"] = kind, o.seq
	o.seq++
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	o.stand.record("event "+kind+"\n", data)
	fmt.Fprintf(o.w, "event: %s\ndata: %s\n\n", kind, data)
	_ = http.NewResponseController(o.w).Flush()
}

// add begins an item, and returns its place.
func (o *output) add(i object) int {
	o.items = append(o.items, i)
	o.event("response.output_item.added", object{"output_index": len(o.items) - 1, "item": i})
	return len(o.items) - 1
}

// done ends an item.
func (o *output) done(at int, i object) {
	o.items[at] = i
	o.event("response.output_item.done", object{"output_index": at, "item": i})
}

// list lists a server's tools. It reports whether that went well; if not, the
// response has failed.
func (o *output) list(ctx context.Context, server *mcpServer) bool {
	id := o.stand.newID("mcpl")
	i := object{"id": id, "type": "mcp_list_tools", "server_label": server.tool.ServerLabel, "tools": []object{}}
	at := o.add(i)
	place := object{"item_id": id, "output_index": at}
	o.event("response.mcp_list_tools.in_progress", clone(place))
	if err := server.list(ctx); err != nil {
		i["error"] = err.Error()
		o.event("response.mcp_list_tools.failed", clone(place))
		o.done(at, i)
		fail := toolListError(server.tool.ServerLabel, err.Error())
		o.fail(&fail)
		return false
	}
	tools := []object{}
	for _, t := range server.tools {
		if server.tool.allows(t) {
			tools = append(tools, t.object())
		}
	}
	i["tools"] = tools
	o.event("response.mcp_list_tools.completed", clone(place))
	o.done(at, i)
	made := asItem(i)
	made.tools = server.tools
	o.made = append(o.made, made)
	return true
}

// askApproval ends the response with a request for approval.
func (o *output) askApproval(label, name, arguments string) {
	i := object{"id": o.stand.newID("mcpr"), "type": "mcp_approval_request", "server_label": label, "name": name, "arguments": arguments}
	o.done(o.add(i), i)
	o.made = append(o.made, asItem(i))
}

// call calls a tool.
func (o *output) call(ctx context.Context, server *mcpServer, name, arguments, approval string) *callResult {
	id := o.stand.newID("mcp")
	i := object{"id": id, "type": "mcp_call", "server_label": server.tool.ServerLabel, "name": name, "arguments": "",
		"approval_request_id": orNull(approval), "status": "in_progress", "output": nil, "error": nil}
	at := o.add(i)
	place := object{"item_id": id, "output_index": at}
	o.event("response.mcp_call.in_progress", clone(place))
	o.event("response.mcp_call_arguments.delta", with(place, "delta", arguments))
	o.event("response.mcp_call_arguments.done", with(place, "arguments", arguments))
	result := server.call(ctx, name, arguments)
	i = clone(i)
	i["arguments"] = arguments
	if result.failed != nil {
		i["status"], i["error"] = "failed", result.failed
		o.event("response.mcp_call.failed", clone(place))
	} else {
		i["status"], i["output"] = "completed", result.output
		o.event("response.mcp_call.completed", clone(place))
	}
	o.done(at, i)
	made := asItem(i)
	made.result = result
	o.made = append(o.made, made)
	return result
}

// say says the answer, a few characters at a time.
func (o *output) say(ctx context.Context, text string) {
	o.speak(ctx, "output_text", "text", "response.output_text", text)
}

// refuse says why there is no answer.
func (o *output) refuse(text string) {
	o.speak(context.Background(), "refusal", "refusal", "response.refusal", text)
}

func (o *output) speak(ctx context.Context, kind, field, event, text string) {
	id := o.stand.newID("msg")
	part := func(text string) object {
		p := object{"type": kind, field: text}
		if kind == "output_text" {
			p["annotations"], p["logprobs"] = []any{}, []any{}
		}
		return p
	}
	message := func(status string, parts ...object) object {
		if parts == nil {
			parts = []object{}
		}
		return object{"id": id, "type": "message", "role": "assistant", "status": status, "content": parts}
	}
	at := o.add(message("in_progress"))
	place := object{"item_id": id, "output_index": at, "content_index": 0}
	told := place
	if kind == "output_text" {
		told = with(place, "logprobs", []any{})
	}
	o.event("response.content_part.added", with(place, "part", part("")))
	pieces := inPieces(text)
	for n, piece := range pieces {
		if n == len(pieces)/2 && o.goWrong(ctx) {
			return
		}
		o.event(event+".delta", with(told, "delta", piece))
	}
	o.event(event+".done", with(told, field, text))
	o.event("response.content_part.done", with(place, "part", part(text)))
	i := message("completed", part(text))
	o.done(at, i)
	o.made = append(o.made, asItem(i))
}

// inPieces cuts a text into what comes at a time.
func inPieces(text string) []string {
	const each = 4
	var pieces []string
	for runes := []rune(text); len(runes) > 0; {
		n := min(each, len(runes))
		pieces, runes = append(pieces, string(runes[:n])), runes[n:]
	}
	return pieces
}

// goWrong goes wrong in the middle of an answer, if that is asked for. It
// reports whether nothing more is to be said.
func (o *output) goWrong(ctx context.Context) bool {
	switch o.fault {
	case FaultCut:
		hangUp(o.w)
		o.over = true
	case FaultEnd:
		o.over = true
	case FaultHang:
		o.stand.holding <- struct{}{}
		select {
		case <-ctx.Done():
			o.stand.hungUp <- struct{}{}
		case <-o.stand.held:
		}
		o.over = true
	case FaultStream:
		o.event("error", object{"code": "server_error", "message": "The server had an error while processing your request.", "param": nil})
		o.over = true
	case FaultFailed:
		o.fail(&apiError{status: http.StatusInternalServerError, kind: "server_error", message: "The model failed."})
	case FaultLength:
		o.status, o.reason = "incomplete", "max_output_tokens"
	case FaultFilter:
		o.status, o.reason = "incomplete", "content_filter"
	default:
		return false
	}
	return true
}

func (o *output) fail(why *apiError) { o.status, o.failure = "failed", why }

// end ends the response.
func (o *output) end() {
	if o.over {
		return
	}
	if o.status == "in_progress" {
		o.status = "completed"
		o.stand.keep(o.id, o.q, o.made)
	}
	if o.stream {
		o.event("response."+o.status, object{"response": o.response()})
		return
	}
	if o.failure != nil {
		o.failure.write(o.w)
		return
	}
	o.w.Header().Set("Content-Type", "application/json")
	data, err := json.Marshal(o.response())
	if err != nil {
		panic(err)
	}
	o.stand.record("200\n", data)
	_, _ = o.w.Write(data)
}

// with is o and more: names and values.
func with(o object, more ...any) object {
	o = clone(o)
	for n := 0; n < len(more); n += 2 {
		o[more[n].(string)] = more[n+1]
	}
	return o
}

func clone(o object) object {
	c := make(object, len(o))
	for name, value := range o {
		c[name] = value
	}
	return c
}
