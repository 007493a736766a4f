// Package prices is a small API that grantd's tokens protect.
package prices

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

const scope = "pricing:read"

// API is `GET /prices`, which needs the scope pricing:read.
type API struct{ verifier *oidc.IDTokenVerifier }

// NewAPI reads the issuer's metadata.
func NewAPI(ctx context.Context, issuer, audience string) (*API, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	return &API{provider.Verifier(&oidc.Config{ClientID: audience})}, nil
}

type caller struct {
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	// go-oidc also takes a text that is a number.
	Expires float64 `json:"exp"`
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent := r.Header["Authorization"]
	if len(sent) != 1 || !strings.HasPrefix(strings.ToLower(sent[0]), "bearer ") {
		refuse(w, http.StatusUnauthorized, "Bearer")
		return
	}
	caller, err := a.verify(r.Context(), sent[0][len("Bearer "):])
	switch {
	case err != nil:
		refuse(w, http.StatusUnauthorized, `Bearer error="invalid_token"`)
	case !slices.Contains(strings.Split(caller.Scope, " "), scope):
		refuse(w, http.StatusForbidden, `Bearer error="insufficient_scope", scope="`+scope+`"`)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"caller": caller.ClientID, "tea": 3})
	}
}

// verify checks signature, issuer, audience and times, which go-oidc does, and that it is an access token (RFC 9068).
func (a *API) verify(ctx context.Context, token string) (caller, error) {
	var seen caller
	verified, err := a.verifier.Verify(ctx, token)
	if err != nil {
		return seen, err
	}
	if !isAccessToken(token) {
		return seen, http.ErrNotSupported
	}
	return seen, verified.Claims(&seen)
}

// isAccessToken reads the header of a token that is verified already.
func isAccessToken(token string) bool {
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var header struct{ Typ string }
	if err != nil || json.Unmarshal(text, &header) != nil {
		return false
	}
	return strings.TrimPrefix(strings.ToLower(header.Typ), "application/") == "at+jwt"
}

func refuse(w http.ResponseWriter, status int, challenge string) {
	w.Header().Set("WWW-Authenticate", challenge)
	w.WriteHeader(status)
}
