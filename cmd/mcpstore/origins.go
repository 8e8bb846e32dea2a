package main

import (
	"fmt"
	"net/url"
)

// checkOrigins refuses what no browser sends as an origin (RFC 6454, section
// 6.1), since it would never match.
func checkOrigins(origins []string) error {
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return &usageError{fmt.Errorf("--allow-origin %q is not an origin", origin), "give a scheme and a host without a path, such as https://inspector.example"}
		}
	}
	return nil
}
