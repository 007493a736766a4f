package prices

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Client is an http.RoundTripper that asks for a token as seldom as it can, and never calls without one. x/oauth2 gets
// and keeps the token, and lets one caller ask for all. What it lacks is here: after a 401 a fresh token, once.
type Client struct {
	settings clientcredentials.Config
	lock     sync.Mutex
	tokens   oauth2.TokenSource
}

// NewClient has no token yet.
func NewClient(settings clientcredentials.Config) *Client {
	client := &Client{settings: settings}
	client.tokens = client.fresh()
	return client
}

// fresh begins without a token. A token is renewed ten seconds before it expires.
func (c *Client) fresh() oauth2.TokenSource {
	hasty := &http.Client{Timeout: 10 * time.Second}
	return c.settings.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, hasty))
}

// RoundTrip sends the request, and one without a body once more after a 401: the key of the token may have been retired.
func (c *Client) RoundTrip(request *http.Request) (*http.Response, error) {
	tokens := c.current()
	answer, err := send(request, tokens)
	isOver := request.Body != nil // It was read.
	if err != nil || answer.StatusCode != http.StatusUnauthorized || isOver {
		return answer, err
	}
	answer.Body.Close()
	return send(request, c.after(tokens))
}

func (c *Client) current() oauth2.TokenSource {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.tokens
}

// after is the source that follows one whose token was refused. Of many callers whose token was the first makes it.
func (c *Client) after(refused oauth2.TokenSource) oauth2.TokenSource {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.tokens == refused {
		c.tokens = c.fresh()
	}
	return c.tokens
}

func send(request *http.Request, tokens oauth2.TokenSource) (*http.Response, error) {
	return (&oauth2.Transport{Source: tokens}).RoundTrip(request)
}
