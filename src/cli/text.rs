//! Tokens and assertions that are given as files.

use std::path::Path;

use anyhow::Context as _;

use crate::cli::token::from_standard_input;
use crate::config::file;

/// Without the line break that whoever wrote it may have left at its end.
pub(super) fn text_of(path: &Path) -> anyhow::Result<String> {
    let text = if path == Path::new("-") {
        from_standard_input()?
    } else {
        let shown = path.display();
        file::text(path, file::SMALL).with_context(|| format!("{shown} cannot be read"))?
    };
    Ok(text.trim().to_owned())
}
