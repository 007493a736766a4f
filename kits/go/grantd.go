// Package grantdtest gives tests an OAuth server: real tokens, wrong ones, a clock and outages. Each method is a path of
// grantd's control listener, which `GET /_test` describes.
package grantdtest

import (
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Grantd is a running grantd.
type Grantd struct {
	Control   string            `json:"control"`
	Issuer    string            `json:"issuer"`
	Endpoints map[string]string `json:"endpoints"`
	Clients   []Client          `json:"clients"`
	pipe      io.Closer
}

// Client has all that it proves itself with.
type Client struct {
	ID             string         `json:"client_id"`
	Secret         string         `json:"client_secret"`
	TokenEndpoint  string         `json:"token_endpoint"`
	PrivateJWK     map[string]any `json:"private_jwk"`
	CertificatePEM string         `json:"certificate_pem"`
	PrivateKeyPEM  string         `json:"private_key_pem"`
	Curl           string         `json:"curl"`
}

// JSON is an object.
type JSON = map[string]any

var shared = sync.OnceValues(func() (*Grantd, error) { return start(os.Getenv("GRANTD_CONTROL")) })

// Shared is the one of this test binary, or of GRANTD_CONTROL. It ends with the process. Tests beside each other don't
// meet if each has a client of its own.
func Shared(t testing.TB) *Grantd {
	t.Helper()
	grantd, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return grantd
}

// Start starts one for this test alone, with further arguments of `grantd dev`; for a test that moves the clock.
func Start(t testing.TB, arguments ...string) *Grantd {
	t.Helper()
	grantd, err := start("", arguments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { grantd.pipe.Close() })
	return grantd
}

// start attaches to the control listener, or to a new one.
func start(control string, arguments ...string) (*Grantd, error) {
	grantd := &Grantd{Control: control}
	if control == "" {
		var err error
		if grantd.pipe, grantd.Control, err = startProcess(arguments); err != nil {
			return nil, err
		}
	}
	return grantd, grantd.call("GET", "", nil, grantd)
}

// Token is an access token that the client, which has a secret or a key, gets from the token endpoint. Its id suffices
// for one that the catalog has.
func (g *Grantd) Token(t testing.TB, client Client, audience, scope string) string {
	t.Helper()
	for _, known := range g.Clients {
		if known.ID == client.ID && client.TokenEndpoint == "" {
			client = known
		}
	}
	form := url.Values{"grant_type": {"client_credentials"}, "audience": {audience}, "scope": {scope}}
	if client.PrivateJWK != nil {
		made := ask[JSON](t, g, "POST", "/assertions", JSON{"client_id": client.ID})
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", made["client_assertion"].(string))
	}
	request := httptest.NewRequest("POST", client.TokenEndpoint, strings.NewReader(form.Encode()))
	request.RequestURI = ""
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client.PrivateJWK == nil {
		request.SetBasicAuth(url.QueryEscape(client.ID), url.QueryEscape(client.Secret))
	}
	var answer JSON
	if err := send(request, &answer); err != nil {
		t.Fatal(err)
	}
	return answer["access_token"].(string)
}

// Mint makes any token, signed by grantd's keys and asking no policy: claims, header, key, lifetime, flaw, …
func (g *Grantd) Mint(t testing.TB, members JSON) string {
	t.Helper()
	return ask[JSON](t, g, "POST", "/tokens", members)["access_token"].(string)
}

// Clock moves the clock of every rule: {"advance": "61m"}, {"set": "2026-12-31T23:59:50Z"}, {"freeze": true}. It is one
// for the process: a test that moves it beside others uses Start.
func (g *Grantd) Clock(t testing.TB, move JSON) time.Time {
	t.Helper()
	return time.Unix(ask[struct{ Unix int64 }](t, g, "PUT", "/clock", move).Unix, 0)
}

// Client is a new one, with the members of one in a catalog. Those left out are as of the first one there, with a secret.
// It ends with the test.
func (g *Grantd) Client(t testing.TB, members JSON) Client {
	t.Helper()
	client := ask[Client](t, g, "POST", "/clients", members)
	t.Cleanup(func() { _ = g.call("DELETE", client.path(), nil, nil) })
	return client
}

func (c Client) path() string { return "/clients/" + url.PathEscape(c.ID) }

// SetStatus makes a client active or disabled.
func (g *Grantd) SetStatus(t testing.TB, client Client, status string) {
	t.Helper()
	ask[any](t, g, "PATCH", client.path(), JSON{"status": status})
}

// Delete ends a client before the test ends.
func (g *Grantd) Delete(t testing.TB, client Client) {
	t.Helper()
	ask[any](t, g, "DELETE", client.path(), nil)
}

// Reset puts everything back to what it was at the start: clock, faults, requests, other issuers, clients, catalog,
// revocations. For tests one by one: t.Cleanup(func() { grantd.Reset(t) }).
func (g *Grantd) Reset(t testing.TB) {
	t.Helper()
	ask[any](t, g, "POST", "/reset", JSON{})
}

// ask asks the path below /_test.
func ask[T any](t testing.TB, g *Grantd, method, path string, body any) (answer T) {
	t.Helper()
	if err := g.call(method, path, body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
