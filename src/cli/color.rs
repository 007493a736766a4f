//! Whether what is printed has colours: on a terminal only, and where `NO_COLOR` and `--color` do not say otherwise.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use clap::ColorChoice;

/// What `--color` says, for the whole process.
static CHOICE: OnceLock<ColorChoice> = OnceLock::new();

/// Takes what `--color` says in `arguments`: also a mistake among them is told in its colours.
pub(super) fn choose(arguments: &[OsString]) -> ColorChoice {
    let mut words = arguments.iter().map_while(|word| word.to_str());
    let asked = words.find_map(|word| match word.strip_prefix("--color")? {
        "" => Some(None),
        value => Some(Some(value.strip_prefix('=')?.to_owned())),
    });
    let asked = asked.and_then(|value| value.or_else(|| words.next().map(str::to_owned)));
    let asked = asked.and_then(|word| word.parse().ok());
    *CHOICE.get_or_init(|| asked.unwrap_or_default())
}

/// For what is printed as a result.
pub(super) fn on_standard_output() -> bool {
    is_wanted(io::stdout().is_terminal())
}

/// For errors and the log.
pub(super) fn on_standard_error() -> bool {
    is_wanted(io::stderr().is_terminal())
}

/// The head of a listing, on standard output.
pub(super) fn bold(text: &str) -> String {
    painted(text, "1", on_standard_output())
}

/// What begins an error, on standard error.
pub(super) fn error(text: &str) -> String {
    painted(text, "1;31", on_standard_error())
}

fn painted(text: &str, code: &str, is_wanted: bool) -> String {
    if is_wanted {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// `NO_COLOR` counts where it is not empty (no-color.org), and clap reads it the same way.
fn is_wanted(is_terminal: bool) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match CHOICE.get().copied().unwrap_or_default() {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            is_terminal && !is_set("NO_COLOR") && !is_dumb
        }
    }
}
