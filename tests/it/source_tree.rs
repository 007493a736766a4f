//! Reads this repository's Rust files, for the tests that judge the code as text.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;

/// One Rust file of the repository.
pub(crate) struct SourceFile {
    /// Its path from the repository's root, parts divided by `/`.
    pub(crate) path: String,
    /// Its tokens: without comments, doc comments as `#[doc = "…"]`.
    pub(crate) tokens: TokenStream,
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, sorted by path.
pub(crate) fn rust_files_below(folder: &str) -> Vec<SourceFile> {
    let mut paths = Vec::new();
    collect(&root().join(folder), &mut paths);
    paths.sort();
    paths.into_iter().map(|path| read(&path)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let below_root = path.strip_prefix(root()).unwrap();
            paths.push(below_root.to_str().unwrap().replace('\\', "/"));
        }
    }
}

fn read(path: &str) -> SourceFile {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let tokens = text.parse().unwrap_or_else(|error| panic!("{path} is no Rust: {error}"));
    SourceFile { path: path.to_owned(), tokens }
}
