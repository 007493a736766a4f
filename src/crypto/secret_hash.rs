//! argon2id hashes of client secrets (RFC 9106) as PHC strings; the only user of the argon2 crate.

use std::fmt;
use std::str::FromStr;

use argon2::password_hash::phc::{Error as PhcError, Output, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::domain::secret_format::Secret;

/// The longest PHC string that is looked at, in bytes.
const MAX_PHC_LENGTH: usize = 512;
const MAX_MEMORY_KIB: u32 = 64 * 1024;
const MAX_PASSES: u32 = 8;
const MAX_LANES: u32 = 4;
const MIN_OUTPUT: usize = 16;
const OUTPUT: usize = 32;

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl HashCost {
    /// For generated secrets: 256 random bits need no slow hash.
    pub const GENERATED: Self = Self {
        memory_kib: 256,
        passes: 1,
        lanes: 1,
    };
    /// For imported secrets, whose entropy is unknown: about 15 ms.
    pub const IMPORTED: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };

    /// Within what RFC 9106 section 3.1 allows and what one request may use.
    const fn is_permitted(self) -> bool {
        self.lanes >= 1
            && self.lanes <= MAX_LANES
            && self.passes >= 1
            && self.passes <= MAX_PASSES
            && self.memory_kib >= 8 * self.lanes
            && self.memory_kib <= MAX_MEMORY_KIB
    }
}

/// Why a hash is not accepted, or cannot be computed.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretHashError {
    #[error("not a PHC string; the form is $argon2id$v=19$m=…,t=…,p=…$salt$hash")]
    Form,
    #[error("the hash is not argon2id; import the secret itself, or make a new one")]
    Function,
    #[error("the argon2 version is not 19")]
    Version,
    #[error("the parameters of an argon2id hash are m, t and p, each once")]
    Parameters,
    #[error("a hash may use 8 KiB per lane to 65536 KiB, 1 to 8 passes, 1 to 4 lanes")]
    Cost,
    #[error("a salt has 8 to 48 bytes")]
    Salt,
    #[error("a hash has 16 to 64 bytes")]
    Output,
    #[error("argon2id could not be computed")]
    Computation,
}

/// An argon2id hash with its salt and its cost. `Display` gives the PHC string, `Debug` hides it.
#[derive(Clone)]
pub struct PhcHash {
    cost: HashCost,
    salt: Vec<u8>,
    output: Vec<u8>,
}

/// Hashes `secret`; `salt` has 8 to 48 bytes, the hash 32.
///
/// # Errors
/// A salt or a cost past the bounds, or no memory.
pub fn hash(secret: &Secret, salt: &[u8], cost: HashCost) -> Result<PhcHash, SecretHashError> {
    compute(secret, salt, cost, OUTPUT)
}

impl PhcHash {
    /// The cost at which it was made.
    #[must_use]
    pub const fn cost(&self) -> HashCost {
        self.cost
    }

    /// Its salt.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// Whether `secret` is the one that was hashed; recomputes at this hash's own cost.
    #[must_use]
    pub fn verify(&self, secret: &Secret) -> bool {
        compute(secret, &self.salt, self.cost, self.output.len())
            .is_ok_and(|computed| computed.same_output(self))
    }

    /// Whether both outputs are the same bytes, in constant time. Under one salt and cost that
    /// means: the same secret.
    #[must_use]
    pub fn same_output(&self, other: &Self) -> bool {
        self.output.ct_eq(&other.output).into()
    }
}

impl FromStr for PhcHash {
    type Err = SecretHashError;

    fn from_str(text: &str) -> Result<Self, SecretHashError> {
        if text.len() > MAX_PHC_LENGTH {
            return Err(SecretHashError::Form);
        }
        let parsed = PasswordHash::new(text).map_err(|error| match error {
            PhcError::SaltTooShort | PhcError::SaltTooLong => SecretHashError::Salt,
            PhcError::OutputSize { .. } => SecretHashError::Output,
            _ => SecretHashError::Form,
        })?;
        if parsed.algorithm != ARGON2ID_IDENT {
            return Err(SecretHashError::Function);
        }
        if parsed.version != Some(Version::V0x13.into()) {
            return Err(SecretHashError::Version);
        }
        let cost = parsed_cost(&parsed)?;
        let salt = parsed.salt.ok_or(SecretHashError::Salt)?;
        let output = parsed.hash.ok_or(SecretHashError::Output)?;
        if output.len() < MIN_OUTPUT {
            return Err(SecretHashError::Output);
        }
        Ok(Self {
            cost,
            salt: salt.as_ref().to_vec(),
            output: output.as_bytes().to_vec(),
        })
    }
}

impl fmt::Display for PhcHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HashCost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        let salt = STANDARD_NO_PAD.encode(&self.salt);
        let output = STANDARD_NO_PAD.encode(&self.output);
        write!(
            f,
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${output}"
        )
    }
}

impl fmt::Debug for PhcHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhcHash")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

/// The cost of a PHC string that has exactly m, t and p. `keyid` and `data` are refused, because
/// the crate ignores them.
fn parsed_cost(parsed: &PasswordHash) -> Result<HashCost, SecretHashError> {
    let decimal = |name| {
        parsed
            .params
            .get_decimal(name)
            .ok_or(SecretHashError::Parameters)
    };
    let cost = HashCost {
        memory_kib: decimal("m")?,
        passes: decimal("t")?,
        lanes: decimal("p")?,
    };
    if parsed.params.iter().count() != 3 {
        return Err(SecretHashError::Parameters);
    }
    if cost.is_permitted() {
        Ok(cost)
    } else {
        Err(SecretHashError::Cost)
    }
}

fn compute(
    secret: &Secret,
    salt: &[u8],
    cost: HashCost,
    output_length: usize,
) -> Result<PhcHash, SecretHashError> {
    if !(Salt::MIN_LENGTH..=Salt::MAX_LENGTH).contains(&salt.len()) {
        return Err(SecretHashError::Salt);
    }
    if !cost.is_permitted() {
        return Err(SecretHashError::Cost);
    }
    let HashCost {
        memory_kib,
        passes,
        lanes,
    } = cost;
    let params = Params::new(memory_kib, passes, lanes, Some(output_length))
        .map_err(|_| SecretHashError::Cost)?;
    let mut output = vec![0; output_length.min(Output::MAX_LENGTH)];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret.expose().as_bytes(), salt, &mut output)
        .map_err(|_| SecretHashError::Computation)?;
    Ok(PhcHash {
        cost,
        salt: salt.to_vec(),
        output,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by the reference implementation (phc-winner-argon2, `src/test.c`) from "password".
    const REFERENCE: [&str; 2] = [
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    ];

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_hash_of_another_implementation_is_verified() {
        for text in REFERENCE {
            let hash: PhcHash = text.parse().unwrap();
            assert!(hash.verify(&secret("password")));
            assert!(!hash.verify(&secret("passwore")));
            assert_eq!(hash.to_string(), text);
        }
    }

    #[test]
    fn a_hash_reads_back_and_judges_only_its_secret() {
        let made = hash(&secret("right"), b"salt of 16 bytes", HashCost::GENERATED).unwrap();
        let read: PhcHash = made.to_string().parse().unwrap();
        assert!(read.same_output(&made));
        assert_eq!(read.cost(), HashCost::GENERATED);
        assert_eq!(read.salt(), b"salt of 16 bytes");
        assert!(read.verify(&secret("right")));
        let other = hash(&secret("wrong"), b"salt of 16 bytes", HashCost::GENERATED).unwrap();
        assert!(!other.same_output(&made));
    }

    #[test]
    fn a_hash_hides_itself() {
        let made = hash(&secret("right"), b"saltsalt", HashCost::GENERATED).unwrap();
        let shown = format!("{made:?}");
        assert!(!shown.contains(&STANDARD_NO_PAD.encode(&made.output)));
        assert!(!shown.contains("output"));
    }

    #[test]
    fn what_is_no_bounded_argon2id_hash_is_refused() {
        let [salt, long] = ["c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"];
        let cases = [
            (String::new(), SecretHashError::Form),
            ("secret".to_owned(), SecretHashError::Form),
            (
                format!("$argon2id$v=19$m=256,t=1,p=1${salt}${long}$x"),
                SecretHashError::Form,
            ),
            (
                format!("$argon2id$v=19$m=256,t=1,p=1$YQ${long}"),
                SecretHashError::Salt,
            ),
            (
                format!("$argon2id$v=19${}", "a".repeat(600)),
                SecretHashError::Form,
            ),
            (
                format!("$argon2i$v=19$m=256,t=1,p=1${salt}${long}"),
                SecretHashError::Function,
            ),
            (
                format!("$argon2id$v=16$m=256,t=1,p=1${salt}${long}"),
                SecretHashError::Version,
            ),
            (
                format!("$argon2id$m=256,t=1,p=1${salt}${long}"),
                SecretHashError::Version,
            ),
            (
                format!("$argon2id$v=19$m=256,t=1${salt}${long}"),
                SecretHashError::Parameters,
            ),
            (
                format!("$argon2id$v=19$m=256,t=1,p=1,keyid=8PDw8A${salt}${long}"),
                SecretHashError::Parameters,
            ),
            (
                format!("$argon2id$v=19$m=65537,t=1,p=1${salt}${long}"),
                SecretHashError::Cost,
            ),
            (
                format!("$argon2id$v=19$m=4294967295,t=1,p=1${salt}${long}"),
                SecretHashError::Cost,
            ),
            (
                format!("$argon2id$v=19$m=256,t=9,p=1${salt}${long}"),
                SecretHashError::Cost,
            ),
            (
                format!("$argon2id$v=19$m=256,t=1,p=5${salt}${long}"),
                SecretHashError::Cost,
            ),
            (
                format!("$argon2id$v=19$m=8,t=1,p=2${salt}${long}"),
                SecretHashError::Cost,
            ),
            (
                format!("$argon2id$v=19$m=0,t=0,p=0${salt}${long}"),
                SecretHashError::Cost,
            ),
            (
                format!("$argon2id$v=19$m=256,t=1,p=1${salt}"),
                SecretHashError::Output,
            ),
            (
                format!("$argon2id$v=19$m=256,t=1,p=1${salt}$CTFhFdXPJO1aFaMaO6Mm"),
                SecretHashError::Output,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<PhcHash>().unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn a_hash_past_the_bounds_is_not_made() {
        let beyond = HashCost {
            memory_kib: 70_000,
            passes: 1,
            lanes: 1,
        };
        assert_eq!(
            hash(&secret("x"), b"saltsalt", beyond).unwrap_err(),
            SecretHashError::Cost
        );
        let short = hash(&secret("x"), b"salt", HashCost::GENERATED);
        assert_eq!(short.unwrap_err(), SecretHashError::Salt);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(\\$argon2id)?(\\$v=19)?[$a-zA-Z0-9=,+/]{0,80}") {
            let _ = text.parse::<PhcHash>();
        }
    }
}
