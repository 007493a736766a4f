//! Distinguished names in their text form, RFC 4514; compared as structures, never as text.

mod attribute_types;

use stringprep::x520prep;

/// A name: relative names from the most general on, the order in which a certificate holds them.
#[derive(Clone, Debug)]
pub struct DistinguishedName {
    parts: Vec<Vec<Attribute>>,
    /// The same, with each value as it is compared, and each relative name in one order.
    compared: Vec<Vec<Attribute>>,
}

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
    /// The DER encoding of what is no text.
    Der(Vec<u8>),
}

/// The text is not a distinguished name as in RFC 4514.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a distinguished name of RFC 4514, for example CN=ledger,OU=Payments,O=Example,C=DE")]
pub struct InvalidName;

impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.compared == other.compared
    }
}

impl Eq for DistinguishedName {}

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
    pub fn from_parts(parts: Vec<Vec<Attribute>>) -> Self {
        let compared = parts.iter().map(|name| {
            let mut name: Vec<Attribute> = name.iter().map(Attribute::compared).collect();
            name.sort();
            name
        });
        Self {
            compared: compared.collect(),
            parts,
        }
    }

    /// The relative names, from the most general on.
    #[must_use]
    pub fn parts(&self) -> &[Vec<Attribute>] {
        &self.parts
    }

    /// Whether it seems to be written from the wrong end: it begins with the country, which is the most general part.
    /// A certificate may be made so, but OpenSSL's own output without `-nameopt RFC2253` looks like this, too.
    #[must_use]
    pub fn seems_reversed(&self) -> bool {
        let country = attribute_types::oid("C");
        let is_country = |name: Option<&Vec<Attribute>>| {
            name.is_some_and(|name| name.iter().any(|it| Some(it.oid.as_str()) == country))
        };
        self.parts.len() > 1 && is_country(self.parts.last()) && !is_country(self.parts.first())
    }
}

impl Attribute {
    fn compared(&self) -> Self {
        Self {
            oid: self.oid.clone(),
            value: self.value.compared(),
        }
    }
}

impl AttributeValue {
    /// Reads a value in DER: text of every string type is one text, so that names are equal whatever types they use.
    /// `None` where it is not one whole value.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (tag, content) = whole_value(der)?;
        let text = directory_text(tag, content);
        Some(text.map_or_else(|| Self::Der(der.to_vec()), Self::Text))
    }

    /// As RFC 5280 section 7.1 compares: without regard to case and to the width of blanks (RFC 4518). That would drop
    /// control characters, and a NUL must make another name, so a text with such is compared as it is.
    fn compared(&self) -> Self {
        match self {
            Self::Text(text) if !text.chars().any(char::is_control) => {
                let prepared = x520prep(text, true).unwrap_or(text.into());
                Self::Text(prepared.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            other => other.clone(),
        }
    }
}

/// Tag and content of the one DER value that `der` is; content of no more than 64 KiB.
fn whole_value(der: &[u8]) -> Option<(u8, &[u8])> {
    // A length is written in the fewest bytes (ITU-T X.690 section 10.1); a tag of several bytes is none that names use.
    let (tag, length, content) = match *der {
        [tag, length @ 0..=0x7f, ref content @ ..]
        | [tag, 0x81, length @ 0x80..=0xff, ref content @ ..] => (tag, u16::from(length), content),
        [tag, 0x82, high @ 1..=0xff, low, ref content @ ..] => {
            (tag, u16::from_be_bytes([high, low]), content)
        }
        _ => return None,
    };
    (tag & 0x1f != 0x1f && usize::from(length) == content.len()).then_some((tag, content))
}

/// The text of a value of one of the string types (ITU-T X.680 section 8.4); `None` for others and what is broken.
fn directory_text(tag: u8, content: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, NumericString, PrintableString, IA5String, VisibleString.
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => String::from_utf8(content.to_vec()).ok(),
        // TeletexString, which everybody reads as Latin-1.
        0x14 => Some(content.iter().copied().map(char::from).collect()),
        // UniversalString.
        0x1c => {
            let (characters, []) = content.as_chunks::<4>() else {
                return None;
            };
            characters
                .iter()
                .map(|it| char::from_u32(u32::from_be_bytes(*it)))
                .collect()
        }
        // BMPString.
        0x1e => {
            let (units, []) = content.as_chunks::<2>() else {
                return None;
            };
            char::decode_utf16(units.iter().map(|it| u16::from_be_bytes(*it)))
                .collect::<Result<_, _>>()
                .ok()
        }
        _ => None,
    }
}

/// One attribute, and what follows it: nothing, or a separator and more.
fn attribute(text: &str) -> Result<(Attribute, &str), InvalidName> {
    let (name, rest) = text.split_once('=').ok_or(InvalidName)?;
    let oid = oid(name.trim_start_matches(' '))?;
    if let Some(hex) = rest.strip_prefix('#') {
        let end = hex.find([',', '+']).unwrap_or(hex.len());
        let (digits, after) = hex.split_at(end);
        let value = AttributeValue::from_der(&bytes(digits.trim_end_matches(' '))?);
        let value = value.ok_or(InvalidName)?;
        return Ok((Attribute { oid, value }, after));
    }
    let (value, after) = text_value(rest)?;
    let value = AttributeValue::Text(value);
    Ok((Attribute { oid, value }, after))
}

/// A short name, or a dotted OID, before which RFC 1779 writes `OID.`.
fn oid(name: &str) -> Result<String, InvalidName> {
    if let Some(oid) = attribute_types::oid(name) {
        return Ok(oid.to_owned());
    }
    let dotted = match name.split_at_checked(4) {
        Some((start, rest)) if start.eq_ignore_ascii_case("OID.") => rest,
        _ => name,
    };
    let is_number = |arc: &str| arc.bytes().all(|byte| byte.is_ascii_digit());
    let arcs: Option<Vec<u64>> = dotted
        .split('.')
        .map(|arc| arc.parse().ok().filter(|_| is_number(arc)))
        .collect();
    match arcs {
        // As a certificate's are written: without zeros in front.
        Some(arcs) if arcs.len() > 1 && arcs.first() <= Some(&2) => Ok(arcs
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(".")),
        _ => Err(InvalidName),
    }
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
    if value.is_empty() {
        Err(InvalidName)
    } else {
        Ok((value, rest))
    }
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

    /// 8705-03.
    #[test]
    fn names_are_compared_as_structures() {
        for (one, other) in [
            ("CN=a,O=b", "cn=a, o=b"),
            ("CN=a+UID=b,O=c", "UID=b+CN=a,O=c"),
            ("CN=a", "2.5.4.3=a"),
            ("CN=a", "OID.2.5.04.3=a"),
            ("CN=a", "oid.2.5.4.3=a"),
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
            (r"CN=a\,O=b", "CN=a,O=b"),
            (r"CN=a\00b", "CN=ab"),
            ("CN=ab", "CN=a b"),
            ("CN=a", "CN=#020161"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    /// RFC 5280 section 7.1, RFC 4518 (8705-03).
    #[test]
    fn values_are_compared_without_case_and_width_of_blanks() {
        for (one, other) in [
            ("CN=abc,O=Open Banking", "CN=ABC,O=OPENBANKING"),
            ("CN=ab", "CN=a  b"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("CN=abc,O=OpenBanking", "CN=ABC,O=OPENBANKING"),
            ("CN=Bär", "CN=BÄR"),
            ("CN=a b", "CN=a   b"),
            (r"CN=a\ ", "CN=a"),
            ("CN=A+UID=B", "UID=b+CN=a"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
    }

    /// Java's `X500Principal` and Go print what they have no name for in DER (8705-03).
    #[test]
    fn a_text_is_the_same_in_every_string_type_and_in_hex() {
        for hex in [
            "0C03C3A962",
            "0c03c3a962 ",
            "1402E962",
            "1E0400E90062",
            "1C08000000E900000062",
        ] {
            assert!(same("2.5.4.97=éb", &format!("2.5.4.97=#{hex}")), "{hex}");
        }
        for hex in ["0C026162", "1302 6162", "16026162", "12026162", "1A026162"] {
            let hex = hex.replace(' ', "");
            assert!(
                same(
                    "organizationIdentifier=ab,O=c",
                    &format!("2.5.4.97=#{hex},O=c")
                ),
                "{hex}"
            );
        }
        let long = "x".repeat(300);
        // The letter x in hex.
        let hex = "78".repeat(300);
        assert!(same(&format!("CN={long}"), &format!("CN=#0C82012C{hex}")));
        let (long, hex) = (&long[..200], &hex[..400]);
        assert!(same(&format!("CN={long}"), &format!("CN=#0C81C8{hex}")));
        // What no certificate can hold.
        for wrong in [
            "0C0261",
            "0C016161",
            "0C",
            "0C8101",
            "0C810161",
            "0C80",
            "0C82000161",
            "1F0161",
        ] {
            let parsed = DistinguishedName::parse(&format!("CN=#{wrong}"));
            assert_eq!(parsed, Err(InvalidName), "{wrong}");
        }
        // No text: compared as it is.
        assert!(same("CN=#0C01FF", "CN=#0c01ff") && !same("CN=#0C01FF", "CN=#0C01FE"));
    }

    #[test]
    fn a_name_that_begins_with_the_country_seems_reversed() {
        let seems_reversed = |text| DistinguishedName::parse(text).unwrap().seems_reversed();
        assert!(seems_reversed("C=GB, O=b, CN=a"));
        for name in ["CN=a,O=b,C=GB", "C=GB", "C=GB,C=FR", "CN=a,DC=b,DC=c"] {
            assert!(!seems_reversed(name), "{name}");
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
            "3.1=a",
            "OID.=a",
            "OID.CN=a",
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
