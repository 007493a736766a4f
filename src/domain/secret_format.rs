//! The form of secrets: `grantd_` + credential id + `_` + 43 characters + 6 characters checksum.
//!
//! Scanners can find a secret of this form, a typo is refused before any hash is computed, and the
//! credential id inside makes one look-up and one hash suffice however many secrets overlap.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::identifier::CredentialId;

/// How every generated secret begins.
pub const PREFIX: &str = "grantd_";
/// Characters of a generated secret.
pub const LENGTH: usize = 67;
/// Characters of the checksum at its end.
pub const CHECKSUM_LENGTH: usize = 6;
/// The longest secret that is looked at, in bytes; a longer one is refused unhashed.
pub const MAX_LENGTH: usize = 1024;
/// The shortest secret that may be imported outside `grantd dev`.
pub const MIN_IMPORTED_LENGTH: usize = 16;

/// A client secret in clear: wiped on drop, hidden in `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret in clear: for hashing, and for printing it once where it was made.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// What a presented secret looks like. The look, never the client, picks the cost of judging it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresentedForm {
    /// The generated form with a correct checksum: it names its credential.
    Generated(CredentialId),
    /// Begins like a generated one, but is none: mistyped, cut or forged.
    Malformed,
    /// Too long to be looked at, or not printable ASCII.
    Impossible(Oddity),
    /// Anything else: it may have been imported.
    Other,
}

/// What the form of a wrong secret says about the mistake, without showing the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A line break at an end, as `echo` and editors leave behind.
    LineBreak,
    /// A space or a tab at an end.
    Blank,
    /// Over [`MAX_LENGTH`].
    TooLong,
    /// A character that is not printable ASCII.
    Unprintable,
}

impl Oddity {
    /// The first of them that `secret` has.
    #[must_use]
    pub fn of(secret: &Secret) -> Option<Self> {
        let text = secret.expose();
        if text.len() > MAX_LENGTH {
            return Some(Self::TooLong);
        }
        let unprintable = || (!is_printable(text)).then_some(Self::Unprintable);
        Self::around(text).or_else(unprintable)
    }

    /// What stands around `text` that is no part of it, whatever else it is: an assertion has such ends as well.
    #[must_use]
    pub fn around(text: &str) -> Option<Self> {
        let ends = |kind: &[char]| text.starts_with(kind) || text.ends_with(kind);
        if ends(&['\n', '\r']) {
            Some(Self::LineBreak)
        } else {
            ends(&[' ', '\t']).then_some(Self::Blank)
        }
    }

    /// What was found.
    #[must_use]
    pub const fn found(self) -> &'static str {
        match self {
            Self::LineBreak => "one with a line break at its beginning or end",
            Self::Blank => "one with a space or tab at its beginning or end",
            Self::TooLong => "a longer one",
            Self::Unprintable => "one with other characters",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::LineBreak => {
                "let the client cut it off: a file written by echo or an editor ends in a line break, one by printf '%s' does not"
            }
            Self::Blank => "let the client cut the blanks off",
            Self::TooLong | Self::Unprintable => {
                "give the client its secret again; an assertion or a token is no client_secret"
            }
        }
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// Tells the form of `secret`; `checksum` computes the checksum of what stands before it.
#[must_use]
pub fn presented_form(secret: &Secret, checksum: impl Fn(&str) -> String) -> PresentedForm {
    let text = secret.expose();
    if text.len() > MAX_LENGTH || !is_printable(text) {
        return PresentedForm::Impossible(Oddity::of(secret).unwrap_or(Oddity::Unprintable));
    }
    if !text.starts_with(PREFIX) {
        return PresentedForm::Other;
    }
    generated_id(text, checksum).map_or(PresentedForm::Malformed, PresentedForm::Generated)
}

/// Puts a generated secret together; `random` is 43 characters base64url.
#[must_use]
pub fn assemble(id: &CredentialId, random: &str, checksum: impl Fn(&str) -> String) -> Secret {
    let mut text = format!("{PREFIX}{id}_{random}");
    let sum = checksum(&text);
    text.push_str(&sum);
    Secret::new(text)
}

fn generated_id(text: &str, checksum: impl Fn(&str) -> String) -> Option<CredentialId> {
    if text.len() != LENGTH {
        return None;
    }
    let (body, sum) = text.split_at_checked(LENGTH - CHECKSUM_LENGTH)?;
    let (id, random) = body
        .strip_prefix(PREFIX)?
        .split_at_checked(CredentialId::LENGTH)?;
    let id = CredentialId::parse(id).ok()?;
    let random = random.strip_prefix('_')?;
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (random.bytes().all(base64url) && checksum(body) == sum).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(text: &str) -> String {
        format!(
            "{:06}",
            text.bytes().map(u32::from).sum::<u32>() % 1_000_000
        )
    }

    #[test]
    fn a_generated_secret_names_its_credential_and_survives_no_typo() {
        let id = CredentialId::parse("k3v9x0q2ma").unwrap();
        let secret = assemble(&id, &"A".repeat(43), sum);
        assert_eq!(secret.expose().len(), LENGTH);
        assert_eq!(presented_form(&secret, sum), PresentedForm::Generated(id));
        let typo = Secret::new(secret.expose().replacen('A', "B", 1));
        assert_eq!(presented_form(&typo, sum), PresentedForm::Malformed);
        let cut = Secret::new(secret.expose()[..60].to_owned());
        assert_eq!(presented_form(&cut, sum), PresentedForm::Malformed);
    }

    #[test]
    fn what_no_secret_can_be_is_refused_unhashed() {
        for (text, oddity) in [
            ("é".to_owned(), Oddity::Unprintable),
            ("a\nb".to_owned(), Oddity::Unprintable),
            ("ab\n".to_owned(), Oddity::LineBreak),
            ("\r\nab".to_owned(), Oddity::LineBreak),
            ("ab\t".to_owned(), Oddity::Blank),
            ("x".repeat(1025), Oddity::TooLong),
        ] {
            assert_eq!(
                presented_form(&Secret::new(text), sum),
                PresentedForm::Impossible(oddity)
            );
        }
        assert_eq!(
            presented_form(&Secret::new("x".repeat(1024)), sum),
            PresentedForm::Other
        );
    }

    #[test]
    fn a_secret_hides_itself() {
        assert_eq!(
            format!("{:?}", Secret::new("marked".to_owned())),
            "Secret(hidden)"
        );
    }
}
