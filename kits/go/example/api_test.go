package prices

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
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

func get(api *API, header http.Header) *httptest.ResponseRecorder {
	request, answer := httptest.NewRequest("GET", "/prices", nil), httptest.NewRecorder()
	request.Header = header
	api.ServeHTTP(answer, request)
	return answer
}

func TestItTakesGoodTokensAndNoOthers(t *testing.T) {
	grantd := grantdtest.Shared(t)
	api := api(t, grantd)
	grantd.Battery(t, "pricing-api", url.Values{"scope": {"pricing:read"}}, func(t *testing.T, token grantdtest.Case) {
		token.Check(t, get(api, token.Header()).Code)
	})
}

func TestItKnowsWhoCalls(t *testing.T) {
	grantd := grantdtest.Shared(t)
	token := grantd.Token(t, grantdtest.Client{ID: "orders-service"}, "pricing-api", "pricing:read")
	answer := get(api(t, grantd), http.Header{"Authorization": {"Bearer " + token}})
	if !strings.Contains(answer.Body.String(), `"caller":"orders-service"`) {
		t.Fatal(answer.Code, answer.Body)
	}
}
