//! Holds every requirement that `tests/standards.txt` lists to a test that names it.
//!
//! A test names a requirement in its doc comment (`6749-26`), or in the first lines (`//!`) of the test file or test
//! module in which it stands; never in its own name. A client of `tests/e2e` names it in
//! the comment with which its file begins.

use std::collections::BTreeSet;
use std::fs;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::source_tree::{paths_below, root, rust_files_below};

/// The languages of the clients in `tests/e2e`, as files end.
const LANGUAGES_OF_CLIENTS: [&str; 5] = ["mjs", "py", "go", "java", "sh"];

#[test]
fn every_listed_requirement_is_named_by_a_test() {
    let list = fs::read_to_string(root().join("tests/standards.txt")).unwrap();
    let ids = listed_ids(&list).unwrap_or_else(|fault| panic!("tests/standards.txt: {fault}"));
    let of_tests = ["src", "tests"]
        .into_iter()
        .flat_map(rust_files_below)
        .flat_map(|file| names_of_tests(file.tokens, file.path.starts_with("tests/")));
    let of_clients = paths_below("tests/e2e", &LANGUAGES_OF_CLIENTS)
        .into_iter()
        .map(|path| first_comment(&fs::read_to_string(root().join(path)).unwrap()));
    let names: Vec<String> = of_tests.chain(of_clients).collect();
    let unnamed: Vec<&str> = ids
        .into_iter()
        .filter(|id| !names.iter().any(|name| mentions(name, id)))
        .collect();
    assert!(unnamed.is_empty(), "no test names {unnamed:?}");
}

/// The ids of `ID  what it demands`; empty lines and those that begin with `#` are skipped.
fn listed_ids(list: &str) -> Result<Vec<&str>, String> {
    let mut seen = BTreeSet::new();
    let mut ids = Vec::new();
    for line in list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (id, demand) = line.split_once(' ').unwrap_or((line, ""));
        if demand.trim().is_empty() {
            return Err(format!("`{id}` says nothing about what it demands"));
        }
        if !seen.insert(id) {
            return Err(format!("`{id}` stands twice"));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Whether `id` stands in `text` as a whole word, with `-` or `_`, in either case.
fn mentions(text: &str, id: &str) -> bool {
    let (text, id) = (comparable(text), comparable(id));
    text.match_indices(&id).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + id.len()..].chars().next();
        ![before, after]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    })
}

fn comparable(text: &str) -> String {
    text.to_lowercase().replace('-', "_")
}

/// The comment (in Python the text in three quotes) with which a file begins.
fn first_comment(text: &str) -> String {
    let mut in_quotes = false;
    let is_comment = |line: &&str| {
        let begins = ["//", "#", "/*", " *", "\"\"\""]
            .iter()
            .any(|sign| line.starts_with(sign));
        let is_inside = in_quotes || begins;
        if line.matches("\"\"\"").count() == 1 {
            in_quotes = !in_quotes;
        }
        is_inside
    };
    text.lines()
        .take_while(is_comment)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Names and doc comments of tests; `in_tests` says that everything here is test code.
///
/// A function counts when an attribute whose name ends in `test` marks it, or when it stands in the
/// arguments of a macro in test code, because such a macro makes the tests.
fn names_of_tests(tokens: TokenStream, in_tests: bool) -> Vec<String> {
    let mut names = Vec::new();
    walk(
        tokens,
        &Place {
            test_code: in_tests,
            macro_arguments: false,
        },
        &mut names,
    );
    names
}

struct Place {
    test_code: bool,
    macro_arguments: bool,
}

/// What stands before an item: its attributes.
#[derive(Default)]
struct Attributes {
    docs: Vec<String>,
    test: bool,
    cfg_test: bool,
}

fn walk(tokens: TokenStream, place: &Place, names: &mut Vec<String>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut rest = &trees[..];
    let mut attributes = Attributes::default();
    loop {
        rest = match rest {
            [] => return,
            [hash, bang, TokenTree::Group(body), after @ ..] if is(hash, '#') && is(bang, '!') => {
                if place.test_code {
                    names.extend(doc_text(body.stream()));
                }
                after
            }
            [hash, TokenTree::Group(body), after @ ..] if is(hash, '#') => {
                attributes.add(body.stream());
                after
            }
            [TokenTree::Ident(word), TokenTree::Ident(name), after @ ..] if word == "fn" => {
                if attributes.test || place.macro_arguments {
                    names.append(&mut attributes.docs);
                    names.push(name.to_string());
                }
                attributes = Attributes::default();
                after
            }
            [
                TokenTree::Ident(word),
                TokenTree::Ident(name),
                TokenTree::Group(body),
                after @ ..,
            ] if word == "mod" => {
                let test_code = place.test_code || attributes.cfg_test;
                if test_code {
                    names.append(&mut attributes.docs);
                    names.push(name.to_string());
                }
                walk(
                    body.stream(),
                    &Place {
                        test_code,
                        macro_arguments: false,
                    },
                    names,
                );
                attributes = Attributes::default();
                after
            }
            [
                TokenTree::Ident(_),
                bang,
                TokenTree::Group(body),
                after @ ..,
            ] if is(bang, '!') => {
                let macro_arguments = place.test_code;
                walk(
                    body.stream(),
                    &Place {
                        macro_arguments,
                        ..*place
                    },
                    names,
                );
                after
            }
            [TokenTree::Group(body), after @ ..] => {
                walk(body.stream(), place, names);
                if body.delimiter() == Delimiter::Brace {
                    attributes = Attributes::default();
                }
                after
            }
            [sign, after @ ..] => {
                if is(sign, ';') {
                    attributes = Attributes::default();
                }
                after
            }
        };
    }
}

impl Attributes {
    fn add(&mut self, body: TokenStream) {
        self.docs.extend(doc_text(body.clone()));
        let trees: Vec<TokenTree> = body.into_iter().collect();
        let arguments = trees
            .iter()
            .position(|tree| matches!(tree, TokenTree::Group(_)));
        let path = &trees[..arguments.unwrap_or(trees.len())];
        match path.last() {
            Some(TokenTree::Ident(name)) if name == "cfg" => {
                self.cfg_test = trees.iter().any(|tree| tree.to_string() == "(test)");
            }
            Some(TokenTree::Ident(name)) if name.to_string().ends_with("test") => self.test = true,
            _ => {}
        }
    }
}

/// The text of `doc = "…"`.
fn doc_text(attribute: TokenStream) -> Option<String> {
    match &attribute.into_iter().collect::<Vec<_>>()[..] {
        [TokenTree::Ident(name), _, TokenTree::Literal(text)] if name == "doc" => {
            Some(text.to_string())
        }
        _ => None,
    }
}

fn is(tree: &TokenTree, sign: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(source: &str, in_tests: bool) -> bool {
        let names = names_of_tests(source.parse().unwrap(), in_tests);
        names.iter().any(|name| mentions(name, "B-C03"))
    }

    #[test]
    fn an_id_counts_in_the_name_and_the_doc_comment_of_a_test() {
        for source in [
            "#[test] fn all_look_alike_b_c03() {}",
            "#[test] fn b_c03_all_look_alike() {}",
            "/// B-C03: all look alike.\n#[test] fn all_look_alike() {}",
            "#[tokio::test(start_paused = true)] async fn x_b_c03() {}",
            "proptest! { #[test] fn x_b_c03(a in 0..1) {} }",
            "mod m { #[test]\n/// B-C03\npub(crate) fn x() {} }",
            "#[cfg(test)] mod tests { //! B-C03\n #[test] fn x() {} }",
            "#[cfg(test)] mod tests { on_both! { async fn x_b_c03() {} } }",
        ] {
            assert!(named(source, false), "{source}");
        }
        assert!(named("//! B-C03.\n#[test] fn x() {}", true));
        assert!(named(
            "on_both! { /// B-C03\n async fn x(app: App) {} }",
            true
        ));
    }

    #[test]
    fn an_id_elsewhere_does_not_count() {
        for source in [
            "// B-C03\n#[test] fn x() {}",
            "#[test] fn x() { let text = \"B-C03\"; }",
            "fn x_b_c03() {}",
            "/// B-C03\nfn x() {} #[test] fn y() {}",
            "/// B-C03\nconst A: u8 = 1; #[test] fn y() {}",
            "//! B-C03\nfn x() {}",
            "#[test] fn x_b_c031() {}",
            "#[test] fn ab_c03() {}",
        ] {
            assert!(!named(source, false), "{source}");
        }
        assert!(!named("/// B-C03\nfn builder() {}", true));
    }

    #[test]
    fn an_id_counts_in_the_comment_with_which_a_client_begins() {
        for source in [
            "// x (B-C03)\nimport x;",
            "#!/bin/sh\n# x\n# B-C03\nx",
            "/* x\n * B-C03 */\npackage x;",
            "\"\"\"B-C03: x.\"\"\"\nimport x",
            "\"\"\"x.\n\nB-C03\n\"\"\"\nimport x",
        ] {
            assert!(mentions(&first_comment(source), "B-C03"), "{source}");
        }
        for source in [
            "import x;\n// B-C03",
            "\"\"\"x.\"\"\"\nx = 1  # B-C03\n",
            "\"\"\"x.\n\"\"\"\nx()\n# B-C03",
            "// x\n\n// B-C03",
        ] {
            assert!(!mentions(&first_comment(source), "B-C03"), "{source}");
        }
    }

    #[test]
    fn the_list_has_each_id_once_and_says_what_it_demands() {
        assert_eq!(
            listed_ids("# about\n\nA-1  one\nA-2  two\n"),
            Ok(vec!["A-1", "A-2"])
        );
        assert!(listed_ids("A-1  one\nA-1  two\n").is_err());
        assert!(listed_ids("A-1\n").is_err());
        assert!(listed_ids("A-1   \n").is_err());
    }
}
