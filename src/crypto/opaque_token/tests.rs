//! What holds of every token, whatever it says.

use proptest::prelude::*;

use super::*;

const ISSUER: &str = "https://auth.example";
const AUDIENCE: &str = "pricing";
const CLAIMS: &str =
    r#"{"iss":"https://auth.example","sub":"reader","aud":"pricing","scope":"read"}"#;

fn tokens() -> OpaqueTokens {
    OpaqueTokens::new(ISSUER, &SealingKeys::new(SealingKey::generate()))
}

fn bytes(token: &str) -> Vec<u8> {
    decode_base64url(token.strip_prefix(OPAQUE_PREFIX).unwrap()).unwrap()
}

fn text(bytes: &[u8]) -> String {
    format!("{OPAQUE_PREFIX}{}", base64url(bytes))
}

/// Where the head ends.
const HEAD: usize = 1 + KEY_ID_LENGTH + SALT_LENGTH + NONCE_LEN;

/// Runs of five bytes.
fn runs(bytes: &[u8]) -> std::collections::HashSet<&[u8]> {
    bytes.windows(5).collect()
}

/// OPQ-01: two tokens of equal claims are equally long, and have nothing in common behind the id of their key.
#[test]
fn tokens_of_equal_claims_are_equally_long_and_share_nothing() {
    let tokens = tokens();
    let sealed = || tokens.seal(AUDIENCE, CLAIMS.as_bytes()).unwrap();
    let (one, other) = (sealed(), sealed());
    assert_eq!(one.len(), other.len());
    let (one, other) = (bytes(&one), bytes(&other));
    let common = 1 + KEY_ID_LENGTH;
    assert_eq!(one[..common], other[..common]);
    let (one, other) = (&one[common..], &other[common..]);
    assert!(runs(one).is_disjoint(&runs(other)));
    let plain = runs(CLAIMS.as_bytes());
    assert!(runs(one).is_disjoint(&plain), "no claim can be read");
}

/// OPQ-02: what one issuer sealed for one audience says nothing of another.
#[test]
fn a_box_of_another_audience_or_issuer_does_not_open() {
    let sealing = SealingKeys::new(SealingKey::generate());
    let ours = OpaqueTokens::new(ISSUER, &sealing);
    let token = ours.seal(AUDIENCE, CLAIMS.as_bytes()).unwrap();
    let theirs = OpaqueTokens::new("https://other.example", &sealing);
    assert_eq!(theirs.open(&token).unwrap_err(), NotOpened::Altered);

    // Only the server could make it: an outer box that names another audience than the inner one is for.
    let bytes = bytes(&token);
    let (_, head, sealed) = Head::split(&bytes).unwrap();
    let outer = ours.outer_box(&ours.first, &head);
    let content = outer.open(sealed).unwrap();
    let named = String::from_utf8(content[2..9].to_vec()).unwrap();
    assert_eq!(named, AUDIENCE);
    let other = [&content[..2], b"billing", &content[9..]];
    let swapped = [&bytes[..HEAD], &outer.seal(&other).unwrap()].concat();
    assert_eq!(ours.open(&text(&swapped)).unwrap_err(), NotOpened::Altered);
}

/// OPQ-03.
#[test]
fn an_old_key_opens_and_one_that_is_gone_is_named() {
    let (old, new) = (SealingKey::generate(), SealingKey::generate());
    let before = OpaqueTokens::new(ISSUER, &SealingKeys::new(old.clone()));
    let token = before.seal(AUDIENCE, CLAIMS.as_bytes()).unwrap();
    let both = SealingKeys {
        first: new.clone(),
        old: vec![old.clone()],
    };
    let opened = OpaqueTokens::new(ISSUER, &both).open(&token).unwrap();
    assert_eq!(opened.key_id, old.id());
    assert_eq!(opened.audience, AUDIENCE);
    assert_eq!(*opened.claims, CLAIMS.as_bytes());
    let after = OpaqueTokens::new(ISSUER, &SealingKeys::new(new));
    let gone = NotOpened::UnknownKey(old.id());
    assert_eq!(after.open(&token).unwrap_err(), gone);
}

/// OPQ-02: no test can look at the clock; so what is counted is the boxes that were tried. One that does not open takes as
/// long wherever it was changed, as AES-GCM looks at its tag first.
#[test]
fn what_was_invented_and_what_was_changed_fail_at_the_same_step() {
    let tokens = tokens();
    let token = tokens.seal(AUDIENCE, CLAIMS.as_bytes()).unwrap();
    let mut changed = bytes(&token);
    let mut invented = random_bytes::<300>().to_vec();
    invented[0] = VERSION;
    invented.truncate(changed.len());
    *changed.last_mut().unwrap() ^= 1;
    let mut of_another_version = changed.clone();
    of_another_version[0] ^= 1;
    for (bytes, is_known) in [
        (changed, true),
        (invented, false),
        (of_another_version, true),
    ] {
        let (_, head, _) = Head::split(&bytes).unwrap();
        assert_eq!(*head.key_id == tokens.first.id, is_known);
        let before = TRIED.get();
        assert!(tokens.open(&text(&bytes)).is_err());
        assert_eq!(TRIED.get() - before, 1, "is known: {is_known}");
    }
}

#[test]
fn what_is_no_token_is_refused_for_its_form() {
    let token = tokens().seal(AUDIENCE, CLAIMS.as_bytes()).unwrap();
    let sealed = token.strip_prefix(OPAQUE_PREFIX).unwrap();
    let mut of_another_version = bytes(&token);
    of_another_version[0] = 2;
    for wrong in [
        String::new(),
        OPAQUE_PREFIX.to_owned(),
        sealed.to_owned(),
        format!("GRANTD_AT_{sealed}"),
        format!("grantd_{sealed}"),
        format!("{token}="),
        format!("{token}\n"),
        format!("{OPAQUE_PREFIX} {sealed}"),
        text(&bytes(&token)[..HEAD + TAG_LENGTH - 1]),
        text(&of_another_version),
    ] {
        assert_eq!(
            tokens().open(&wrong).unwrap_err(),
            NotOpened::Form,
            "{wrong}"
        );
    }
}

#[test]
fn an_audience_too_long_to_be_named_is_refused() {
    assert!(tokens().seal(&"a".repeat(65_536), b"{}").is_none());
    let longest = "a".repeat(65_535);
    let tokens = tokens();
    let token = tokens.seal(&longest, b"{}").unwrap();
    assert_eq!(tokens.open(&token).unwrap().audience, longest);
}

#[test]
fn debug_shows_the_ids_of_keys_alone() {
    let key = SealingKey::generate();
    let tokens = OpaqueTokens::new(ISSUER, &SealingKeys::new(key.clone()));
    let shown = format!("{tokens:?}");
    assert!(
        shown.contains(&format!("IssuerKey({})", key.id())),
        "{shown}"
    );
}

proptest! {
    /// OPQ-02: changed in any bit, cut, or extended.
    #[test]
    fn what_was_sealed_opens_and_what_was_changed_does_not(
        audience in ".{0,60}",
        claims in prop::collection::vec(any::<u8>(), 0..600),
        place in any::<prop::sample::Index>(),
        bit in 0..8,
        more in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let tokens = tokens();
        let token = tokens.seal(&audience, &claims).unwrap();
        let opened = tokens.open(&token).unwrap();
        prop_assert_eq!(&opened.audience, &audience);
        prop_assert_eq!(opened.claims.as_slice(), &claims);

        let whole = bytes(&token);
        let place = place.index(whole.len());
        let mut flipped = whole.clone();
        flipped[place] ^= 1u8 << bit;
        prop_assert!(tokens.open(&text(&flipped)).is_err());
        prop_assert!(tokens.open(&text(&whole[..place])).is_err());
        prop_assert!(tokens.open(&text(&[whole, more].concat())).is_err());
    }

    #[test]
    fn any_text_is_read_without_harm(text in ".{0,400}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let tokens = tokens();
        prop_assert!(tokens.open(&text).is_err());
        prop_assert!(tokens.open(&[OPAQUE_PREFIX, &text].concat()).is_err());
        prop_assert!(tokens.open(&super::tests::text(&bytes)).is_err());
    }
}
