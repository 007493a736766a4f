package prices

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"grantd.example/grantdtest"
)

// shop is a client of an API that counts how often it is called.
type shop struct {
	grantd *grantdtest.Grantd
	client grantdtest.Client
	http   http.Client
	url    string
	calls  atomic.Int32
}

// newShop has a client of its own, so that tests beside each other don't meet. Its API is that of this package where
// none is given.
func newShop(t *testing.T, other http.Handler) *shop {
	grantd := grantdtest.Shared(t)
	handler := other
	if handler == nil {
		handler = api(t, grantd)
	}
	it := &shop{grantd: grantd, client: grantd.Client(t, grantdtest.JSON{"policy": []grantdtest.JSON{{"audience": "pricing-api", "scopes": []string{scope}}}})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		it.calls.Add(1)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	it.url = server.URL + "/prices"
	it.http.Transport = NewClient(clientcredentials.Config{
		ClientID:     it.client.ID,
		ClientSecret: it.client.Secret,
		TokenURL:     it.client.TokenEndpoint,
		Scopes:       []string{scope},
		AuthStyle:    oauth2.AuthStyleInHeader,
	})
	return it
}

// get gives the status of the API's answer, 0 where there is none.
func (c *shop) get() int {
	answer, err := c.http.Get(c.url)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

// nextToken makes what the client gets next a token with these members, which is said to expire in so many seconds.
func (c *shop) nextToken(t *testing.T, members grantdtest.JSON, seconds int) {
	maps.Copy(members, grantdtest.JSON{"client_id": c.client.ID, "audience": "pricing-api", "scope": scope})
	token := c.grantd.Mint(t, members)
	body := grantdtest.JSON{"access_token": token, "token_type": "Bearer", "expires_in": seconds}
	c.grantd.AddFault(t, grantdtest.Fault{Endpoint: "token", ClientID: c.client.ID, Times: 1, Status: 200, Body: body})
}

// expect says how often the API was called, and what became of each request for a token.
func (c *shop) expect(t *testing.T, calls int32, outcomes ...string) {
	t.Helper()
	var found []string
	for _, it := range c.grantd.Requests(t, grantdtest.Filter{Endpoint: "token", ClientID: c.client.ID}) {
		found = append(found, it.Outcome)
	}
	if c.calls.Load() != calls || !slices.Equal(found, outcomes) {
		t.Fatalf("%d calls and %v, not %d and %v", c.calls.Load(), found, calls, outcomes)
	}
}

func TestATokenIsUsedWhileTheTokenEndpointIsDown(t *testing.T) {
	t.Parallel()
	shop := newShop(t, nil)
	first := shop.get()
	shop.grantd.AddFault(t, grantdtest.Fault{Endpoint: "token", ClientID: shop.client.ID, Status: 503})
	if second := shop.get(); first != 200 || second != 200 {
		t.Fatal(first, second)
	}
	shop.expect(t, 2, "issued")
	if waste := shop.grantd.Waste(t, shop.client); waste.Wasted != 0 {
		t.Fatal(waste)
	}
}

func TestWithoutATokenItDoesNotCall(t *testing.T) {
	t.Parallel()
	shop := newShop(t, nil)
	fault := shop.grantd.AddFault(t, grantdtest.Fault{Endpoint: "token", ClientID: shop.client.ID, Status: 503})
	if status := shop.get(); status != 0 {
		t.Fatal(status)
	}
	shop.expect(t, 0, "fault")
	shop.grantd.RemoveFault(t, fault)
	if status := shop.get(); status != 200 {
		t.Fatal(status)
	}
}

func TestAHundredCallersAtExpiryAskForOneToken(t *testing.T) {
	t.Parallel()
	shop := newShop(t, nil)
	shop.nextToken(t, grantdtest.JSON{}, 5)
	var refused atomic.Int32
	get := func() {
		if shop.get() != 200 {
			refused.Add(1)
		}
	}
	get()
	var callers sync.WaitGroup
	for range 100 {
		callers.Go(get)
	}
	callers.Wait()
	if refused.Load() != 0 {
		t.Fatal(refused.Load())
	}
	shop.expect(t, 101, "fault", "issued")
}

func TestAfterA401ItTriesOnceMoreWithAFreshToken(t *testing.T) {
	t.Parallel()
	shop := newShop(t, nil)
	shop.nextToken(t, grantdtest.JSON{"issuer": "staging"}, 300)
	if status := shop.get(); status != 200 {
		t.Fatal(status)
	}
	shop.expect(t, 2, "fault", "issued")
}

func TestAnAPIThatAlwaysRefusesIsAskedTwice(t *testing.T) {
	t.Parallel()
	shop := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	if status := shop.get(); status != 401 {
		t.Fatal(status)
	}
	shop.expect(t, 2, "issued", "issued")
}
