//! What an HTTP client's error is about: its own text says little, its innermost cause tells what happened.

use std::error::Error;
use std::io;
use std::iter::successors;

/// The error and all that caused it, the innermost last.
pub fn of<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    successors(Some(error), |error| inside(*error))
}

/// The innermost cause.
#[must_use]
pub fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    of(error).last().unwrap_or(error)
}

/// `io::Error` skips what it was made of.
fn inside<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let of_io = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match of_io {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
