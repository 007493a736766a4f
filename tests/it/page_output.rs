//! What the commands of pages print, where a page does not say it.

use crate::page_block::Block;
use crate::place::Ended;

/// Whether a block gave what its commands are for.
pub(crate) fn check_output(block: &Block, ended: &Ended) {
    let (text, output) = (&block.text, &ended.stdout);
    // Not those whose answer goes into a variable or a pipe.
    let tokens = text
        .lines()
        .filter(|line| line.ends_with("/oauth2/token") || line.ends_with("\"$TOKEN_ENDPOINT\""));
    let got = output.matches("\"access_token\":").count();
    if text.contains("/_test/tokens") && !text.contains("$(") {
        assert!(got > 0, "{}: {ended:?}", block.at);
    } else if !text.contains("/_test") {
        assert_eq!(got, tokens.count(), "{}: {ended:?}", block.at);
    }
    if text.contains("/oauth2/revoke") {
        assert_eq!(output, "{\"active\":false}", "{}", block.at);
    } else if text.contains("token-introspection+jwt") {
        let parts = output.split('.').count();
        assert!(
            output.starts_with("eyJ") && parts == 3,
            "{}: {ended:?}",
            block.at
        );
    } else if text.contains("/oauth2/introspect") {
        assert!(
            output.starts_with("{\"active\":true,"),
            "{}: {ended:?}",
            block.at
        );
    }
    if text.contains("grantd verify-api") {
        let told = "no holes, no faults, no notes\n";
        assert!(output.ends_with(told), "{}: {ended:?}", block.at);
    } else if text.contains("/documents") {
        assert!(
            output.contains("\"read_by\":\"reports\""),
            "{}: {ended:?}",
            block.at
        );
    }
    if text.contains("/_test/clock") {
        assert!(
            output.contains("\"offset_seconds\":3660"),
            "{}: {ended:?}",
            block.at
        );
    } else if text.contains("-X PUT") && text.contains("/_test/issuers") {
        assert!(output.contains("\"jwks_uri\":"), "{}: {ended:?}", block.at);
    } else if text.contains("/_test\n") || text.contains("/_test/openapi.json") {
        assert!(output.contains("/_test/clock"), "{}: {ended:?}", block.at);
    } else if text.contains("/_test/") {
        let is_refused = output.contains("invalid_request") || output.contains("not_found");
        assert!(!is_refused, "{}: {ended:?}", block.at);
    }
    if text.contains("token inspect --data") {
        assert!(
            ended.stderr.contains(": right, by "),
            "{}: {ended:?}",
            block.at
        );
    }
    if text.contains("grantd token inspect\n") {
        let told: String = output.split_whitespace().collect();
        assert!(
            told.contains(r#""region":"eu","roles":["reader"]"#),
            "{}: {ended:?}",
            block.at
        );
    }
    if text.contains("dgst -sha256") {
        let (token, thumbprint) = output.trim_end().rsplit_once('\n').unwrap();
        assert!(
            thumbprint.len() == 43 && token.contains(thumbprint),
            "{}: {ended:?}",
            block.at
        );
    }
    let repeats = text.starts_with("grantd apply catalog.toml --config");
    if text.contains("--prune") || repeats {
        let last = output.lines().last().unwrap();
        assert!(last.starts_with("nothing to do"), "{}: {ended:?}", block.at);
    }
}
