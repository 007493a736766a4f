//! Follows the frames of an HTTP/2 connection (RFC 9113 section 4) as their bytes come: what h2 keeps of them before
//! there is a request, and what work they are.
//!
//! Our own, because h2 counts bytes of headers, not fields, and answers PING, SETTINGS, PRIORITY and window
//! updates for ever. It judges no frame: what it lets through, h2 does.

use super::bounds::FIELD_BYTES;
use super::hpack::{Fields, Malformed};

/// The head of a frame.
const HEAD: usize = 9;
/// The work of a frame beside its bytes. Those that belong to no request cost as much as half a kilobyte of one: h2
/// may go through all streams for each.
const OF_REQUEST: usize = 32;
const OF_NONE: usize = 512;
/// The work of a field, which is decoded though it may take one byte.
const OF_FIELD: usize = 64;
/// Kinds of frames (RFC 9113 section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
/// Flags.
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// What of a frame's payload comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payload {
    /// Nothing that matters here.
    Skipped,
    /// The length of the padding.
    PadLength,
    /// The five bytes of a priority, with what is left of them.
    Priority(usize),
    Block,
}

/// Follows the frames of one connection, from the byte after the preface.
#[derive(Debug)]
pub(super) struct Frames {
    head: Vec<u8>,
    flags: u8,
    kind: u8,
    /// What is left of the payload, and of the padding at its end.
    left: usize,
    padding: usize,
    payload: Payload,
    fields: Fields,
    /// The bytes of the frame and of the header block that have not ended.
    frame: usize,
    block: usize,
    /// All bytes that came before the other side knew that our table of headers has no room.
    before_ack: usize,
    is_acknowledged: bool,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self {
            head: Vec::with_capacity(HEAD),
            flags: 0,
            kind: DATA,
            left: 0,
            padding: 0,
            payload: Payload::Skipped,
            fields: Fields::new(),
            frame: 0,
            block: 0,
            before_ack: 0,
            is_acknowledged: false,
        }
    }

    /// The memory that h2 may hold for what has not come whole, or for its table.
    pub(super) fn held(&self) -> usize {
        let block = match self.block {
            0 => 0,
            bytes => bytes.saturating_add(self.fields.number().saturating_mul(FIELD_BYTES)),
        };
        let table = if self.fields.is_remembered() {
            self.before_ack
        } else {
            0
        };
        self.frame.saturating_add(block).saturating_add(table)
    }

    /// The fields of the header block that came last.
    pub(super) fn fields(&self) -> usize {
        self.fields.number()
    }

    /// Follows the next bytes and tells how much work they are.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        if !self.is_acknowledged {
            self.before_ack = self.before_ack.saturating_add(bytes.len());
        }
        let mut work = bytes.len();
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.left == 0 {
                let (now, after) = split(rest, HEAD - self.head.len());
                self.head.extend_from_slice(now);
                self.frame = self.frame.saturating_add(now.len());
                rest = after;
                if self.head.len() == HEAD {
                    work = work.saturating_add(self.begin());
                }
            } else {
                let before = self.fields.number();
                rest = self.payload(rest)?;
                let fields = self.fields.number().saturating_sub(before);
                work = work.saturating_add(fields.saturating_mul(OF_FIELD));
            }
            if self.left == 0 && self.head.is_empty() {
                self.frame = 0;
            }
        }
        Ok(work)
    }

    /// The head of a frame is there; tells its work.
    fn begin(&mut self) -> usize {
        let &[a, b, c, kind, flags, ..] = self.head.as_slice() else {
            return 0;
        };
        self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        (self.kind, self.flags, self.padding) = (kind, flags, 0);
        self.head.clear();
        self.payload = match kind {
            HEADERS if flags & PADDED != 0 => Payload::PadLength,
            HEADERS => self.after_pad_length(),
            CONTINUATION => Payload::Block,
            _ => Payload::Skipped,
        };
        if kind == HEADERS {
            self.fields.begin();
        }
        if kind == SETTINGS && flags & ACK != 0 && !self.is_acknowledged {
            self.is_acknowledged = true;
            self.fields.acknowledged();
        }
        self.ended();
        match kind {
            DATA | HEADERS | CONTINUATION => OF_REQUEST,
            _ => OF_NONE,
        }
    }

    fn after_pad_length(&self) -> Payload {
        if self.flags & PRIORITY == 0 {
            Payload::Block
        } else {
            Payload::Priority(5)
        }
    }

    fn payload<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Malformed> {
        let (most, next) = match self.payload {
            Payload::Skipped => (self.left, Payload::Skipped),
            Payload::PadLength => (1, self.after_pad_length()),
            Payload::Priority(left) => (left, Payload::Block),
            Payload::Block => (self.left.saturating_sub(self.padding), Payload::Skipped),
        };
        let (now, rest) = split(bytes, most.min(self.left));
        match self.payload {
            Payload::PadLength => {
                self.padding = usize::from(now.first().copied().unwrap_or_default());
            }
            Payload::Block => {
                self.fields.scan(now)?;
                self.block = self.block.saturating_add(now.len());
            }
            Payload::Skipped | Payload::Priority(_) => {}
        }
        self.left -= now.len();
        self.frame = self.frame.saturating_add(now.len());
        self.payload = match self.payload {
            _ if now.len() == most => next,
            Payload::Priority(left) => Payload::Priority(left - now.len()),
            other => other,
        };
        self.ended();
        Ok(rest)
    }

    /// Where a header block ends with its frame, h2 makes a request of it.
    fn ended(&mut self) {
        let is_block = matches!(self.kind, HEADERS | CONTINUATION);
        if self.left == 0 && is_block && self.flags & END_HEADERS != 0 {
            self.block = 0;
        }
    }
}

fn split(bytes: &[u8], most: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(most).unwrap_or((bytes, &[]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn held(bytes: &[u8]) -> usize {
        let mut frames = Frames::new();
        frames.scan(bytes).unwrap();
        frames.held()
    }

    #[test]
    fn whole_frames_hold_nothing() {
        let block = b"\x82\x86\x84\x01\x01a";
        let padded = [&[3, 0, 0, 0, 0, 9][..], block, &[0; 3]].concat();
        let all = [
            frame(SETTINGS, 0, &[]),
            frame(HEADERS, END_HEADERS, block),
            frame(HEADERS, END_HEADERS | PADDED | PRIORITY, &padded),
            frame(DATA, 1, &[b'x'; 300]),
            frame(6, 0, &[0; 8]),
            frame(HEADERS, 0, block),
            frame(CONTINUATION, END_HEADERS, b"\x0f\x10\x01x"),
        ];
        assert_eq!(held(&all.concat()), 0);
    }

    #[test]
    fn what_has_not_ended_is_held_and_its_fields_cost_more_than_their_bytes() {
        assert_eq!(held(&[0, 0, 8, 6]), 4);
        let data = frame(DATA, 0, &[0; 1000]);
        assert_eq!(held(&data[..500]), 500);
        let block = frame(HEADERS, 0, &[0x8f; 100]);
        assert_eq!(held(&block), 100 + 100 * FIELD_BYTES);
        let more = [block, frame(CONTINUATION, 0, &[0x8f; 100])].concat();
        assert_eq!(held(&more), 200 + 200 * FIELD_BYTES);
    }

    /// An entry of h2's table keeps the read buffer that it came in.
    #[test]
    fn remembered_fields_hold_all_that_came_until_the_table_is_gone() {
        let remembered = frame(HEADERS, END_HEADERS, b"\x82\x86\x84\x40\x01a\x01b");
        let mut frames = Frames::new();
        frames.scan(&remembered).unwrap();
        frames.scan(&frame(6, 0, &[0; 8])).unwrap();
        assert_eq!(frames.held(), remembered.len() + 17);
        frames.scan(&frame(SETTINGS, ACK, &[])).unwrap();
        let before = frames.held();
        frames.scan(&frame(6, 0, &[0; 8])).unwrap();
        assert_eq!(frames.held(), before);
        frames
            .scan(&frame(HEADERS, END_HEADERS, b"\x20\x82"))
            .unwrap();
        assert_eq!(frames.held(), 0);
    }

    #[test]
    fn frames_of_no_request_are_more_work() {
        let mut frames = Frames::new();
        assert_eq!(frames.scan(&frame(6, 0, &[0; 8])), Ok(17 + OF_NONE));
        assert_eq!(frames.scan(&frame(DATA, 0, &[0; 8])), Ok(17 + OF_REQUEST));
        let two = frame(HEADERS, END_HEADERS, &[0x82, 0x84]);
        assert_eq!(frames.scan(&two), Ok(11 + OF_REQUEST + 2 * OF_FIELD));
    }

    proptest! {
        #[test]
        fn pieces_are_judged_as_the_whole(
            bytes in proptest::collection::vec(0..12u8, 0..300), cut in 0..300usize
        ) {
            let (mut whole, mut pieces) = (Frames::new(), Frames::new());
            let cut = cut.min(bytes.len());
            let judged = whole.scan(&bytes);
            let in_pieces = pieces.scan(&bytes[..cut])
                .and_then(|work| pieces.scan(&bytes[cut..]).map(|more| work + more));
            prop_assert_eq!(judged, in_pieces);
            if judged.is_ok() {
                prop_assert_eq!(whole.held(), pieces.held());
            }
        }
    }
}
