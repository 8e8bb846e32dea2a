package openaitest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// response is a response that was made, and the conversation that it ends.
type response struct {
	items []item
}

// run answers a request: it lists the tools that are not in the conversation
// yet, calls what the script says and is approved, and says the answer.
func (s *Server) run(ctx context.Context, q *request, out *output) {
	servers := make(map[string]*mcpServer)
	for _, t := range q.Tools {
		server := &mcpServer{stand: s, tool: t}
		servers[t.ServerLabel] = server
		if i := slices.IndexFunc(q.items(), func(i item) bool { return i.Type == "mcp_list_tools" && i.ServerLabel == t.ServerLabel }); i >= 0 {
			server.tools = q.items()[i].tools
			continue
		}
		if !out.list(ctx, server) {
			return
		}
	}

	turn, made, declined := s.progress(q)
	var last *callResult
	for _, i := range made {
		last = i.result
	}
	if declined {
		said := turn.Declined
		if said == "" {
			said = "好的，我沒有查。"
		}
		out.say(ctx, said)
		return
	}
	approved := q.approved()
	for _, c := range turn.Calls[len(made):] {
		server, listed, ok := find(servers, c.Name)
		if !ok {
			out.say(ctx, fmt.Sprintf("(there is no tool %q)", c.Name))
			return
		}
		arguments := string(c.Arguments)
		request := approved[c.Name+arguments]
		needs, _ := server.tool.approval()
		if needs(listed) && request == "" {
			out.askApproval(server.tool.ServerLabel, c.Name, arguments)
			return
		}
		delete(approved, c.Name+arguments)
		last = out.call(ctx, server, c.Name, arguments, request)
	}
	if turn.Refuse != "" {
		out.refuse(turn.Refuse)
		return
	}
	out.say(ctx, turn.answer(last))
}

// progress returns what the last question is, which calls were made about it,
// and whether one was declined.
func (s *Server) progress(q *request) (turn Turn, made []item, declined bool) {
	items := q.items()
	from := 0
	for n, i := range items {
		if i.Role == "user" {
			from = n
		}
	}
	turn = s.turn(items[from].text())
	for _, i := range items[from:] {
		switch {
		case i.Type == "mcp_call":
			made = append(made, i)
		case i.Type == "mcp_approval_response" && !i.Approve:
			declined = true
		}
	}
	return turn, made[:min(len(made), len(turn.Calls))], declined
}

// approved returns the requests that were approved and have not been acted
// upon, by the name and arguments of the call.
func (q *request) approved() map[string]string {
	asked := make(map[string]item)
	approved := make(map[string]string)
	for _, i := range q.items() {
		switch i.Type {
		case "mcp_approval_request":
			asked[i.ID] = i
		case "mcp_approval_response":
			if call := asked[i.ApprovalRequestID]; i.Approve {
				approved[call.Name+call.Arguments] = call.ID
			}
		case "mcp_call":
			delete(approved, i.Name+i.Arguments)
		}
	}
	return approved
}

// find returns the server that has a tool which the model may know of.
func find(servers map[string]*mcpServer, name string) (*mcpServer, listedTool, bool) {
	for _, server := range servers {
		for _, t := range server.tools {
			if t.name == name && server.tool.allows(t) {
				return server, t, true
			}
		}
	}
	return nil, listedTool{}, false
}

// keep remembers a response for the next of its conversation.
func (s *Server) keep(id string, q *request, made []item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.responses[id] = &response{items: slices.Concat(q.items(), made)}
}

// asItem is an item that came out, as the model has it before it afterwards.
func asItem(o object) item {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	var i item
	if err := json.Unmarshal(data, &i); err != nil {
		panic(err)
	}
	return i
}
