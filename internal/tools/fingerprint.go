package tools

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	mcpserver "github.com/mark3labs/mcp-go/server"
)

// Fingerprint stands for all that srv tells of its tools: it is another when
// anything of that changes, which a client that keeps the list does not see by
// itself.
func Fingerprint(srv *mcpserver.MCPServer) string {
	definitions := make(map[string]any)
	for name, t := range srv.ListTools() {
		definitions[name] = t.Tool
	}
	text, err := json.Marshal(definitions) // in the order of the names
	if err != nil {
		panic(err) // tools are listed as JSON all the time
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
