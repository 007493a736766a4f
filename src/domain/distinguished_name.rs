//! Distinguished names in their text form, RFC 4514; compared as structures, never as text.

/// A name: relative names from the most general on, the order in which a certificate holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName(Vec<Vec<Attribute>>);

/// One attribute of a relative name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribute {
    /// The type as dotted OID.
    pub oid: String,
    /// The value.
    pub value: AttributeValue,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeValue {
    /// A text of any of the string types.
    Text(String),
    /// `#` and hex digits: the DER encoding of the value.
    Der(Vec<u8>),
}

/// The text is no distinguished name of RFC 4514.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a distinguished name of RFC 4514, for example CN=ledger,OU=Payments,O=Example,C=DE")]
pub struct InvalidName;

/// The short names of RFC 4514 section 3, and those that certificates use beside them.
const TYPES: [(&str, &str); 16] = [
    ("CN", "2.5.4.3"),
    ("SN", "2.5.4.4"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("TITLE", "2.5.4.12"),
    ("GN", "2.5.4.42"),
    ("DNQUALIFIER", "2.5.4.46"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("E", "1.2.840.113549.1.9.1"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
];

impl DistinguishedName {
    /// Reads the text form, which begins with the most particular relative name.
    ///
    /// # Errors
    /// Anything else; also the form `/C=DE/O=Example` of OpenSSL, an empty name, and an unknown short name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let mut rest = text;
        let mut names = vec![Vec::new()];
        loop {
            let (attribute, after) = attribute(rest)?;
            if let Some(name) = names.last_mut() {
                name.push(attribute);
            }
            match after.chars().next() {
                None => break,
                Some(',') => names.push(Vec::new()),
                Some(_) => {}
            }
            rest = after.get(1..).unwrap_or_default();
        }
        names.reverse();
        Ok(Self::from_parts(names))
    }

    /// A name of relative names from the most general on; the order within one means nothing.
    #[must_use]
    pub fn from_parts(mut names: Vec<Vec<Attribute>>) -> Self {
        for name in &mut names {
            name.sort();
        }
        Self(names)
    }

    /// The relative names, from the most general on.
    #[must_use]
    pub fn parts(&self) -> &[Vec<Attribute>] {
        &self.0
    }
}

/// One attribute, and what follows it: nothing, or a separator and more.
fn attribute(text: &str) -> Result<(Attribute, &str), InvalidName> {
    let (name, rest) = text.split_once('=').ok_or(InvalidName)?;
    let oid = oid(name.trim_start_matches(' '))?;
    if let Some(hex) = rest.strip_prefix('#') {
        let end = hex.find([',', '+']).unwrap_or(hex.len());
        let (digits, after) = hex.split_at(end);
        let value = AttributeValue::Der(bytes(digits)?);
        return Ok((Attribute { oid, value }, after));
    }
    let (value, after) = text_value(rest)?;
    Ok((Attribute { oid, value: AttributeValue::Text(value) }, after))
}

fn oid(name: &str) -> Result<String, InvalidName> {
    let known = TYPES.iter().find(|(short, _)| short.eq_ignore_ascii_case(name));
    if let Some((_, oid)) = known {
        return Ok((*oid).to_owned());
    }
    let arcs: Vec<_> = name.split('.').collect();
    let is_arc =
        |arc: &&str| arc.bytes().all(|byte| byte.is_ascii_digit()) && arc.parse::<u64>().is_ok();
    let dotted = arcs.len() > 1 && arcs.iter().all(is_arc);
    if dotted { Ok(name.to_owned()) } else { Err(InvalidName) }
}

fn bytes(hex: &str) -> Result<Vec<u8>, InvalidName> {
    if hex.is_empty() || !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return Err(InvalidName);
    }
    hex.as_bytes().chunks(2).map(pair).collect()
}

fn pair(digits: &[u8]) -> Result<u8, InvalidName> {
    let digits = std::str::from_utf8(digits).map_err(|_| InvalidName)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(InvalidName);
    }
    u8::from_str_radix(digits, 16).map_err(|_| InvalidName)
}

/// A text value with its escapes (RFC 4514 section 2.4) resolved, and what follows it.
fn text_value(text: &str) -> Result<(String, &str), InvalidName> {
    let mut value = Vec::new();
    // What of it may not be trimmed: the last escaped space, and all before it.
    let mut kept = 0;
    let mut rest = text.trim_start_matches(' ');
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            ',' | '+' => break,
            '"' | ';' | '<' | '>' | '\0' => return Err(InvalidName),
            '\\' => {
                rest = escaped(after, &mut value)?;
                kept = value.len();
                continue;
            }
            other => value.extend(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = after;
    }
    while value.len() > kept && value.last() == Some(&b' ') {
        value.pop();
    }
    let value = String::from_utf8(value).map_err(|_| InvalidName)?;
    if value.is_empty() { Err(InvalidName) } else { Ok((value, rest)) }
}

fn escaped<'a>(text: &'a str, value: &mut Vec<u8>) -> Result<&'a str, InvalidName> {
    let first = text.chars().next().ok_or(InvalidName)?;
    if " \"#+,;<=>\\".contains(first) {
        value.extend(first.encode_utf8(&mut [0; 4]).as_bytes());
        return Ok(text.get(first.len_utf8()..).unwrap_or_default());
    }
    let digits = text.get(..2).ok_or(InvalidName)?;
    value.push(pair(digits.as_bytes())?);
    Ok(text.get(2..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(one: &str, other: &str) -> bool {
        DistinguishedName::parse(one).unwrap() == DistinguishedName::parse(other).unwrap()
    }

    #[test]
    fn names_are_compared_as_structures_8705_03() {
        for (one, other) in [
            ("CN=a,O=b", "cn=a, o=b"),
            ("CN=a+UID=b,O=c", "UID=b+CN=a,O=c"),
            ("CN=a", "2.5.4.3=a"),
            (r"CN=a\,b", r"CN=a\2Cb"),
            (r"CN=\C3\A9", "CN=é"),
            ("E=a@b", "emailAddress=a@b"),
            ("CN=a ,O=b", "CN=a,O=b"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("CN=a,O=b", "O=b,CN=a"),
            ("CN=a,O=b", "CN=a+O=b"),
            ("CN=a", "CN=a,CN=a"),
            ("CN=a", "OU=a"),
            ("CN=a", "CN=A"),
            (r"CN=a\ ", "CN=a"),
            (r"CN=a\,O=b", "CN=a,O=b"),
            ("CN=a", "CN=#0C0161"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for wrong in [
            "",
            "a",
            "=a",
            "CN=",
            "CN=a,",
            ",CN=a",
            "CN=a,,O=b",
            "/C=DE/O=b",
            "XX=a",
            "CN=a;O=b",
            "CN=\"a\"",
            r"CN=a\",
            r"CN=a\x1",
            r"CN=\FF",
            "CN=#",
            "CN=#1",
            "CN=#+1",
            "1=a",
            "1.=a",
        ] {
            assert_eq!(DistinguishedName::parse(wrong), Err(InvalidName), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[A-C=,+#\\\\ é0-9.]{0,40}") {
            let _ = DistinguishedName::parse(&text);
        }
    }
}
