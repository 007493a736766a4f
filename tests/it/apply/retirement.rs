//! What was retired stays so, whatever a catalog states.

use grantd::domain::timestamp::Timestamp;

use super::*;

/// A credential of each kind, with these members beside its value.
fn catalog(generated: &str, more: &str) -> String {
    let table = |value: &str| format!("{{ value = {value}{more} }}");
    let key =
        r#"'{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'"#;
    format!(
        "[[client]]\nid = \"many\"\n\
         auth = [\"client_secret_basic\", \"private_key_jwt\", \"self_signed_tls_client_auth\", \
         \"tls_client_auth\"]\n\
         secrets = [{}, {}]\njwks = [{}]\nthumbprints = [{}]\nsubject_dn = {}\n",
        table("\"an imported secret\""),
        table(&format!("\"{generated}\"")),
        table(key),
        table("\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\""),
        table("\"CN=many,O=Example\""),
    )
}

on_both! {
    async fn a_catalog_that_states_a_later_retirement_revives_no_credential(env) {
        let generated = random::generated_secret(&random::credential_id()).expose().to_owned();
        let later = catalog(&generated, ", retired_at = \"2026-06-01T00:00:00Z\"");
        env.apply(&later).await;
        for credential in env.credentials("many").await {
            env.retire(&credential.id, false).await;
        }
        let plan = env.apply(&later).await;
        assert_eq!(plan.changes(), 0, "{:?}", plan.steps);
        let told = "already retires at 2026-01-01T00:00:00Z";
        let warned = plan.warnings.iter().filter(|it| it.contains(told)).count();
        assert_eq!(warned, 5, "{:?}", plan.warnings);
        let credentials = env.credentials("many").await;
        assert_eq!(credentials.len(), 5);
        for credential in &credentials {
            assert_eq!(credential.retired_at, Some(Timestamp::from_unix(START)), "{credential:?}");
        }

        // Nor does one that states none, and what is exported is what holds.
        let exported = env.exported().await;
        for silent in [catalog(&generated, ""), exported] {
            let plan = env.apply(&silent).await;
            assert_eq!(plan.changes(), 0, "{:?}", plan.steps);
            let is_told = plan.warnings.iter().any(|it| it.contains("retires at"));
            assert!(!is_told, "{:?}", plan.warnings);
        }
        // An earlier one holds.
        let earlier = catalog(&generated, ", retired_at = \"2025-06-01T00:00:00Z\"");
        assert_eq!(env.apply(&earlier).await.count(Action::Changed), 5);
        assert_eq!(env.apply(&later).await.changes(), 0);
    }
}
