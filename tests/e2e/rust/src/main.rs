//! The `oauth2` crate: a token by both methods, introspected by the API that it is for; then what APIs use.

mod readers;
mod verify;

use std::collections::HashSet;
use std::env;
use std::error::Error;

use oauth2::basic::BasicClient;
use oauth2::reqwest::blocking::Client as HttpClient;
use oauth2::reqwest::redirect::Policy;
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, IntrospectionUrl, Scope,
    TokenIntrospectionResponse, TokenResponse, TokenUrl,
};
use serde_json::Value;

type Client = BasicClient<EndpointNotSet, EndpointNotSet, EndpointSet, EndpointNotSet, EndpointSet>;

fn main() -> Result<(), Box<dyn Error>> {
    let http = HttpClient::builder().redirect(Policy::none()).build()?;
    let metadata = discover(&http)?;
    let api = client("API", AuthType::BasicAuth, &metadata)?;
    for client_variables in ["CLIENT", "ASCII"] {
        for method in [AuthType::BasicAuth, AuthType::RequestBody] {
            let name = format!("{client_variables} by {method:?}");
            let client = client(client_variables, method, &metadata)?;
            get_and_introspect(&http, &client, &api)?;
            println!("oauth2: {name}, introspected");
        }
    }
    readers::read(&http)
}

fn discover(http: &HttpClient) -> Result<Value, Box<dyn Error>> {
    let url = format!("{}/.well-known/oauth-authorization-server", env::var("ISSUER")?);
    Ok(serde_json::from_slice(&http.get(url).send()?.bytes()?)?)
}

fn client(variables: &str, method: AuthType, metadata: &Value) -> Result<Client, Box<dyn Error>> {
    let endpoint = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
    Ok(BasicClient::new(ClientId::new(env::var(format!("{variables}_ID"))?))
        .set_client_secret(ClientSecret::new(env::var(format!("{variables}_SECRET"))?))
        .set_auth_type(method)
        .set_token_uri(TokenUrl::new(endpoint("token_endpoint"))?)
        .set_introspection_url(IntrospectionUrl::new(endpoint("introspection_endpoint"))?))
}

fn get_and_introspect(
    http: &HttpClient,
    client: &Client,
    api: &Client,
) -> Result<(), Box<dyn Error>> {
    let token = client
        .exchange_client_credentials()
        .add_scope(Scope::new("pricing:read".to_owned()))
        .add_extra_param("audience", "pricing-api")
        .request(http)?;
    let granted: HashSet<&str> =
        token.scopes().into_iter().flatten().map(|scope| scope.as_str()).collect();
    assert_eq!(granted, HashSet::from(["pricing:read"]));

    let seen = api.introspect(token.access_token()).request(http)?;
    assert!(seen.active());
    assert_eq!(seen.client_id(), Some(client.client_id()));
    Ok(())
}
