// golang.org/x/oauth2/clientcredentials: its HTTP client calls an API that introspects the token.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type endpoints struct {
	TokenEndpoint         string `json:"token_endpoint"`
	IntrospectionEndpoint string `json:"introspection_endpoint"`
}

type metadata struct {
	endpoints
	Aliases endpoints `json:"mtls_endpoint_aliases"`
}

var styles = map[string]oauth2.AuthStyle{
	"AuthStyleAutoDetect": oauth2.AuthStyleAutoDetect,
	"AuthStyleInHeader":   oauth2.AuthStyleInHeader,
	"AuthStyleInParams":   oauth2.AuthStyleInParams,
}

func main() {
	server, err := discover(os.Getenv("ISSUER"))
	exitOn(err)
	api := httptest.NewServer(pricingAPI(server))
	defer api.Close()

	for name, style := range styles {
		for _, client := range []string{"CLIENT", "ASCII"} {
			settings := config(client, style, server)
			exitOn(callAs(settings.ClientID, settings.Client(context.Background()), api.URL))
		}
		fmt.Printf("x/oauth2: %s, introspected by the API\n", name)
	}
	exitOn(callWithKeys(server, api.URL))
	exitOn(callWithCertificates(server))
	exitOn(verifyWithOIDC(server))
	exitOn(expectRefusal(server))
}

func discover(issuer string) (metadata, error) {
	var found metadata
	answer, err := http.Get(issuer + "/.well-known/oauth-authorization-server")
	if err != nil {
		return found, err
	}
	defer answer.Body.Close()
	return found, json.NewDecoder(answer.Body).Decode(&found)
}

// pricingAPI lets in whose token is active, and says whom it saw.
func pricingAPI(server metadata) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seen, err := introspect(http.DefaultClient, server.IntrospectionEndpoint, bearer(r))
		answer(w, seen, err)
	}
}

type introspection struct {
	Active   bool   `json:"active"`
	ClientID string `json:"client_id"`
	Cnf      struct {
		Thumbprint string `json:"x5t#S256"`
	} `json:"cnf"`
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// introspect asks as the API.
func introspect(client *http.Client, endpoint, token string) (introspection, error) {
	var seen introspection
	request, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		return seen, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(os.Getenv("API_ID"), os.Getenv("API_SECRET"))
	answer, err := client.Do(request)
	if err != nil {
		return seen, err
	}
	defer answer.Body.Close()
	return seen, json.NewDecoder(answer.Body).Decode(&seen)
}

func answer(w http.ResponseWriter, seen introspection, err error) {
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadGateway)
	case !seen.Active:
		w.WriteHeader(http.StatusUnauthorized)
	default:
		json.NewEncoder(w).Encode(seen.ClientID)
	}
}

func config(variables string, style oauth2.AuthStyle, server metadata) *clientcredentials.Config {
	return &clientcredentials.Config{
		ClientID:       os.Getenv(variables + "_ID"),
		ClientSecret:   os.Getenv(variables + "_SECRET"),
		TokenURL:       server.TokenEndpoint,
		Scopes:         []string{"pricing:read"},
		EndpointParams: url.Values{"audience": {"pricing-api"}},
		AuthStyle:      style,
	}
}

// callAs calls the API, which must see this client.
func callAs(id string, client *http.Client, api string) error {
	answer, err := client.Get(api)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var seen string
	if err := json.NewDecoder(answer.Body).Decode(&seen); err != nil {
		return fmt.Errorf("the API answered %s: %w", answer.Status, err)
	}
	if seen != id {
		return fmt.Errorf("the API saw %q", seen)
	}
	return nil
}

func expectRefusal(server metadata) error {
	settings := config("CLIENT", oauth2.AuthStyleAutoDetect, server)
	settings.ClientSecret = "a-wrong-secret-0123"
	return refused(settings.Token(context.Background()))
}

func refused(_ *oauth2.Token, err error) error {
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) || refusal.ErrorCode != "invalid_client" || refusal.Response.StatusCode != 401 {
		return fmt.Errorf("it was not refused: %v", err)
	}
	return nil
}

func exitOn(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
