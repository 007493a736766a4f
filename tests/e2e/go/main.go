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

type metadata struct {
	TokenEndpoint         string `json:"token_endpoint"`
	IntrospectionEndpoint string `json:"introspection_endpoint"`
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
		exitOn(callAs("CLIENT", style, server, api.URL))
		exitOn(callAs("ASCII", style, server, api.URL))
		fmt.Printf("x/oauth2: %s, introspected by the API\n", name)
	}
	exitOn(callWithKeys(server, api.URL))
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
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		form := url.Values{"token": {token}}
		request, _ := http.NewRequest(http.MethodPost, server.IntrospectionEndpoint, strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(os.Getenv("API_ID"), os.Getenv("API_SECRET"))
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		var seen struct {
			Active   bool   `json:"active"`
			ClientID string `json:"client_id"`
		}
		if json.NewDecoder(answer.Body).Decode(&seen) != nil || !seen.Active {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
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

func callAs(variables string, style oauth2.AuthStyle, server metadata, api string) error {
	settings := config(variables, style, server)
	answer, err := settings.Client(context.Background()).Get(api)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var seen string
	if err := json.NewDecoder(answer.Body).Decode(&seen); err != nil {
		return fmt.Errorf("the API answered %s: %w", answer.Status, err)
	}
	if seen != settings.ClientID {
		return fmt.Errorf("the API saw %q", seen)
	}
	return nil
}

func expectRefusal(server metadata) error {
	settings := config("CLIENT", oauth2.AuthStyleAutoDetect, server)
	settings.ClientSecret = "a-wrong-secret-0123"
	_, err := settings.Token(context.Background())
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) || refusal.ErrorCode != "invalid_client" {
		return fmt.Errorf("a wrong secret ended in %v", err)
	}
	return nil
}

func exitOn(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
