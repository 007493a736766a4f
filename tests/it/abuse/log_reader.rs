//! A pipe for the log that nobody reads.

use std::io::{BufRead as _, BufReader};

use super::*;
use crate::place::ended;

/// More lines than a pipe and the queue of the log hold together.
const REFUSALS: usize = 6000;

#[test]
fn a_log_that_nobody_reads_stops_nothing_and_tells_later_what_it_left_out() {
    let place = Place::new();
    let (dev, log) = place.dev_with_piped_log(&[]);
    let mut stream = TcpStream::connect(address(dev.url("issuer"))).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let form = format!(
        "grant_type=client_credentials&client_id={}",
        "x".repeat(200)
    );
    let request = format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    );
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for _ in 0..REFUSALS {
        stream.write_all(request.as_bytes()).unwrap();
        skip_answer(&mut answers);
    }
    assert!(is_served(&dev));
    assert!(is_alive(&dev));
    let mut lines = BufReader::new(log).lines().map(Result::unwrap);
    let told = lines
        .find(|line| line.contains("log lines were dropped"))
        .unwrap();
    let dropped = told
        .split("dropped=")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let dropped: usize = dropped.parse().unwrap();
    assert!((1..REFUSALS).contains(&dropped), "{told}");
}

/// Reads head and body of one answer.
fn skip_answer(answers: &mut BufReader<TcpStream>) {
    let mut length = 0;
    loop {
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    answers.read_exact(&mut vec![0; length]).unwrap();
}

/// Nothing of it can be written, and yet the process ends.
#[test]
fn a_process_whose_log_nobody_reads_ends_when_it_is_told_to() {
    let place = Place::new();
    let (dev, log) = place.dev_with_piped_log(&[]);
    for _ in 0..400 {
        assert_eq!(dev.ask(&"x".repeat(200), "wrong").0, 401);
    }
    assert!(dev.interrupt_slowly().success());
    drop(log);
}

/// The last line, and the error that ended it.
#[test]
fn the_last_lines_are_written_when_the_process_ends_by_an_error() {
    let place = Place::new();
    place.write(
        "grantd.toml",
        "issuer = \"https://a.example\"\ndatabase_url = \"sqlite:x.db\"\n",
    );
    let mut command = place.grantd(&["serve", "--config", "grantd.toml"]);
    let ended = ended(command.env("GRANTD_LOG", "trace"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.lines().last().unwrap().starts_with("grantd: "),
        "{ended:?}"
    );
}
