//! Reads this repository's source files, for the tests that judge the code as text.

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
    paths_below(folder, &["rs"])
        .iter()
        .map(|path| read(path))
        .collect()
}

/// The path from the repository's root of each file below `folder` with one of these endings, sorted.
pub(crate) fn paths_below(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut paths = Vec::new();
    collect(&root().join(folder), endings, &mut paths);
    paths.sort();
    paths
}

fn collect(folder: &Path, endings: &[&str], paths: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, endings, paths);
        } else if path
            .extension()
            .is_some_and(|ending| endings.iter().any(|it| ending == *it))
        {
            let below_root = path.strip_prefix(root()).unwrap();
            paths.push(below_root.to_str().unwrap().replace('\\', "/"));
        }
    }
}

fn read(path: &str) -> SourceFile {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let tokens = text
        .parse()
        .unwrap_or_else(|error| panic!("{path} is no Rust: {error}"));
    SourceFile {
        path: path.to_owned(),
        tokens,
    }
}
