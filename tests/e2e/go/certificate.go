// golang.org/x/oauth2 with a client certificate (RFC 8705): for the token, and for the API that it is bound for.
package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// callWithCertificates calls the API as each client that proves itself by a certificate.
func callWithCertificates(server metadata) error {
	trusted, err := trust()
	if err != nil {
		return err
	}
	ours := httptest.NewUnstartedServer(boundAPI(server, connecting(trusted)))
	ours.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	ours.StartTLS()
	defer ours.Close()
	trusted.RootCAs.AddCert(ours.Certificate())

	for _, id := range []string{os.Getenv("MESH_ID"), os.Getenv("LEDGER_ID")} {
		if err := callWithCertificate(id, server, trusted, ours.URL); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		fmt.Printf("x/oauth2: mutual TLS, %s, bound, introspected by the API\n", id)
	}
	return nil
}

func callWithCertificate(id string, server metadata, trusted *tls.Config, api string) error {
	settings := &clientcredentials.Config{
		ClientID:  id,
		TokenURL:  server.Aliases.TokenEndpoint,
		AuthStyle: oauth2.AuthStyleInParams,
	}
	own, err := with(trusted, id)
	if err != nil {
		return err
	}
	if err := callAs(id, settings.Client(own), api); err != nil {
		return err
	}
	other, err := with(trusted, os.Getenv("API_ID"))
	if err != nil {
		return err
	}
	if err := refused(settings.Token(other)); err != nil {
		return fmt.Errorf("with another's certificate: %w", err)
	}
	nobody := context.WithValue(context.Background(), oauth2.HTTPClient, connecting(trusted))
	if err := refused(settings.Token(nobody)); err != nil {
		return fmt.Errorf("without a certificate: %w", err)
	}
	// The API takes a stolen token from nobody else.
	token, err := settings.Token(own)
	if err != nil {
		return err
	}
	stolen := oauth2.NewClient(other, oauth2.StaticTokenSource(token))
	if callAs(id, stolen, api) == nil {
		return errors.New("the API took a token with another's certificate")
	}
	return nil
}

// trust is what vouches for grantd.
func trust() (*tls.Config, error) {
	text, err := os.ReadFile(os.Getenv("CA_FILE"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("CA_FILE holds no certificate")
	}
	return &tls.Config{RootCAs: roots}, nil
}

// with is a context whose HTTP client has the certificate that grantd made for a client.
func with(trusted *tls.Config, id string) (context.Context, error) {
	file := filepath.Join(os.Getenv("DATA"), "client-"+id)
	certificate, err := tls.LoadX509KeyPair(file+".pem", file+".key")
	if err != nil {
		return nil, err
	}
	settings := trusted.Clone()
	settings.Certificates = []tls.Certificate{certificate}
	return context.WithValue(context.Background(), oauth2.HTTPClient, connecting(settings)), nil
}

func connecting(settings *tls.Config) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: settings}}
}

// boundAPI lets in whose token is bound to the certificate of the connection.
func boundAPI(server metadata, grantd *http.Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seen, err := introspect(grantd, server.Aliases.IntrospectionEndpoint, bearer(r))
		print := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
		if seen.Cnf.Thumbprint != base64.RawURLEncoding.EncodeToString(print[:]) {
			seen.Active = false
		}
		answer(w, seen, err)
	}
}
