package prices

import (
	"slices"
	"testing"
	"time"

	"grantd.example/grantdtest"
)

func TestAFaultStrikesAsOftenAsItShould(t *testing.T) {
	t.Parallel()
	grantd := grantdtest.Shared(t)
	client := grantd.Client(t, grantdtest.JSON{"auth": "private_key_jwt"})
	id := grantd.AddFault(t, grantdtest.Fault{
		Endpoint: "token", ClientID: client.ID, After: 1, Times: 1, Status: 200, Headers: map[string]string{"X-Struck": "yes"},
	})
	for range 3 {
		grantd.Token(t, client, "", "")
	}
	faults := grantd.Faults(t)
	struck := slices.IndexFunc(faults, func(it grantdtest.Fault) bool { return it.ID == id && it.Struck == 1 })
	seen := grantd.Await(t, grantdtest.Filter{ClientID: client.ID, Outcome: "issued", Count: 3, Within: "5s"})
	if struck < 0 || seen[0].Fault != 0 || seen[1].Fault != id || time.Since(seen[2].At) > time.Hour {
		t.Fatal(faults, seen)
	}
	if rest := grantd.Requests(t, grantdtest.Filter{ClientID: client.ID, After: seen[1].ID}); len(rest) != 1 {
		t.Fatal(rest)
	}
}

func TestAResetPutsEverythingBack(t *testing.T) {
	t.Parallel()
	grantd := grantdtest.Start(t)
	client := grantd.Client(t, grantdtest.JSON{})
	grantd.AddFault(t, grantdtest.Fault{Status: 503})
	later := grantd.Clock(t, grantdtest.JSON{"advance": "61m"})
	grantd.SetStatus(t, client, "disabled")
	grantd.Reset(t)
	now := grantd.Clock(t, grantdtest.JSON{"freeze": true})
	if faults := grantd.Faults(t); len(faults) > 0 || !now.Before(later) {
		t.Fatal(faults, now)
	}
	seen := grantdtest.Client{ID: "orders-service"}
	grantd.Token(t, seen, "pricing-api", "pricing:read")
	if all := grantd.Requests(t, grantdtest.Filter{}); len(all) != 1 {
		t.Fatal(all)
	}
}
