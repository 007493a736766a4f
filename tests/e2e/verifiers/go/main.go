// golang-jwt and go-oidc as their documentation has them. A line for each token: library, token, verdict.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
)

func main() {
	ctx := context.Background()
	issuer, audience := os.Getenv("ISSUER"), os.Getenv("AUDIENCE")
	keys, err := keyfunc.NewDefaultCtx(ctx, []string{os.Getenv("JWKS_URI")})
	if err != nil {
		log.Fatal(err)
	}
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		log.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: audience})

	text, err := os.ReadFile(os.Getenv("TOKENS"))
	if err != nil {
		log.Fatal(err)
	}
	var tokens []struct {
		Name  string `json:"name"`
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(text, &tokens); err != nil {
		log.Fatal(err)
	}
	for _, it := range tokens {
		_, err := jwt.Parse(it.Token, keys.Keyfunc,
			jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer(issuer), jwt.WithAudience(audience))
		tell("golang-jwt", it.Name, err)
		_, err = verifier.Verify(ctx, it.Token)
		tell("go-oidc", it.Name, err)
	}
}

func tell(library, name string, err error) {
	verdict := "accepted"
	if err != nil {
		verdict = "refused"
	}
	fmt.Printf("%s\t%s\t%s\n", library, name, verdict)
}
