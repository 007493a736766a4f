// oauth2-proxy as a library: its OIDC provider and its loader of bearer tokens (--skip-jwt-bearer-tokens) in front of an
// API that is told whom they saw.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"

	"github.com/justinas/alice"
	middlewareapi "github.com/oauth2-proxy/oauth2-proxy/v7/pkg/apis/middleware"
	"github.com/oauth2-proxy/oauth2-proxy/v7/pkg/apis/options"
	"github.com/oauth2-proxy/oauth2-proxy/v7/pkg/middleware"
	"github.com/oauth2-proxy/oauth2-proxy/v7/providers"
)

func main() {
	api := httptest.NewServer(guarded("pricing-api"))
	defer api.Close()
	other := httptest.NewServer(guarded("https://api.example/other"))
	defer other.Close()

	token := auditorToken()
	status, seen := call(api.URL, "Bearer "+token)
	if want := os.Getenv("AUDITOR_ID") + " [auditors]"; status != http.StatusOK || seen != want {
		log.Fatalf("the API answered %d, %q", status, seen)
	}
	fmt.Printf("oauth2-proxy: the API saw %s\n", seen)
	for what, refused := range map[string]struct{ url, header string }{
		"another API's token": {other.URL, "Bearer " + token},
		"a forged token":      {api.URL, "Bearer " + token[:strings.LastIndex(token, ".")] + ".AAAA"},
	} {
		if status, seen := call(refused.url, refused.header); status != http.StatusForbidden {
			log.Fatalf("%s was answered %d, %q", what, status, seen)
		}
		fmt.Printf("oauth2-proxy: %s, refused\n", what)
	}
}

// guarded is an API behind oauth2-proxy, whose client id is the audience. It finds all else by discovery.
func guarded(audience string) http.Handler {
	provider, err := providers.NewProvider(options.Provider{
		ID:           "grantd",
		Type:         options.OIDCProvider,
		ClientID:     audience,
		ClientSecret: "unused",
		OIDCConfig: options.OIDCOptions{
			IssuerURL:      os.Getenv("ISSUER"),
			AudienceClaims: []string{"aud"},
			EmailClaim:     "sub",
			GroupsClaim:    "groups",
		},
	})
	exitOn(err)
	loaders := []middlewareapi.TokenToSessionFunc{provider.CreateSessionFromToken}
	chain := alice.New(middleware.NewScope(false, "X-Request-Id", nil), middleware.NewJwtSessionLoader(loaders, false))
	return chain.ThenFunc(func(w http.ResponseWriter, r *http.Request) {
		session := middlewareapi.GetRequestScope(r).Session
		if session == nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, session.User, " ", session.Groups)
	})
}

func call(api, authorization string) (int, string) {
	request, err := http.NewRequest(http.MethodGet, api, nil)
	exitOn(err)
	request.Header.Set("Authorization", authorization)
	answer, err := http.DefaultClient.Do(request)
	exitOn(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	exitOn(err)
	return answer.StatusCode, string(body)
}

func auditorToken() string {
	form := url.Values{"grant_type": {"client_credentials"}, "audience": {"pricing-api"}}
	request, err := http.NewRequest(http.MethodPost, os.Getenv("ISSUER")+"/oauth2/token", strings.NewReader(form.Encode()))
	exitOn(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(os.Getenv("AUDITOR_ID"), os.Getenv("AUDITOR_SECRET"))
	answer, err := http.DefaultClient.Do(request)
	exitOn(err)
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	exitOn(json.NewDecoder(answer.Body).Decode(&token))
	return token.AccessToken
}

func exitOn(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
