//! The least length of an RSA key, and long keys that can be broken all the same: refused at registration (B-J07).
//!
//! By hand, because no crate in our tree looks at them: a verifier accepts such keys.

/// The fewest bits of a modulus that counts (RFC 7518 section 3.3).
pub(super) const LEAST_BITS: usize = 2048;

/// Why an RSA key is weak.
#[expect(missing_docs, reason = "the text of each says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RsaWeakness {
    #[error("the RSA exponent is less than 65537")]
    SmallExponent,
    #[error("the RSA modulus has a small divisor")]
    SmallDivisor,
    /// The modulus has the fingerprint of keys that a faulty chip library made (CVE-2017-15361, ROCA).
    #[error("the RSA key was made by a faulty library and can be factored (ROCA, CVE-2017-15361)")]
    Roca,
}

/// The primes of the ROCA fingerprint: moduli of the faulty library are powers of 65537 modulo each of them.
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Looks at modulus and exponent, both big-endian.
///
/// # Errors
/// See [`RsaWeakness`].
pub fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), RsaWeakness> {
    let exponent = e.iter().try_fold(0_u64, |value, byte| {
        Some(value.checked_mul(256)? + u64::from(*byte))
    });
    if exponent.is_some_and(|exponent| exponent < 65_537) {
        return Err(RsaWeakness::SmallExponent);
    }
    let even = n.last().is_none_or(|byte| byte % 2 == 0);
    if even || ROCA_PRIMES.iter().any(|prime| remainder(n, *prime) == 0) {
        return Err(RsaWeakness::SmallDivisor);
    }
    if ROCA_PRIMES
        .iter()
        .all(|prime| is_power(remainder(n, *prime), *prime))
    {
        return Err(RsaWeakness::Roca);
    }
    Ok(())
}

/// A big-endian number without zero octets in front, as a DER integer has one where its first bit is set.
pub(super) fn without_zeros(number: &[u8]) -> &[u8] {
    let from = number.iter().position(|byte| *byte != 0);
    number
        .get(from.unwrap_or(number.len())..)
        .unwrap_or_default()
}

/// The bits of a big-endian number, which its octets round up.
pub(super) fn bits(number: &[u8]) -> usize {
    let rest = without_zeros(number);
    let zeros = rest.first().map_or(0, |byte| byte.leading_zeros() as usize);
    rest.len() * 8 - zeros
}

fn remainder(n: &[u8], prime: u32) -> u32 {
    n.iter()
        .fold(0, |value, byte| (value * 256 + u32::from(*byte)) % prime)
}

/// Whether `value` is a power of 65537 modulo `prime`.
fn is_power(value: u32, prime: u32) -> bool {
    let generator = 65_537 % prime;
    let mut power = 1 % prime;
    for _ in 0..prime {
        if power == value {
            return true;
        }
        power = power * generator % prime;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const E: &[u8] = &[1, 0, 1];

    /// B-J07.
    #[test]
    fn small_exponents_and_divisors_are_refused() {
        let prime = [0xff, 0xff, 0xff, 0xfb]; // 2^32 - 5
        assert_eq!(check_rsa(&prime, E), Ok(()));
        for small in [&[1][..], &[3], &[0xff, 0xff]] {
            assert_eq!(check_rsa(&prime, small), Err(RsaWeakness::SmallExponent));
        }
        assert_eq!(check_rsa(&[0xff, 0xfe], E), Err(RsaWeakness::SmallDivisor));
        assert_eq!(check_rsa(&[15], E), Err(RsaWeakness::SmallDivisor));
    }

    /// B-J07.
    #[test]
    fn a_power_of_65537_has_the_fingerprint() {
        // 65537^3, a modulus as the faulty library would make it, if a short one.
        let modulus = 65_537_u64.pow(3).to_be_bytes();
        assert_eq!(check_rsa(&modulus, E), Err(RsaWeakness::Roca));
    }
}
