// golang.org/x/oauth2 with a client assertion (RFC 7523), which go-jose signs.
package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.PS256}

// keyed gets tokens with a key (private_key_jwt). Each takes an assertion of its own, which x/oauth2 knows
// as parameters only.
type keyed struct {
	server metadata
	signer jose.Signer
}

func (k keyed) Token() (*oauth2.Token, error) {
	assertion, err := k.sign(time.Now())
	if err != nil {
		return nil, err
	}
	settings := &clientcredentials.Config{
		ClientID: os.Getenv("KEY_ID"),
		TokenURL: k.server.TokenEndpoint,
		Scopes:   []string{"pricing:read"},
		EndpointParams: url.Values{
			"client_assertion_type": {assertionType},
			"client_assertion":      {assertion},
		},
		AuthStyle: oauth2.AuthStyleInParams,
	}
	return settings.Token(context.Background())
}

func (k keyed) sign(now time.Time) (string, error) {
	return jwt.Signed(k.signer).Claims(jwt.Claims{
		Issuer:   os.Getenv("KEY_ID"),
		Subject:  os.Getenv("KEY_ID"),
		Audience: jwt.Audience{os.Getenv("ISSUER")},
		IssuedAt: jwt.NewNumericDate(now),
		Expiry:   jwt.NewNumericDate(now.Add(time.Minute)),
		ID:       rand.Text(),
	}).Serialize()
}

// newKeyed takes the key that tests/e2e/keys made for the algorithm.
func newKeyed(algorithm jose.SignatureAlgorithm, server metadata) (keyed, error) {
	kid := strings.ToLower(string(algorithm))
	text, err := os.ReadFile(filepath.Join(os.Getenv("KEYS"), kid+".pem"))
	if err != nil {
		return keyed{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return keyed{}, errors.New(kid + ".pem holds no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return keyed{}, err
	}
	signing := jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: kid}}
	signer, err := jose.NewSigner(signing, nil)
	return keyed{server, signer}, err
}

// callWithKeys calls the API twice with each algorithm, each time with a new token.
func callWithKeys(server metadata, api string) error {
	for _, algorithm := range algorithms {
		source, err := newKeyed(algorithm, server)
		if err != nil {
			return err
		}
		client := oauth2.NewClient(context.Background(), source)
		for range 2 {
			if err := callAs(os.Getenv("KEY_ID"), client, api); err != nil {
				return fmt.Errorf("%s: %w", algorithm, err)
			}
		}
		fmt.Printf("x/oauth2: private_key_jwt, %s, introspected by the API\n", algorithm)
	}
	return nil
}
