//! What a command refuses, by the rules of the catalog, and what it says then.

use grantd::config::catalog::CatalogClient;
use grantd::domain::client::Client;
use grantd::domain::profile::Profile;
use grantd::operations::apply_catalog::ApplyOptions;
use grantd::operations::change_client::{create_client, disable_client, enable_client};

use super::make;
use crate::harness::*;
use crate::site::Site;

on_both! {
    async fn what_is_wrong_is_told_with_what_may_be_meant(env) {
        let site = Site::new(env).await;
        make(&site);
        let before = site.env.store.all_clients().await.unwrap();
        for (line, told) in [
            ("client show report", "there is no client report; did you mean reports?"),
            ("client disable raeder", "there is no client raeder; did you mean reader?"),
            ("client enable nobody", "there is no client nobody; `grantd client list`"),
            ("client delete nobody --yes", "there is no client nobody"),
            ("client revoke-tokens nobody", "there is no client nobody"),
            ("client create reader", "client reader already exists; `grantd client show 'reader'`"),
            ("credential list raeder", "did you mean reader?"),
            ("credential add-secret raeder", "did you mean reader?"),
            ("policy list --client raeder", "did you mean reader?"),
            ("policy allow raeder pricing", "did you mean reader?"),
            ("policy allow reader prising", "there is no audience prising; the nearest is pricing"),
            ("policy allow reader pricing --scope raed", "raed is not a scope of pricing; the nearest is read"),
            ("policy allow reports stock-api --scope stock:read --default-scope x", "x is not among the policy's `scopes`"),
            ("policy allow stock-api stock-api", "an audience may not have the id of the client"),
            ("policy deny reader stock-api", "reader has no policy for stock-api; it has one for pricing"),
            ("policy deny api pricing", "api has no policy for pricing; it has none at all"),
            ("policy deny reader pricing --scope writ", "reader is not allowed writ at pricing; it is allowed read, write"),
            ("policy list --audience prising", "there is no audience prising; the nearest is pricing"),
            ("audience show prising", "the nearest is pricing; `grantd audience list`"),
            ("audience delete prising --yes", "the nearest is pricing"),
            ("audience create pricing --scope a", "audience pricing already exists"),
            ("audience create b --scope a --token-lifetime 2h --max-token-lifetime 1h", "2h is more than the audience's max_token_lifetime of 1h"),
            ("audience create b --scope a --algorithm EdDSA", "there is no sealing key to keep it with"),
        ] {
            let said = site.refused(line, 1);
            assert!(said.contains(told), "{line}: {said}");
        }
        for (line, told) in [
            ("client create a --auth client_secret_basik", "client_secret_basic"),
            ("audience create b --scope a --algorithm HS256", "ES256"),
            ("audience create b", "--scope"),
            ("credential retire", "CREDENTIAL"),
            ("credential retire k3v9x0q2ma --when-unused 1m", "give 2m or more"),
            ("credential retire --client reader", "--when-unused"),
        ] {
            let said = site.refused(line, 2);
            assert!(said.contains(told), "{line}: {said}");
        }
        assert_eq!(site.env.store.all_clients().await.unwrap(), before, "nothing was changed");
    }

    async fn an_audience_that_a_stranger_serves_is_warned_of(env) {
        let site = Site::new(env).await;
        let said = site.done("audience create b --scope a --served-by nobody");
        let warning = "warning: command line: audience b is served by nobody, which is not a client";
        assert!(said.stderr.contains(warning), "{said:?}");
    }

    /// What the profile forbids is not made; but a client that contradicts it can be stopped.
    async fn a_profile_forbids_to_make_and_never_to_stop(env) {
        env.apply(CATALOG).await;
        let options = ApplyOptions { profile: Profile::Fapi2, ..env.options() };
        let client: Client = serde_json::from_str(r#"{"id":"a","auth":"client_secret_basic"}"#).unwrap();
        let refused = create_client(&env.store, CatalogClient::bare(client), options).await.unwrap_err().to_string();
        assert!(refused.contains("client_secret_basic") && refused.starts_with("command line: "), "{refused}");
        let reader = grantd::domain::identifier::ClientId::parse("reader").unwrap();
        assert_eq!(disable_client(&env.store, &reader, options).await.unwrap().changes(), 1);
        assert!(enable_client(&env.store, &reader, options).await.is_err());
    }
}
