package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tool is what the checks want to know about a tool.
type tool struct {
	Name        string          `json:"name"`
	Output      json.RawMessage `json:"outputSchema"`
	Annotations struct {
		ReadOnly bool `json:"readOnlyHint"`
	} `json:"annotations"`
	Input struct {
		Type     string   `json:"type"`
		Required []string `json:"required"`
	} `json:"inputSchema"`
}

// toolsList lists the tools. Every revision must have the same.
func (r *run) toolsList(rev revision) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		s, err := r.at(rev)
		if err != nil {
			return "", err
		}
		tools, err := r.listTools(ctx, s)
		if err != nil {
			return "", err
		}
		for other, theirs := range r.tools {
			if a, b := toolNames(tools), toolNames(theirs); !slices.Equal(a, b) {
				return "", wrong("the tools are %q, but at %s they are %q", a, other, b)
			}
		}
		r.tools[rev] = tools
		return fmt.Sprintf("%d tools", len(tools)), nil
	}
}

func (r *run) listTools(ctx context.Context, s session) ([]tool, error) {
	const enough = 50 // pages: a list that goes in circles ends, too
	var tools []tool
	cursor := ""
	for range enough {
		params := object{}
		if cursor != "" {
			params["cursor"] = cursor
		}
		m, err := r.client.call(ctx, r.target, s, "tools/list", params)
		if err != nil {
			return nil, err
		}
		var result struct {
			Tools      []tool `json:"tools"`
			NextCursor string `json:"nextCursor"`
		}
		if err := m.into(&result); err != nil {
			return nil, err
		}
		for _, t := range result.Tools {
			if t.Name == "" || t.Input.Type != "object" {
				return nil, wrong(`the tool %q needs a name and an inputSchema of the type "object"`, t.Name)
			}
		}
		tools = append(tools, result.Tools...)
		if cursor = result.NextCursor; cursor == "" {
			break
		}
	}
	switch sorted := toolNames(tools); {
	case cursor != "":
		return nil, wrong("the list of tools does not end after %d pages", enough)
	case len(tools) == 0:
		return nil, wrong("there are no tools")
	case len(slices.Compact(sorted)) < len(tools):
		return nil, wrong("two tools have the same name: %q", toolNames(tools))
	}
	return tools, nil
}

// toolNames are the tools' names in order.
func toolNames(tools []tool) []string {
	list := make([]string, len(tools))
	for i, t := range tools {
		list[i] = t.Name
	}
	slices.Sort(list)
	return list
}

// find returns the tool of that name.
func find(tools []tool, name string) (tool, bool) {
	i := slices.IndexFunc(tools, func(t tool) bool { return t.Name == name })
	if i < 0 {
		return tool{}, false
	}
	return tools[i], true
}

// toolsCall calls a tool that changes nothing.
func (r *run) toolsCall(rev revision) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		s, err := r.at(rev)
		if err != nil {
			return "", err
		}
		if r.tools[rev] == nil {
			return "", skip("tools/list failed")
		}
		t, arguments, ok := harmless(r.tools[rev])
		if !ok {
			return "", skip("no tool says that it only reads")
		}
		result, err := r.callTool(ctx, s, t.Name, arguments)
		if err != nil {
			return "", fmt.Errorf("%s: %w", t.Name, err)
		}
		switch {
		case result.IsError:
			return "", wrong("%s answers with an error: %s", t.Name, result.text())
		case t.Output != nil && len(result.Structured) == 0:
			return "", wrong("%s has an output schema and answers without structuredContent", t.Name)
		}
		return t.Name, nil
	}
}

// harmless picks a tool that can be called without a second thought, with its
// arguments.
func harmless(tools []tool) (tool, object, bool) {
	if t, ok := find(tools, "search_products"); ok {
		return t, object{"limit": 1}, true
	}
	for _, t := range tools {
		if t.Annotations.ReadOnly && len(t.Input.Required) == 0 {
			return t, object{}, true
		}
	}
	return tool{}, nil, false
}

// toolResult is the result of a call.
type toolResult struct {
	Content []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	Structured json.RawMessage `json:"structuredContent"`
	IsError    bool            `json:"isError"`
}

// text is what a person would read.
func (t toolResult) text() string {
	var texts []string
	for _, c := range t.Content {
		if c.Type == "text" {
			texts = append(texts, c.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// callTool calls a tool. The error is an [*rpcError] where the server answered
// with one.
func (r *run) callTool(ctx context.Context, s session, name string, arguments object) (toolResult, error) {
	m, err := r.client.call(ctx, r.target, s, "tools/call", object{"name": name, "arguments": maps.Clone(arguments)})
	if err != nil {
		return toolResult{}, err
	}
	if m.err != nil {
		return toolResult{}, m.err
	}
	var result toolResult
	if err := m.into(&result); err != nil {
		return toolResult{}, err
	}
	if len(result.Content) == 0 {
		return toolResult{}, errors.New("the result has no content")
	}
	for _, c := range result.Content {
		if c.Type == "" {
			return toolResult{}, errors.New("the result has content without a type")
		}
	}
	return result, nil
}
