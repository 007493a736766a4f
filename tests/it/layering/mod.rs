//! Holds the modules to their order and their files to one direction, and some crates to their rooms.

mod circles;
mod paths;

use proc_macro2::TokenStream;

use self::paths::NamedPath;
use crate::source_tree::{root, rust_files_below};

/// The top-level modules; each imports only what stands before it.
const LAYERS: [&str; 12] = [
    "domain",
    "clock",
    "crypto",
    "config",
    "telemetry",
    "fetch",
    "store",
    "operations",
    "http",
    "server",
    "control",
    "cli",
];

/// A layer, and the files (without `.rs`) below `src` that alone may name it: nothing that `grantd serve` runs can reach
/// what only `grantd dev` has.
const HIDDEN: [(&str, &[&str]); 1] =
    [("control", &["cli/dev", "cli/dev_control", "cli/dev_public"])];

/// A crate, and the files (without `.rs`) or folders below `src` that alone may name it.
const ROOMS: [(&str, &[&str]); 7] = [
    ("axum", &["http", "control"]),
    ("utoipa", &["control"]),
    ("sqlx", &["store"]),
    ("josekit", &["crypto/jws"]),
    ("argon2", &["crypto/secret_hash"]),
    ("rcgen", &["crypto/certificates"]),
    ("anyhow", &["cli", "main"]),
];

#[test]
fn modules_import_only_to_their_left_and_crates_stay_in_their_rooms() {
    let faults: Vec<String> = rust_files_below("src")
        .into_iter()
        .flat_map(|file| faults_in(&file.path, file.tokens))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_root_lists_the_modules_in_their_order() {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let listed: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(listed, LAYERS);
}

/// What is wrong with the imports of the file at `path` (`src/store/mod.rs`).
fn faults_in(path: &str, tokens: TokenStream) -> Vec<String> {
    let place = place_of(path);
    let module = module_at(place);
    let mut faults = Vec::new();
    let layer = module.first().map(|name| (name, layer_of(name)));
    if let Some((name, None)) = layer {
        faults.push(format!("{path}: `{name}` is none of the layers {LAYERS:?}"));
    }
    for named in paths::named_in(tokens, &module) {
        let fault = stray_crate(place, &named)
            .or_else(|| hidden_layer(place, &named))
            .or_else(|| steered_clock(place, &named))
            .or_else(|| wrong_direction(layer.and_then(|(_, layer)| layer)?, &named));
        faults.extend(fault.map(|fault| format!("{path}:{}: {fault}", named.line)));
    }
    faults
}

/// `store/clients` for `src/store/clients.rs`, `store` for `src/store/mod.rs`.
fn place_of(path: &str) -> &str {
    let place = path.strip_prefix("src/").unwrap_or(path);
    let place = place.strip_suffix(".rs").unwrap_or(place);
    place.strip_suffix("/mod").unwrap_or(place)
}

fn module_at(place: &str) -> Vec<String> {
    if matches!(place, "lib" | "main") || place.starts_with("bin/") {
        return Vec::new();
    }
    place.split('/').map(str::to_owned).collect()
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

fn stray_crate(place: &str, named: &NamedPath) -> Option<String> {
    let head = named.segments.first()?;
    let (package, rooms) = ROOMS.iter().find(|(package, _)| {
        // Its parts (`axum_core`) are kept in like the crate itself.
        head.strip_prefix(package)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })?;
    let at_home = rooms.iter().any(|room| {
        place
            .strip_prefix(room)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    (!at_home).then(|| format!("`{head}` belongs to {rooms:?} only, not here ({package})"))
}

/// The way to a clock that can be moved, and who alone may take it.
const STEERED: (&str, &[&str]) = ("steered", &["clock", "cli/dev", "control/tests"]);

fn steered_clock(place: &str, named: &NamedPath) -> Option<String> {
    let (name, users) = STEERED;
    let is_meant = named.segments.iter().any(|it| it == name);
    let at_home = users.iter().any(|room| {
        place
            .strip_prefix(room)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    (is_meant && !at_home)
        .then(|| format!("`{name}` makes a clock that can be moved: for {users:?} only"))
}

fn hidden_layer(place: &str, named: &NamedPath) -> Option<String> {
    let target = from_root(named)?;
    let (layer, users) = HIDDEN
        .iter()
        .find(|(layer, _)| target.first().is_some_and(|it| it == layer))?;
    let is_inside = place == *layer
        || place
            .strip_prefix(layer)
            .is_some_and(|rest| rest.starts_with('/'));
    (!is_inside && !users.contains(&place))
        .then(|| format!("`{layer}` is for {users:?} only, not here"))
}

fn wrong_direction(layer: usize, named: &NamedPath) -> Option<String> {
    let target = from_root(named)?;
    match target.first().map(|first| (first, layer_of(first))) {
        None => Some("the crate's root is imported whole, which hides what is used".to_owned()),
        Some((first, None)) => Some(format!("`crate::{first}` is none of the layers")),
        Some((first, Some(found))) if found > layer => Some(format!(
            "`{first}` stands to the right of `{}`",
            LAYERS[layer]
        )),
        Some(_) => None,
    }
}

/// The path from the crate's root on; nothing for what may be another crate or a local name.
fn from_root(named: &NamedPath) -> Option<Vec<String>> {
    let (mut target, rest) = match named.segments.first()?.as_str() {
        "crate" | "grantd" => (Vec::new(), &named.segments[1..]),
        "self" => (named.module.clone(), &named.segments[1..]),
        "super" => (named.module.clone(), &named.segments[..]),
        _ => return None,
    };
    for segment in rest {
        match segment.as_str() {
            "super" => drop(target.pop()),
            "self" => {}
            "*" => break,
            name => target.push(name.to_owned()),
        }
    }
    Some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, source: &str) -> usize {
        faults_in(path, source.parse().unwrap()).len()
    }

    #[test]
    fn an_import_to_the_right_is_a_fault_however_it_is_written() {
        for source in [
            "use crate::http;",
            "use crate::http::{Router};",
            "use crate::{domain::Scope, http::Router};",
            "use {crate::http::Router, std::fmt};",
            "use super::super::http::Router;",
            "use super::{super::http::Router};",
            "use self::super::super::http;",
            "mod inner { use super::super::super::http::Router; }",
            "fn f() { crate::http::router(); }",
            "fn f() -> Vec<crate::http::Router> { vec![] }",
            "fn f() { on_db!(self, { crate::http::router() }) }",
            "macro_rules! m { () => { $crate::http::router() } }",
            "#[derive(crate::http::Answer)] struct S;",
            "use grantd::server;",
            "pub(crate) use crate::r#cli::run as start;",
        ] {
            assert_eq!(faults("src/store/clients.rs", source), 1, "{source}");
        }
    }

    #[test]
    fn an_import_to_the_left_or_within_is_none() {
        for source in [
            "use crate::domain::scope::Scope;",
            "use crate::{clock::Clock, store::Store};",
            "use super::Store; pub(crate) struct S; pub(in crate::store) struct T;",
            "use super::super::domain::Scope;",
            "mod tests { use super::super::Store; use super::*; }",
            "fn f<'a>(s: &'a str) -> impl Iterator<Item = char> + use<'a> { s.chars() }",
            "// crate::http is for others\n/// Nor crate::http here.\nconst A: &str = \"crate::http\";",
            "use http::StatusCode; fn f() { http::uri() }",
        ] {
            assert_eq!(faults("src/store/clients.rs", source), 0, "{source}");
        }
    }

    #[test]
    fn what_only_dev_has_is_named_by_nothing_else() {
        let source = "use crate::control::Control;";
        for path in [
            "src/cli/serve.rs",
            "src/cli/mod.rs",
            "src/cli/key.rs",
            "src/cli/devil.rs",
        ] {
            assert_eq!(faults(path, source), 1, "{path}");
        }
        for path in [
            "src/cli/dev.rs",
            "src/cli/dev_control.rs",
            "src/control/clock.rs",
        ] {
            assert_eq!(faults(path, source), 0, "{path}");
        }
    }

    #[test]
    fn no_other_command_makes_a_clock_that_can_be_moved() {
        let source = "fn f() { let (clock, hand) = Clock::steered(); }";
        for path in [
            "src/cli/serve.rs",
            "src/server/replica.rs",
            "src/control/clock.rs",
        ] {
            assert_eq!(faults(path, source), 1, "{path}");
        }
        for path in ["src/cli/dev.rs", "src/clock/steered.rs"] {
            assert_eq!(faults(path, source), 0, "{path}");
        }
    }

    #[test]
    fn the_root_may_not_hide_behind_another_name() {
        for source in [
            "use crate as root;",
            "use crate::*;",
            "use crate::{self as root};",
            "use super::super::*;",
            "use crate::Everything;",
        ] {
            assert_eq!(faults("src/domain/scope.rs", source), 1, "{source}");
        }
    }

    #[test]
    fn a_module_that_is_no_layer_is_a_fault() {
        assert_eq!(faults("src/utils.rs", ""), 1);
        assert_eq!(faults("src/utils/mod.rs", ""), 1);
        assert_eq!(faults("src/clock.rs", ""), 0);
    }

    #[test]
    fn the_binary_and_the_root_may_name_every_layer() {
        assert_eq!(faults("src/main.rs", "fn main() { grantd::cli::run() }"), 0);
        assert_eq!(faults("src/lib.rs", "pub mod domain; pub mod cli;"), 0);
    }

    #[test]
    fn a_crate_outside_its_room_is_a_fault_however_it_is_written() {
        for source in [
            "use axum::Router;",
            "use ::axum::Router;",
            "use axum as web;",
            "use {std::fmt, axum::Router};",
            "use axum_core::body::Body;",
            "extern crate sqlx;",
            "extern crate sqlx as database;",
            "#[derive(sqlx::FromRow)] struct Row;",
            "fn f() { argon2::hash() }",
            "fn f() { m!(josekit::jws::ES256) }",
            "fn f() -> anyhow::Result<()> { Ok(()) }",
            "fn f(x: &::rcgen::KeyPair) {}",
        ] {
            assert_eq!(faults("src/server/mod.rs", source), 1, "{source}");
        }
    }

    #[test]
    fn a_crate_in_its_room_and_its_name_elsewhere_are_none() {
        for (path, source) in [
            ("src/http/token.rs", "use axum::Router;"),
            ("src/store/mod.rs", "use sqlx::Row;"),
            ("src/crypto/jws.rs", "use josekit::jws::ES256;"),
            ("src/crypto/jws/verify.rs", "use josekit::jws::ES256;"),
            ("src/crypto/secret_hash.rs", "use argon2::Argon2;"),
            ("src/main.rs", "fn main() -> anyhow::Result<()> { Ok(()) }"),
            (
                "src/config/hashing.rs",
                "/// argon2::x\nfn f(s: S) -> u32 { s.argon2 } // axum::y",
            ),
            ("src/config/hashing.rs", "const A: &str = \"argon2::id\";"),
        ] {
            assert_eq!(faults(path, source), 0, "{path}: {source}");
        }
        assert_eq!(faults("src/crypto/keys.rs", "use josekit::jws::ES256;"), 1);
        assert_eq!(
            faults("src/crypto/jws_header.rs", "use josekit::jws::ES256;"),
            1
        );
    }

    #[test]
    fn a_fault_says_where_it_is() {
        let source = "\nuse crate::http::Router;".parse().unwrap();
        assert_eq!(
            faults_in("src/domain/scope.rs", source),
            ["src/domain/scope.rs:2: `http` stands to the right of `domain`"]
        );
    }
}
