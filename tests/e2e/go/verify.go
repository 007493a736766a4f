package main

import (
	"context"

	"github.com/coreos/go-oidc/v3/oidc"
)

// newVerifier reads the metadata once: it makes a new one when the API gets another algorithm.
func newVerifier(ctx context.Context, issuer, audience string) (*oidc.IDTokenVerifier, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	return provider.Verifier(&oidc.Config{ClientID: audience}), nil
}

type caller struct {
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
}

// verify checks signature, issuer, audience and times, and says who calls.
func verify(ctx context.Context, verifier *oidc.IDTokenVerifier, token string) (caller, error) {
	var seen caller
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return seen, err
	}
	return seen, verified.Claims(&seen)
}
