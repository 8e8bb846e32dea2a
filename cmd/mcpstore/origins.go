package main

import (
	"fmt"

	"github.com/mcpstore/mcpstore/internal/server"
)

// checkOrigins refuses what would match no origin that a browser sends, or too
// many.
func checkOrigins(origins []string) error {
	for _, origin := range origins {
		if err := server.CheckOrigin(origin); err != nil {
			return &usageError{fmt.Errorf("--allow-origin %q %w", origin, err), "give a scheme and a host without a path, such as https://inspector.example, https://*.example.com, chrome-extension://… or app://obsidian.md"}
		}
	}
	return nil
}
