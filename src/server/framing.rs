//! Follows the framing of HTTP/1.1 requests on the wire and finds what two parsers could read in two ways
//! (RFC 9112 sections 2.2, 6 and 11.2; STANDARDS B-H01).
//!
//! Our own, because hyper repairs some of it (a bare LF, a doubled Content-Length, Content-Length beside
//! Transfer-Encoding) and leaves no trace that a layer could see. It decides nothing else: what it lets
//! through, hyper parses.

/// What is kept of a header line: enough for the two names that matter here and their longest good values.
const KEPT: usize = 48;

/// Where in a request the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The request line and the header lines.
    Head { first_line: bool },
    /// A body of known length, with what is left of it.
    Body(u64),
    /// A chunk's size and extensions.
    ChunkSize,
    /// A chunk, with what is left of it and of the CRLF after it.
    Chunk(u64),
    /// The lines after the last chunk.
    Trailers,
}

/// How a head says that its body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Unsaid,
    Length(u64),
    Chunked,
}

/// The bytes are ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ambiguous;

#[derive(Debug)]
pub(super) struct Scanner {
    place: Place,
    framing: Framing,
    /// The beginning of the current line, and its whole length with the CR.
    line: Vec<u8>,
    length: usize,
    last: u8,
    /// The bytes of the head, the chunk's size or the trailers that have not ended.
    gathered: usize,
    /// Whether a request ended within the bytes that came last, and others came after it.
    is_ahead: bool,
    newest: usize,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Head { first_line: true },
            framing: Framing::Unsaid,
            line: Vec::with_capacity(KEPT),
            length: 0,
            last: 0,
            gathered: 0,
            is_ahead: false,
            newest: 0,
        }
    }

    /// The memory that hyper may hold for what has not come whole, and for requests that came behind another one:
    /// it reads on only when it has none left.
    pub(super) fn held(&self) -> usize {
        self.gathered
            .saturating_add(if self.is_ahead { self.newest } else { 0 })
    }

    /// Whether the next byte begins a request.
    pub(super) fn is_between_requests(&self) -> bool {
        self.place == Place::Head { first_line: true } && self.length == 0
    }

    /// Follows the next bytes; the error is the index of the byte that makes them ambiguous.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut rest = bytes;
        (self.newest, self.is_ahead) = (bytes.len(), false);
        while !rest.is_empty() {
            let before = bytes.len() - rest.len();
            self.is_ahead |= before > 0 && self.is_between_requests();
            rest = match self.place {
                Place::Body(left) => self.body(rest, left),
                Place::Chunk(left) => self.chunk(rest, left).map_err(|Ambiguous| before)?,
                _ => self.lines(rest).map_err(|at| before + at)?,
            };
        }
        Ok(())
    }

    fn body<'a>(&mut self, bytes: &'a [u8], left: u64) -> &'a [u8] {
        let (taken, rest) = split(bytes, left);
        let left = left.saturating_sub(length_of(taken));
        self.place = if left == 0 {
            Place::Head { first_line: true }
        } else {
            Place::Body(left)
        };
        rest
    }

    /// `left` counts the CRLF at the chunk's end.
    fn chunk<'a>(&mut self, bytes: &'a [u8], left: u64) -> Result<&'a [u8], Ambiguous> {
        let data = left.saturating_sub(2);
        if data > 0 {
            let (taken, rest) = split(bytes, data);
            self.place = Place::Chunk(left.saturating_sub(length_of(taken)));
            return Ok(rest);
        }
        let (end, rest) = split(bytes, 1);
        match (left, end) {
            (2, b"\r") => self.place = Place::Chunk(1),
            (1, b"\n") => self.place = Place::ChunkSize,
            _ => return Err(Ambiguous),
        }
        Ok(rest)
    }

    /// Takes one line or the part of it that is there; the error is an index.
    fn lines<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], usize> {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.keep(bytes);
            return Ok(&[]);
        };
        let (line, rest) = bytes.split_at(end);
        self.keep(line);
        self.gathered = self.gathered.saturating_add(1);
        if self.last != b'\r' || self.length == 0 {
            return Err(end);
        }
        self.line_ended().map_err(|Ambiguous| end)?;
        self.line.clear();
        self.length = 0;
        self.last = 0;
        Ok(rest.get(1..).unwrap_or_default())
    }

    fn keep(&mut self, part: &[u8]) {
        let room = KEPT - self.line.len();
        self.line
            .extend_from_slice(part.get(..room).unwrap_or(part));
        self.length = self.length.saturating_add(part.len());
        self.gathered = self.gathered.saturating_add(part.len());
        self.last = part.last().copied().unwrap_or(self.last);
    }

    fn line_ended(&mut self) -> Result<(), Ambiguous> {
        let is_empty = self.length == 1;
        match self.place {
            // An empty line before a request is allowed (RFC 9112 section 2.2).
            Place::Head { first_line: true } if is_empty => {}
            Place::Head { first_line: true } => {
                self.framing = Framing::Unsaid;
                self.place = Place::Head { first_line: false };
            }
            Place::Head { .. } if is_empty => {
                self.gathered = 0;
                self.place = after_head(self.framing);
            }
            Place::Head { .. } => self.header_ended()?,
            Place::Trailers if is_empty => {
                self.gathered = 0;
                self.place = Place::Head { first_line: true };
            }
            Place::ChunkSize => {
                self.gathered = 0;
                self.place = match chunk_size(&self.line)? {
                    0 => Place::Trailers,
                    size => Place::Chunk(size.checked_add(2).ok_or(Ambiguous)?),
                }
            }
            Place::Trailers | Place::Body(_) | Place::Chunk(_) => {}
        }
        Ok(())
    }

    /// A head says its framing at most once, and in a form that has one reading.
    fn header_ended(&mut self) -> Result<(), Ambiguous> {
        let mut parts = self.line.splitn(2, |byte| *byte == b':');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let is_length = name.eq_ignore_ascii_case(b"content-length");
        if !is_length && !name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Ok(());
        }
        if self.framing != Framing::Unsaid || self.length > KEPT {
            return Err(Ambiguous);
        }
        let value = parts
            .next()
            .and_then(|value| value.strip_suffix(b"\r"))
            .ok_or(Ambiguous)?;
        let value = std::str::from_utf8(value)
            .map_err(|_| Ambiguous)?
            .trim_matches(' ');
        self.framing = if is_length {
            Framing::Length(digits(value, 10)?)
        } else if value.eq_ignore_ascii_case("chunked") {
            Framing::Chunked
        } else {
            return Err(Ambiguous);
        };
        Ok(())
    }
}

fn after_head(framing: Framing) -> Place {
    match framing {
        Framing::Unsaid | Framing::Length(0) => Place::Head { first_line: true },
        Framing::Length(length) => Place::Body(length),
        Framing::Chunked => Place::ChunkSize,
    }
}

/// The size before any extension; a line that is longer than what is kept has a long extension.
fn chunk_size(line: &[u8]) -> Result<u64, Ambiguous> {
    let end = line
        .iter()
        .position(|byte| !byte.is_ascii_hexdigit())
        .unwrap_or(line.len());
    let text = line
        .get(..end)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    digits(text.ok_or(Ambiguous)?, 16)
}

/// Digits only: `from_str_radix` alone would take a sign.
fn digits(text: &str, radix: u32) -> Result<u64, Ambiguous> {
    if !text.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Ambiguous);
    }
    u64::from_str_radix(text, radix).map_err(|_| Ambiguous)
}

fn split(bytes: &[u8], most: u64) -> (&[u8], &[u8]) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    bytes.split_at_checked(most).unwrap_or((bytes, &[]))
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: [&str; 7] = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na\nb",
        "POST / HTTP/1.1\r\ncontent-length:0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\na\nb\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nA\r\n0123456789\r\n00\r\nt: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\nabc",
        "GET /a HTTP/1.1\r\nX-Content-Length: 1\r\nX: content-length: 2\r\n\r\n",
    ];

    fn head(lines: &str) -> Result<(), usize> {
        Scanner::new().scan(format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n").as_bytes())
    }

    #[test]
    fn good_requests_pass_one_after_another() {
        let mut scanner = Scanner::new();
        for good in &GOOD[..5] {
            assert_eq!(scanner.scan(good.as_bytes()), Ok(()), "{good}");
            assert!(scanner.is_between_requests(), "{good}");
        }
    }

    #[test]
    fn a_head_is_held_until_it_is_whole_and_requests_behind_another_one_too() {
        let mut scanner = Scanner::new();
        scanner
            .scan(b"POST / HTTP/1.1\r\nHost: a\r\nContent-")
            .unwrap();
        assert_eq!(scanner.held(), 34);
        scanner.scan(b"Length: 3\r\n\r\na").unwrap();
        assert_eq!(scanner.held(), 0);
        scanner.scan(b"bc").unwrap();
        assert_eq!(scanner.held(), 0);
        let two = [GOOD[0], GOOD[0]].concat();
        scanner.scan(two.as_bytes()).unwrap();
        assert_eq!(scanner.held(), two.len());
        scanner.scan(GOOD[0].as_bytes()).unwrap();
        assert_eq!(scanner.held(), 0);
        scanner
            .scan(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;xx")
            .unwrap();
        assert_eq!(scanner.held(), 4);
    }

    /// B-H01.
    #[test]
    fn what_has_two_readings_is_found() {
        for wrong in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 3",
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: 3\r\nContent-Length: 4",
            "Content-Length: 3, 3",
            "Content-Length: +5",
            "Content-Length: 0x5",
            "Content-Length: -1",
            "Content-Length:",
            "Content-Length: 1 2",
            "Content-Length: 18446744073709551616",
            "Content-Length : 3\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: identity, chunked",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: \tchunked",
            "Transfer-Encoding: chunked\t",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding: chunked,                                     x",
            "A: b\nContent-Length: 3",
            "A: b\n\n",
        ] {
            assert!(head(wrong).is_err(), "{wrong:?}");
        }
    }

    /// B-H01.
    #[test]
    fn chunks_have_one_reading() {
        for wrong in [
            "3\nabc\r\n0\r\n\r\n",
            "3;x\nabc\r\n0\r\n\r\n",
            "3\r\nabcd\r\n0\r\n\r\n",
            "3\r\nabc\n0\r\n\r\n",
            "+3\r\nabc\r\n0\r\n\r\n",
            "\r\n",
            "10000000000000000\r\n",
            "ffffffffffffffff\r\n",
            "0\r\nt: 1\n\r\n",
        ] {
            let mut scanner = Scanner::new();
            scanner
                .scan(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
                .unwrap();
            assert!(scanner.scan(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_judged_as_the_whole(
            which in 0..GOOD.len(), spoil in proptest::option::of((0..200usize, any::<u8>())), cut in 0..200usize
        ) {
            let mut bytes = GOOD[which].as_bytes().to_vec();
            if let Some((at, byte)) = spoil && at < bytes.len() {
                bytes[at] = byte;
            }
            let cut = cut.min(bytes.len());
            let whole = Scanner::new().scan(&bytes);
            let mut scanner = Scanner::new();
            let pieces = scanner.scan(&bytes[..cut])
                .and_then(|()| scanner.scan(&bytes[cut..]).map_err(|at| at + cut));
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Scanner::new().scan(&bytes);
        }
    }
}
