//! Finds files that use each other in a circle.
//!
//! A file may name the types of the folders that it lies in, for it gives them methods or returns them. Functions and
//! constants go downwards only: what a folder's `mod.rs` and a file in the folder both need has a file of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proc_macro2::TokenStream;

use super::paths::{self, NamedPath};
use super::{from_root, module_at, place_of};
use crate::source_tree::rust_files_below;

/// Re-exports that a path leads through at most.
const MOST_REEXPORTS: usize = 8;

#[test]
fn no_files_use_each_other_in_a_circle() {
    let files = rust_files_below("src").into_iter();
    let circles = circles_of(files.map(|file| (file.path, file.tokens)));
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

/// A shortest circle for each file that is in one and in none of those before it: `a -> b -> a`.
fn circles_of(files: impl IntoIterator<Item = (String, TokenStream)>) -> Vec<String> {
    let files = Files::read(files);
    let uses = files.uses();
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for file in uses.keys() {
        let circle = (!told.contains(file)).then(|| circle_through(file, &uses));
        if let Some(circle) = circle.flatten() {
            let names: Vec<_> = circle.iter().map(|it| it.join("/")).collect();
            circles.push(names.join(" -> "));
            told.extend(circle);
        }
    }
    circles
}

/// A file, as the module that it is.
type File = [String];

fn circle_through<'f>(
    file: &'f File,
    uses: &BTreeMap<&'f File, BTreeSet<&'f File>>,
) -> Option<Vec<&'f File>> {
    let mut from: BTreeMap<&File, &File> = BTreeMap::new();
    let mut open = VecDeque::from([file]);
    while let Some(user) = open.pop_front() {
        for &used in &uses[user] {
            if used == file {
                let mut circle = vec![file, user];
                while let Some(before) = from.get(circle[circle.len() - 1]) {
                    circle.push(before);
                }
                circle.dedup();
                circle.reverse();
                return Some(circle);
            }
            from.entry(used).or_insert_with(|| {
                open.push_back(used);
                user
            });
        }
    }
    None
}

/// What each file names.
struct Files(BTreeMap<Vec<String>, Vec<NamedPath>>);

impl Files {
    fn read(files: impl IntoIterator<Item = (String, TokenStream)>) -> Self {
        let named = files.into_iter().map(|(path, tokens)| {
            let module = module_at(place_of(&path));
            let named = paths::named_in(tokens, &module);
            (module, named)
        });
        // The root and the binary list the modules.
        Self(named.filter(|(module, _)| !module.is_empty()).collect())
    }

    /// The other files that each file uses.
    fn uses(&self) -> BTreeMap<&File, BTreeSet<&File>> {
        let uses = self.0.iter().map(|(file, named)| {
            let used = named.iter().filter(|path| !path.is_reexport);
            let used = used.filter_map(|path| self.used_by(file, path));
            (&file[..], used.collect())
        });
        uses.collect()
    }

    fn used_by(&self, user: &File, path: &NamedPath) -> Option<&File> {
        let (file, item) = self.home(self.target(path)?)?;
        let is_of_folder = user.starts_with(file) && item.is_some_and(|it| is_type(&it));
        (file != user && !is_of_folder).then_some(file)
    }

    /// The path from the crate's root on, also where it begins with a module of its own file.
    fn target(&self, path: &NamedPath) -> Option<Vec<String>> {
        from_root(path).or_else(|| {
            let below = [&path.module[..], &path.segments[..]].concat();
            let child = below.get(..=path.module.len())?;
            self.0.contains_key(child).then_some(below)
        })
    }

    /// The file where that is defined which `target` names, and its name there.
    fn home(&self, mut target: Vec<String>) -> Option<(&File, Option<String>)> {
        for _ in 0..MOST_REEXPORTS {
            let (file, named) = (1..=target.len())
                .rev()
                .find_map(|end| self.0.get_key_value(&target[..end]))?;
            let item = target.get(file.len()).cloned();
            let import = named.iter().find(|it| {
                it.module == *file && it.imported_as.is_some() && it.imported_as == item
            });
            match import.and_then(|import| self.target(import)) {
                Some(next) => target = next,
                None => return Some((file, item)),
            }
        }
        None
    }
}

fn is_type(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.parse().unwrap()));
        circles_of(files)
    }

    #[test]
    fn a_circle_is_found_however_it_is_written() {
        for (one, other) in [
            ("use super::b::B;", "use super::a::A;"),
            ("use super::b::B;", "fn f() { crate::store::a::f() }"),
            ("use super::b::{B, C};", "use super::{a::A, x};"),
            ("use super::b;", "use super::a as other;"),
            ("use super::B;", "use super::a::A;"),
            ("use crate::store::Renamed;", "use super::a::A;"),
            ("mod tests { use super::super::b::B; }", "use super::a::A;"),
        ] {
            let store = "mod a; mod b; pub use b::B; pub use self::b::B as Renamed;";
            let found = circles(&[
                ("src/store/mod.rs", store),
                ("src/store/a.rs", one),
                ("src/store/b.rs", other),
            ]);
            let circle = "store/a -> store/b -> store/a";
            assert_eq!(found, [circle], "{one} and {other}");
        }
    }

    #[test]
    fn a_longer_circle_is_told_whole_and_once() {
        let found = circles(&[
            ("src/store/a.rs", "use super::b::B;"),
            ("src/store/b.rs", "use super::c::C;"),
            ("src/store/c.rs", "use super::a::A;"),
            ("src/store/d.rs", "use super::a::A;"),
        ]);
        assert_eq!(found, ["store/a -> store/b -> store/c -> store/a"]);
    }

    #[test]
    fn a_file_may_name_the_types_of_its_folder_and_no_functions_and_constants() {
        let with = |below: &str| {
            circles(&[
                ("src/store/mod.rs", "mod a; struct Store; use a::A;"),
                ("src/store/a.rs", below),
            ])
        };
        for below in [
            "use super::Store;",
            "fn f() { super::Store::open() }",
            "pub(in crate::store) struct A;",
            "pub(super) struct A(pub(crate) u8);",
        ] {
            assert!(with(below).is_empty(), "{below}");
        }
        for below in ["use super::open;", "use super::MOST;", "use super::*;"] {
            assert_eq!(with(below), ["store -> store/a -> store"], "{below}");
        }
    }

    #[test]
    fn a_folder_may_show_what_lies_in_it() {
        let found = circles(&[
            (
                "src/store/mod.rs",
                "mod a; pub use a::A; pub(crate) use self::a::f; fn g() {}",
            ),
            ("src/store/a.rs", "use super::g;"),
        ]);
        assert!(found.is_empty());
    }
}
