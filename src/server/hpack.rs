//! Counts the fields of an HTTP/2 header block as its bytes come (RFC 7541 section 6), before h2 makes a map of them.
//!
//! By hand: the crates that decode HPACK keep what they decode. Nothing is decoded here, only stepped over, so a
//! Huffman code is as good as plain text.

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The first byte of a representation.
    Start,
    /// The further bytes of an index; so many strings come after it.
    Index { strings: u8 },
    /// The first byte of a string's length; so many strings come after this one.
    Length { strings: u8 },
    /// The further bytes of a string's length.
    LongLength {
        strings: u8,
        length: usize,
        shift: u32,
    },
    /// A string, with what is left of it.
    String { strings: u8, left: usize },
    /// The further bytes of a new table size.
    Size,
}

/// A header block that uses a table which the other side knows is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Follows all header blocks of one connection.
#[derive(Debug)]
pub(super) struct Fields {
    place: Place,
    /// The fields of the current block.
    number: usize,
    /// Whether the block before or this one put a field into the table for later ones.
    is_remembered: bool,
    /// Whether a size of the table was told since the other side knows that ours is 0.
    is_resized: bool,
    must_resize: bool,
}

impl Fields {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Start,
            number: 0,
            is_remembered: false,
            is_resized: false,
            must_resize: false,
        }
    }

    pub(super) fn begin(&mut self) {
        self.place = Place::Start;
        self.number = 0;
    }

    /// The fields of the current block that have begun.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The other side has acknowledged a table of size 0: before it puts anything into its own, it must say so
    /// (RFC 7541 section 4.2).
    pub(super) fn acknowledged(&mut self) {
        self.must_resize = true;
    }

    /// Whether h2 may still keep fields in its table.
    pub(super) fn is_remembered(&self) -> bool {
        self.is_remembered && !self.is_resized
    }

    /// Follows the next bytes of the block.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            if let Place::String { strings, left } = self.place {
                let now = left.min(rest.len());
                rest = rest.get(now..).unwrap_or_default();
                self.place = match left - now {
                    0 => after_string(strings),
                    left => Place::String { strings, left },
                };
            } else {
                self.place = self.step(*byte)?;
                rest = after;
            }
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<Place, Malformed> {
        let goes_on = byte & 0x80 != 0;
        Ok(match self.place {
            Place::Start => self.start(byte)?,
            Place::Index { .. } | Place::Size if goes_on => self.place,
            Place::Index { strings } => after_string(strings),
            Place::Size => Place::Start,
            Place::Length { strings } => match byte & 0x7f {
                0x7f => Place::LongLength {
                    strings,
                    length: 0x7f,
                    shift: 0,
                },
                length => string(strings, usize::from(length)),
            },
            Place::LongLength {
                strings,
                length,
                shift,
            } => {
                // h2 reads no longer numbers, either.
                if shift > 21 {
                    return Err(Malformed);
                }
                let length = length + (usize::from(byte & 0x7f) << shift);
                if goes_on {
                    Place::LongLength {
                        strings,
                        length,
                        shift: shift + 7,
                    }
                } else {
                    string(strings, length)
                }
            }
            Place::String { strings, left } => Place::String { strings, left },
        })
    }

    /// RFC 7541 sections 6.1 to 6.3, by the first bits.
    fn start(&mut self, byte: u8) -> Result<Place, Malformed> {
        let (prefix, strings) = match byte {
            0x80.. => (0x7f, 0),
            0x40.. => {
                if self.must_resize && !self.is_resized {
                    return Err(Malformed);
                }
                self.is_remembered = true;
                (0x3f, 1)
            }
            0x20.. => {
                self.is_resized |= self.must_resize;
                return Ok(if byte & 0x1f == 0x1f {
                    Place::Size
                } else {
                    Place::Start
                });
            }
            _ => (0x0f, 1),
        };
        self.number = self.number.saturating_add(1);
        // Without an index there is a name before the value.
        let strings = if strings == 1 && byte & prefix == 0 {
            2
        } else {
            strings
        };
        Ok(if byte & prefix == prefix {
            Place::Index { strings }
        } else {
            after_string(strings)
        })
    }
}

/// Goes on to the next of so many strings.
fn after_string(strings: u8) -> Place {
    strings
        .checked_sub(1)
        .map_or(Place::Start, |strings| Place::Length { strings })
}

fn string(strings: u8, length: usize) -> Place {
    if length == 0 {
        after_string(strings)
    } else {
        Place::String {
            strings,
            left: length,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(bytes: &[u8]) -> usize {
        let mut fields = Fields::new();
        fields.scan(bytes).unwrap();
        assert_eq!(fields.place, Place::Start, "{bytes:?}");
        fields.number()
    }

    /// RFC 7541 appendix C: requests, plain and in Huffman's code.
    #[test]
    fn the_examples_of_the_rfc_have_as_many_fields() {
        let plain = b"\x82\x86\x84\x41\x0fwww.example.com";
        assert_eq!(count(plain), 4);
        let with_cache = b"\x82\x86\x84\xbe\x58\x08no-cache";
        assert_eq!(count(with_cache), 5);
        let custom = b"\x82\x87\x85\xbf\x40\x0acustom-key\x0ccustom-value";
        assert_eq!(count(custom), 5);
        let huffman = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        assert_eq!(count(huffman), 4);
        assert_eq!(count(b"\x04\x0c/sample/path"), 1);
        assert_eq!(count(b"\x10\x08password\x06secret"), 1);
        // A table size in two bytes, a value of 200 bytes, an index beyond 127, an empty name and value.
        let long = [
            b"\x3f\xe1\x1f\x00\x01x\x7f\x49".as_slice(),
            &[b'y'; 200],
            b"\xff\x80\x01\x00\x00\x00",
        ]
        .concat();
        assert_eq!(count(&long), 3);
    }

    #[test]
    fn a_table_of_size_0_is_not_filled() {
        let mut fields = Fields::new();
        fields.scan(b"\x40\x01a\x01b").unwrap();
        assert!(fields.is_remembered());
        fields.acknowledged();
        assert_eq!(fields.scan(b"\x40\x01a\x01b"), Err(Malformed));

        // Fields that are put into a table of size 0 are forgotten at once, which is allowed.
        let mut polite = Fields::new();
        polite.scan(b"\x40\x01a\x01b").unwrap();
        polite.acknowledged();
        polite.scan(b"\x82").unwrap();
        assert!(polite.is_remembered());
        polite.scan(b"\x20\x40\x01a\x01b").unwrap();
        assert!(!polite.is_remembered());
    }

    proptest! {
        #[test]
        fn pieces_are_counted_as_the_whole(
            bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..300usize
        ) {
            let (mut whole, mut pieces) = (Fields::new(), Fields::new());
            let cut = cut.min(bytes.len());
            let judged = whole.scan(&bytes);
            let in_pieces = pieces.scan(&bytes[..cut]).and_then(|()| pieces.scan(&bytes[cut..]));
            prop_assert_eq!(judged, in_pieces);
            prop_assert_eq!(whole.number(), pieces.number());
        }
    }
}
