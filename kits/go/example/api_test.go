package prices

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"testing"

	"grantd.example/grantdtest"
)

func api(t *testing.T, grantd *grantdtest.Grantd) *API {
	api, err := NewAPI(t.Context(), grantd.Issuer, "pricing-api")
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func TestItTakesGoodTokensAndNoOthers(t *testing.T) {
	grantd := grantdtest.Shared(t)
	api := api(t, grantd)
	grantd.Battery(t, "pricing-api", url.Values{"scope": {"pricing:read"}}, func(t *testing.T, token grantdtest.Case) {
		request, answer := httptest.NewRequest("GET", "/prices", nil), httptest.NewRecorder()
		request.Header = token.Header()
		api.ServeHTTP(answer, request)
		token.Check(t, answer.Code)
	})
}

func TestItKnowsWhoCalls(t *testing.T) {
	t.Parallel()
	grantd := grantdtest.Shared(t)
	token := grantd.Token(t, grantdtest.Client{ID: "orders-service"}, "pricing-api", "pricing:read")
	request, answer := httptest.NewRequest("GET", "/prices", nil), httptest.NewRecorder()
	request.Header.Set("Authorization", "Bearer "+token)
	api(t, grantd).ServeHTTP(answer, request)
	var seen struct{ Caller string }
	if err := json.Unmarshal(answer.Body.Bytes(), &seen); err != nil || seen.Caller != "orders-service" {
		t.Fatalf("%v: %s", answer.Code, answer.Body)
	}
}
