package oauth

import "net/http"

// metadata is what clients learn of the server (RFC 8414, section 2).
type metadata struct {
	Issuer            string   `json:"issuer"`
	Authorization     string   `json:"authorization_endpoint"`
	Token             string   `json:"token_endpoint"`
	Registration      string   `json:"registration_endpoint"`
	Revocation        string   `json:"revocation_endpoint"`
	Scopes            []string `json:"scopes_supported"`
	ResponseTypes     []string `json:"response_types_supported"`
	ResponseModes     []string `json:"response_modes_supported"`
	GrantTypes        []string `json:"grant_types_supported"`
	AuthMethods       []string `json:"token_endpoint_auth_methods_supported"`
	RevocationMethods []string `json:"revocation_endpoint_auth_methods_supported"`
	Challenges        []string `json:"code_challenge_methods_supported"`
	Locales           []string `json:"ui_locales_supported"`
	Documentation     string   `json:"service_documentation"`
	Issues            bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	Documents         bool     `json:"client_id_metadata_document_supported"`
}

func (s *Server) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	url := s.config.URL()
	none := []string{"none"}
	w.Header().Set("Cache-Control", "max-age=60")
	answer(w, http.StatusOK, metadata{
		Issuer:            url,
		Authorization:     url + "/authorize",
		Token:             url + "/token",
		Registration:      url + "/register",
		Revocation:        url + "/revoke",
		Scopes:            s.config.Offered.Names(),
		ResponseTypes:     []string{"code"},
		ResponseModes:     []string{"query"},
		GrantTypes:        []string{"authorization_code", "refresh_token"},
		AuthMethods:       none,
		RevocationMethods: none,
		Challenges:        []string{"S256"},
		Locales:           []string{chinese, english},
		Documentation:     "https://github.com/mcpstore/mcpstore/blob/main/docs/auth.md",
		Issues:            true,
		Documents:         !s.config.NoDocuments && s.documents.reachable(),
	})
}
