//! A server that speaks as much of Postgres' protocol as the driver needs, and gives the answer that a test wants.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What it says to an executed statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// A row with fewer columns than the statement has, as where another statement was executed.
    ShortRow,
    /// An error with this code.
    Error(&'static str),
}

/// Its port; it ends with the runtime of the test.
pub(crate) async fn start(says: Says) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, says));
        }
    });
    port
}

/// `None` when the driver has gone.
async fn serve(mut stream: TcpStream, says: Says) -> Option<()> {
    // The driver asks for TLS first.
    let mut asked = [0; 8];
    stream.read_exact(&mut asked).await.ok()?;
    stream.write_all(b"N").await.ok()?;
    let length = stream.read_u32().await.ok()?;
    let mut startup = vec![0; length as usize - 4];
    stream.read_exact(&mut startup).await.ok()?;
    let hello = [message(b'R', &[0; 4]), message(b'K', &[0; 8]), ready(b'I')].concat();
    stream.write_all(&hello).await.ok()?;
    let mut transaction = b'I';
    loop {
        let kind = stream.read_u8().await.ok()?;
        let length = stream.read_u32().await.ok()?;
        let mut body = vec![0; length as usize - 4];
        stream.read_exact(&mut body).await.ok()?;
        let answer = match kind {
            b'Q' if body.starts_with(b"BEGIN") => {
                transaction = b'T';
                [simple_row(), ready(transaction)].concat()
            }
            b'Q' if body.starts_with(b"SELECT") => [simple_row(), ready(transaction)].concat(),
            b'Q' => {
                transaction = b'I';
                [message(b'C', b"ROLLBACK\0"), ready(transaction)].concat()
            }
            b'P' => message(b'1', b""),
            // No parameters but one, and two columns, both numbers.
            b'D' => [message(b't', &[0, 0]), columns(&["a", "b"], 20)].concat(),
            b'B' => message(b'2', b""),
            b'E' => executed(says),
            b'C' => message(b'3', b""),
            b'S' => ready(transaction),
            b'X' => return None,
            other => panic!("the driver sent {}", char::from(other)),
        };
        stream.write_all(&answer).await.ok()?;
    }
}

fn executed(says: Says) -> Vec<u8> {
    match says {
        Says::ShortRow => [message(b'D', &[0, 0]), message(b'C', b"SELECT 1\0")].concat(),
        Says::Error(code) => {
            let body = format!("SERROR\0VERROR\0C{code}\0Mas the test says\0\0");
            message(b'E', body.as_bytes())
        }
    }
}

/// Two columns, both false, as text.
fn simple_row() -> Vec<u8> {
    let row = [&[0, 2][..], &[0, 0, 0, 1, b'f'], &[0, 0, 0, 1, b'f']].concat();
    [
        columns(&["a", "b"], 16),
        message(b'D', &row),
        message(b'C', b"SELECT 1\0"),
    ]
    .concat()
}

/// Each of the type with this number.
fn columns(names: &[&str], of: u8) -> Vec<u8> {
    let mut body = vec![0, u8::try_from(names.len()).unwrap()];
    for name in names {
        body.extend_from_slice(name.as_bytes());
        // Name's end, table, column, type, size, modifier, format.
        body.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, of, 0, 8, 0, 0, 0, 0, 0, 0]);
    }
    message(b'T', &body)
}

fn ready(transaction: u8) -> Vec<u8> {
    message(b'Z', &[transaction])
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind][..], &length, body].concat()
}
