package grantdtest

import (
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"
)

// Fault is where answers go wrong, and how: docs/testing.md has each member. A ClientID keeps it away from other tests.
type Fault struct {
	ID             int               `json:"id,omitempty"`
	Struck         int               `json:"struck,omitempty"` // How often it did.
	Endpoint       string            `json:"endpoint,omitempty"`
	ClientID       string            `json:"client_id,omitempty"`
	After          int               `json:"after,omitempty"`
	Times          int               `json:"times,omitempty"`
	Probability    *float64          `json:"probability,omitempty"`
	Status         int               `json:"status,omitempty"`
	Headers        map[string]string `json:"headers,omitempty"`
	Body           any               `json:"body,omitempty"`
	Delay          string            `json:"delay,omitempty"`
	Close          bool              `json:"close,omitempty"`
	Truncate       *int              `json:"truncate,omitempty"`
	BytesPerSecond int               `json:"bytes_per_second,omitempty"`
	Lie            string            `json:"lie,omitempty"`
}

// Filter says which requests are meant. After is the id of the last one that is not. Count and Within, such as 5s, are for
// Await.
type Filter struct {
	Endpoint string `json:"endpoint,omitempty"`
	ClientID string `json:"client_id,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	After    int    `json:"after,omitempty"`
	Count    int    `json:"count,omitempty"`
	Within   string `json:"within,omitempty"`
}

// Request is one that came. What is secret is shown by its length alone.
type Request struct {
	ID, Fault                                     int
	At                                            time.Time
	Endpoint, HTTP, Method                        string
	Outcome                                       string // issued, active, inactive, revoked, served, fault, abandoned or an error code.
	Judged                                        string // What it would have been without the fault.
	ClientID                                      string `json:"client_id"`
	RequestID                                     string `json:"request_id"`
	Check, Headers, Form, Assertion, Proof, Token JSON
}

// Waste counts a client's tokens. Those are wasted that it got while an equal one had more than half of its life left.
type Waste struct{ Tokens, Wasted int }

// AddFault orders one, which ends with the test, and gives its id.
func (g *Grantd) AddFault(t testing.TB, fault Fault) int {
	t.Helper()
	id := ask[Fault](t, g, "POST", "/faults", fault).ID
	t.Cleanup(func() { _ = g.call("DELETE", fmt.Sprint("/faults/", id), nil, nil) })
	return id
}

// Faults are those that there are.
func (g *Grantd) Faults(t testing.TB) []Fault {
	t.Helper()
	return ask[[]Fault](t, g, "GET", "/faults", nil)
}

// RemoveFault ends one before the test ends.
func (g *Grantd) RemoveFault(t testing.TB, id int) {
	t.Helper()
	ask[any](t, g, "DELETE", fmt.Sprint("/faults/", id), nil)
}

// ClearFaults ends all.
func (g *Grantd) ClearFaults(t testing.TB) {
	t.Helper()
	ask[any](t, g, "DELETE", "/faults", nil)
}

// Requests are those of the last 1,000 that fit, oldest first.
func (g *Grantd) Requests(t testing.TB, which Filter) []Request {
	t.Helper()
	query := url.Values{"after": {strconv.Itoa(which.After)}}
	named := [][2]string{{"endpoint", which.Endpoint}, {"client_id", which.ClientID}, {"outcome", which.Outcome}}
	for _, it := range named {
		if it[1] != "" {
			query.Set(it[0], it[1])
		}
	}
	return ask[[]Request](t, g, "GET", "/requests?"+query.Encode(), nil)
}

// Await gives the first Count of them as soon as they have come. If they don't, the test fails and says what did come.
func (g *Grantd) Await(t testing.TB, which Filter) []Request {
	t.Helper()
	return ask[[]Request](t, g, "POST", "/requests/await", which)
}

// Waste says whether a client caches its tokens.
func (g *Grantd) Waste(t testing.TB, client Client) Waste {
	t.Helper()
	return ask[Waste](t, g, "GET", client.path()+"/waste", nil)
}
