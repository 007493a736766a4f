//! Tells HTTP/1.1 from HTTP/2 by the first bytes (RFC 9113 section 3.4).
//!
//! hyper-util does the same but waits for ever; here the caller can bound the wait.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// Reads until the protocol is sure; gives also what was read.
pub(super) async fn detect<IO>(io: &mut IO) -> io::Result<(Protocol, Vec<u8>)>
where
    IO: AsyncRead + Unpin,
{
    let mut seen = Vec::with_capacity(PREFACE.len());
    while PREFACE.starts_with(&seen) {
        let missing = PREFACE.len() - seen.len();
        if missing == 0 {
            return Ok((Protocol::Http2, seen));
        }
        let missing = u64::try_from(missing).unwrap_or_default();
        if (&mut *io).take(missing).read_buf(&mut seen).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok((Protocol::Http1, seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_preface_and_only_it_is_http_2() {
        for (bytes, protocol) in [
            (
                &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore"[..],
                Protocol::Http2,
            ),
            (b"POST / HTTP/1.1\r\n", Protocol::Http1),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rx", Protocol::Http1),
            (b"x", Protocol::Http1),
        ] {
            let mut rest = bytes;
            let (found, mut seen) = detect(&mut rest).await.unwrap();
            assert_eq!(found, protocol);
            seen.extend_from_slice(rest);
            assert_eq!(seen, bytes, "nothing is lost");
        }
        assert!(detect(&mut &b"PRI *"[..]).await.is_err());
    }
}
