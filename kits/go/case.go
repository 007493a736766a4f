package grantdtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// Case is one token of the battery.
type Case struct {
	Name, Why, Standard string
	MustAccept          bool
	AccessToken         string            `json:"access_token"`
	Headers             map[string]string // Exactly what to send.
	Status              Statuses          // Those that are right for a refusal.
	Verdict             string            // What it is if an API does otherwise.
	CachedForSeconds    int               `json:"cached_for_seconds"`
	CertificatePEM      string            `json:"certificate_pem"`
	PrivateKeyPEM       string            `json:"private_key_pem"`
}

// Statuses is one number or a list of them.
type Statuses []int

// UnmarshalJSON takes both.
func (s *Statuses) UnmarshalJSON(text []byte) error {
	var one int
	if json.Unmarshal(text, &one) == nil {
		*s = Statuses{one}
		return nil
	}
	return json.Unmarshal(text, (*[]int)(s))
}

// Header is what to send, for an http.Request.
func (c Case) Header() http.Header {
	header := http.Header{}
	for name, value := range c.Headers {
		header.Set(name, value)
	}
	return header
}

// Judge says what an answer with this status comes to: ok, note, hole or fault.
func (c Case) Judge(status int) string {
	switch isTaken := status/100 == 2; {
	case status >= 500:
		return "fault"
	case isTaken != c.MustAccept && c.CachedForSeconds == 0:
		return c.Verdict
	case isTaken == c.MustAccept && (c.MustAccept || slices.Contains(c.Status, status)):
		return "ok"
	}
	return "note" // Also where an API may still have the key in its cache.
}

// Check fails for a hole or a fault. A note passes: no standard demands otherwise.
func (c Case) Check(t testing.TB, status int) {
	t.Helper()
	if verdict := c.Judge(status); verdict == "hole" || verdict == "fault" {
		t.Errorf("%s: %d for %q. %s (%s)", verdict, status, c.Name, c.Why, c.Standard)
	}
}

// Battery runs a test for each token for the audience. `query` may have client_id, scope, binding, method, url and
// introspects.
func (g *Grantd) Battery(t *testing.T, audience string, query url.Values, test func(*testing.T, Case)) {
	t.Helper()
	path := "/tokens?audience=" + url.QueryEscape(audience) + "&" + query.Encode()
	lists := ask[struct{ Accept, Refuse []Case }](t, g, "GET", path, nil)
	for i := range lists.Accept {
		lists.Accept[i].MustAccept = true
	}
	for _, it := range append(lists.Accept, lists.Refuse...) {
		t.Run(it.Name, func(t *testing.T) { test(t, it) })
	}
}
