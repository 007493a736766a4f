//! The most memory that thousands of connections can make the process hold (src/server/limits.rs).

use super::*;

/// What the arithmetic of the limits promises.
const MOST_KIB: usize = 256 * 1024;

/// The bytes that one connection of an attack sends.
type Attack = fn() -> Vec<u8>;

/// Each keeps something that it can, in no more streams than are served: a head, a body, a header block, an answer, a table of headers.
const ATTACKS: [(&str, Attack); 8] = [
    ("a head of HTTP/1.1 that never ends", || {
        let text = "POST /oauth2/token HTTP/1.1\r\nHost: a\r\n";
        format!("{text}X: {}", "x".repeat(70_000)).into_bytes()
    }),
    ("a body of HTTP/1.1 that never ends", || {
        format!(
            "{}{}",
            head(&many_lines(), 16 * 1024),
            "x".repeat(16 * 1024 - 1)
        )
        .into_bytes()
    }),
    ("a request with 473 fields in each of 100 streams", || {
        let block = [post(), many(473)].concat();
        let streams = (0..100).map(|n| frame(HEADERS, END_HEADERS, stream(n), &block));
        opening(&[], streams)
    }),
    (
        "requests that wait for their bodies, with as many fields as they may have",
        || {
            let block = [post(), form(), many(58)].concat();
            let streams = (0..4).map(|n| {
                let body = frame(DATA, 0, stream(n), &[b'x'; 1000]);
                [frame(HEADERS, END_HEADERS, stream(n), &block), body].concat()
            });
            opening(&[], streams)
        },
    ),
    ("a header block that never ends", || {
        let first = frame(HEADERS, 0, stream(0), &[post(), many(200)].concat());
        let more = (0..4).map(|_| frame(CONTINUATION, 0, stream(0), &many(300)));
        opening(&[], std::iter::once(first).chain(more))
    }),
    ("answers that are not read", || {
        let streams = (0..4).map(|n| {
            frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                stream(n),
                &[get(), many(58)].concat(),
            )
        });
        // A window of one byte for each stream.
        opening(&[0, 4, 0, 0, 0, 1], streams)
    }),
    (
        "a table of headers whose entries came in buffers of their own",
        || {
            let streams = (0..40).map(|n| {
                let entry = [vec![0x40], string(&format!("x{n}")), string("y")].concat();
                let block = [get(), entry].concat();
                let request = frame(HEADERS, END_HEADERS | END_STREAM, stream(n), &block);
                // Of a kind that nobody knows, which is skipped.
                [request, frame(99, 0, 0, &[0; 8 * 1024])].concat()
            });
            opening(&[], streams)
        },
    ),
    (
        "large requests of HTTP/2 that wait for their bodies",
        || {
            let value = [&[0, 1, b'x', 0x7f, 0xe9, 6], "y".repeat(1000).as_bytes()].concat();
            let block = [post(), form(), value.repeat(14)].concat();
            let streams = (0..4).map(|n| frame(HEADERS, END_HEADERS, stream(n), &block));
            opening(&[], streams)
        },
    ),
];

/// The first bytes of a connection, and what comes then.
fn opening(settings: &[u8], frames: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let frames: Vec<u8> = frames.flatten().collect();
    [PREFACE, &frame(SETTINGS, 0, 0, settings), &frames].concat()
}

/// Short fields with names of their own.
fn many(number: u32) -> Vec<u8> {
    (0..number)
        .flat_map(|n| field(&format!("x{n}"), ""))
        .collect()
}

fn form() -> Vec<u8> {
    let media_type = "application/x-www-form-urlencoded";
    [
        field("content-type", media_type),
        field("content-length", "16384"),
    ]
    .concat()
}

fn many_lines() -> String {
    let lines: Vec<_> = (0..58).map(|n| format!("x{n}: y\r\n")).collect();
    lines.concat()
}

fn head(lines: &str, length: usize) -> String {
    format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: a\r\n{lines}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// As many connections as the process takes, but for a few of healthy clients, and as this one may have.
fn number() -> usize {
    4000.min(descriptors().saturating_sub(300))
}

fn flood(dev: &Dev, attacks: &[(&str, Attack)], number: usize) -> Vec<TcpStream> {
    let address = address(dev.url("issuer"));
    let bytes: Vec<_> = attacks.iter().map(|(_, attack)| attack()).collect();
    let open = |bytes: &Vec<u8>| {
        let mut stream = TcpStream::connect(address).unwrap();
        send(&mut stream, bytes);
        stream
    };
    bytes.iter().cycle().take(number).map(open).collect()
}

/// B-H05: a healthy client is served before, while and after.
#[test]
fn whatever_strangers_keep_the_process_stays_below_256_mib() {
    let place = Place::new();
    // Not as talkative as where all that is logged is searched for secrets.
    let dev = place.dev_after("export GRANTD_LOG=info", &[]);
    assert!(is_served(&dev));
    let held = flood(&dev, &ATTACKS, number());
    for _ in 0..20 {
        assert!(is_served(&dev), "{}", dev.log());
        assert!(is_alive(&dev));
    }
    let most = dev.most_kib();
    assert!(most < MOST_KIB, "{most} KiB");
    drop(held);
    assert!(is_served(&dev));
}
