// go-oidc, the library behind oauth2-proxy, Kubernetes and Vault: by discovery alone it verifies a token of each algorithm.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"golang.org/x/oauth2/clientcredentials"
)

var algorithmOf = map[string]string{
	"pricing-api":               "ES256",
	"https://api.example/eddsa": "EdDSA",
	"https://api.example/rs256": "RS256",
	"https://api.example/ps256": "PS256",
}

func verifyWithOIDC(server metadata) error {
	ctx := context.Background()
	for audience, algorithm := range algorithmOf {
		token, err := auditorToken(ctx, server, audience)
		if err != nil {
			return err
		}
		verifier, err := newVerifier(ctx, os.Getenv("ISSUER"), audience)
		if err != nil {
			return err
		}
		seen, err := verify(ctx, verifier, token)
		if err != nil {
			return fmt.Errorf("%s: %w", algorithm, err)
		}
		if seen.ClientID != os.Getenv("AUDITOR_ID") || !strings.HasSuffix(seen.Scope, ":read") {
			return fmt.Errorf("%s: the API saw %+v", algorithm, seen)
		}
		other, err := newVerifier(ctx, os.Getenv("ISSUER"), "https://api.example/other")
		if err != nil {
			return err
		}
		if _, err := verify(ctx, other, token); err == nil {
			return fmt.Errorf("%s: another API took the token", algorithm)
		}
		fmt.Printf("go-oidc: verified %s\n", algorithm)
	}
	return nil
}

func auditorToken(ctx context.Context, server metadata, audience string) (string, error) {
	settings := clientcredentials.Config{
		ClientID:       os.Getenv("AUDITOR_ID"),
		ClientSecret:   os.Getenv("AUDITOR_SECRET"),
		TokenURL:       server.TokenEndpoint,
		EndpointParams: url.Values{"audience": {audience}},
	}
	token, err := settings.Token(ctx)
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}
