package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// reworded is the answer to a message in which those of mcp-go's errors that
// are no use to a caller are put in words of ours.
type reworded struct {
	mcpserver.HTTPResponseWriter
	m message
}

// Write gets a whole JSON-RPC message, as mcp-go writes them.
func (w *reworded) Write(p []byte) (int, error) {
	switch w.m.method {
	case string(mcp.MethodToolsList), string(mcp.MethodPromptsList), string(mcp.MethodResourcesList), string(mcp.MethodResourcesTemplatesList),
		string(mcp.MethodResourcesRead), string(mcp.MethodToolsCall), string(mcp.MethodPromptsGet):
		if better := w.m.reword(p); better != nil {
			if _, err := w.HTTPResponseWriter.Write(better); err != nil {
				return 0, err
			}
			return len(p), nil
		}
	}
	return w.HTTPResponseWriter.Write(p)
}

// reword returns an answer to m with another error in it, or nil where there
// is no need.
func (m message) reword(answer []byte) []byte {
	if !bytes.Contains(answer, []byte(`"error":{`)) {
		return nil
	}
	var e mcp.JSONRPCError
	if json.Unmarshal(answer, &e) != nil {
		return nil
	}
	const noTool, noPrompt = "' not found: tool not found", "' not found: prompt not found"
	const noResource, end = "handler not found for resource URI '", "': " + "resource not found"
	text := e.Error.Message
	switch inner, is := strings.CutPrefix(text, noResource); {
	case is:
		// What follows the URI is the handlers' reason.
		reason, _ := strings.CutPrefix(strings.TrimSuffix(inner, end), m.name)
		uri := clipTo(m.name, maxShownURI)
		e.Error.Message = fmt.Sprintf("resource not found: %s%s", shown(uri), clipTo(reason, maxShownURI))
		e.Error.Data = map[string]string{"uri": uri}
	case strings.HasSuffix(text, noTool):
		e.Error.Message = "tool not found: " + shown(clipTo(m.name, maxShownName))
	case strings.HasSuffix(text, noPrompt):
		e.Error.Message = "prompt not found: " + shown(clipTo(m.name, maxShownName))
	case strings.HasPrefix(text, "illegal base64 data"):
		e.Error.Message = "params.cursor must be the nextCursor of the page before; leave it out for the first page"
	default:
		return nil
	}
	better, err := json.Marshal(e)
	if err != nil {
		return nil
	}
	return append(better, '\n')
}

// How many bytes of a URI and of a name an error repeats.
const (
	maxShownURI  = 256
	maxShownName = 100
)

// shown returns text without characters that control a terminal or the direction
// of writing.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '\ufffd'
		}
		return r
	}, text)
}
