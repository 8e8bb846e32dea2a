package tools

import (
	"context"
	"regexp"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/mcpstore/mcpstore/internal/tools/card"
)

// uiExtension is the name of MCP Apps among the extensions of the protocol
// (SEP-1865, the revision of 2026-01-26).
const uiExtension = "io.modelcontextprotocol/ui"

// cardRef is what a tool's _meta.ui says where hosts show its answers as a card.
var cardRef = map[string]any{"resourceUri": card.URI()}

// uiCapability tells clients that there are cards.
func uiCapability() map[string]any {
	return map[string]any{uiExtension: map[string]any{"mimeTypes": []string{card.MIMEType}}}
}

// addCard offers the card as the resource that tools name. It is not listed:
// the list is of stores, for people to pick from.
func addCard(srv *mcpserver.MCPServer) {
	srv.AddResource(mcp.Resource{URI: card.URI(), Name: "stock-card", Title: "庫存卡片 Stock card", MIMEType: card.MIMEType},
		func(_ context.Context, q mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{mcp.TextResourceContents{
				URI: q.Params.URI, MIMEType: card.MIMEType, Text: card.HTML(), Meta: card.Meta(),
			}}, nil
		})
}

// anyCard matches the URI of this card, and of those that earlier versions had,
// which hosts ask for again when a conversation is opened again.
var anyCard = regexp.MustCompile(`^ui://mcpstore/stock-card-[0-9a-f]+\.html$`)
