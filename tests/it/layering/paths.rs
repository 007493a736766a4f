//! Finds every path (`crate::store::Store`) that a Rust file names.
//!
//! It reads tokens and not a syntax tree, because a tree stops at the arguments of macros, and much
//! of `store` lies inside of one.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// A path as it is written, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamedPath {
    /// The modules in whose braces or file the path stands, outermost first.
    pub(super) module: Vec<String>,
    /// Its segments; `*` for a glob.
    pub(super) segments: Vec<String>,
    /// What an import is called where it stands.
    pub(super) imported_as: Option<String>,
    /// It is an import that others see.
    pub(super) is_reexport: bool,
    /// The line of its first segment, from 1.
    pub(super) line: usize,
}

/// All paths in the body of `module`: imports of any length, others from two segments on.
pub(super) fn named_in(tokens: TokenStream, module: &[String]) -> Vec<NamedPath> {
    let mut found = Vec::new();
    walk(&trees(tokens), module, &mut found);
    found
}

fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

fn walk(mut rest: &[TokenTree], module: &[String], found: &mut Vec<NamedPath>) {
    let mut is_public = false;
    loop {
        let was_public = std::mem::take(&mut is_public);
        rest = match rest {
            [] => return,
            [
                TokenTree::Ident(word),
                TokenTree::Ident(name),
                TokenTree::Group(body),
                after @ ..,
            ] if word == "mod" => {
                let inner = [module, &[name.to_string()]].concat();
                walk(&trees(body.stream()), &inner, found);
                after
            }
            [TokenTree::Ident(word), after @ ..] if word == "pub" => {
                is_public = true;
                past_place(after)
            }
            [TokenTree::Ident(word), after @ ..] if word == "use" && !is_punct(after, '<') => {
                let end = after
                    .iter()
                    .position(|tree| is(tree, ';'))
                    .unwrap_or(after.len());
                let first = found.len();
                imports(&after[..end], module, &[], found);
                for import in &mut found[first..] {
                    import.is_reexport = was_public;
                }
                &after[end..]
            }
            [TokenTree::Ident(word), TokenTree::Ident(name), after @ ..]
                if word == "crate" && name != "as" =>
            {
                // `extern crate name`
                found.push(path(module, vec![plain(name)], name));
                after
            }
            [TokenTree::Ident(_), ..] => expression(rest, module, found),
            [TokenTree::Group(group), after @ ..] => {
                walk(&trees(group.stream()), module, found);
                after
            }
            [_, after @ ..] => after,
        };
    }
}

/// What follows the `(in crate::store)` of a `pub`: it names who sees, and nothing that is used.
fn past_place(after: &[TokenTree]) -> &[TokenTree] {
    match after {
        [TokenTree::Group(place), rest @ ..] if matches!(&trees(place.stream())[..], [TokenTree::Ident(word), ..] if word == "in") => {
            rest
        }
        [TokenTree::Group(place), rest @ ..] if trees(place.stream()).len() == 1 => rest,
        _ => after,
    }
}

/// A path outside of an import; gives back what follows it.
fn expression<'a>(
    rest: &'a [TokenTree],
    module: &[String],
    found: &mut Vec<NamedPath>,
) -> &'a [TokenTree] {
    let (names, after) = leading_names(rest);
    if let [first, _, ..] = names[..] {
        found.push(path(
            module,
            names.iter().map(|name| plain(name)).collect(),
            first,
        ));
    }
    after
}

/// The leaves of one tree of imports: `a::{b, c::*}` is `a::b` and `a::c::*`.
fn imports(tree: &[TokenTree], module: &[String], prefix: &[String], found: &mut Vec<NamedPath>) {
    let tree = if is_separator(tree) { &tree[2..] } else { tree };
    let Some(start) = tree.first() else { return };
    let (names, after) = leading_names(tree);
    let mut segments = prefix.to_vec();
    segments.extend(names.into_iter().map(plain));
    let after = if is_separator(after) {
        &after[2..]
    } else {
        after
    };
    match after.first() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            for branch in trees(group.stream()).split(|tree| is(tree, ',')) {
                imports(branch, module, &segments, found);
            }
            return;
        }
        Some(star) if is(star, '*') => segments.push("*".to_owned()),
        _ => {}
    }
    let name = match after {
        [TokenTree::Ident(word), TokenTree::Ident(name), ..] if word == "as" => Some(plain(name)),
        _ => segments.iter().rfind(|it| *it != "self").cloned(),
    };
    let mut import = path(module, segments, start);
    import.imported_as = name;
    found.push(import);
}

/// `a::b::c` at the head of `rest`, and what follows.
fn leading_names(mut rest: &[TokenTree]) -> (Vec<&Ident>, &[TokenTree]) {
    let mut names = Vec::new();
    while let [TokenTree::Ident(name), after @ ..] = rest {
        names.push(name);
        rest = after;
        match after {
            [_, _, next @ ..]
                if is_separator(after) && matches!(next, [TokenTree::Ident(_), ..]) =>
            {
                rest = next;
            }
            _ => break,
        }
    }
    (names, rest)
}

fn path(module: &[String], segments: Vec<String>, at: &impl Spanned) -> NamedPath {
    NamedPath {
        module: module.to_vec(),
        segments,
        imported_as: None,
        is_reexport: false,
        line: at.line(),
    }
}

trait Spanned {
    fn line(&self) -> usize;
}

impl Spanned for Ident {
    fn line(&self) -> usize {
        self.span().start().line
    }
}

impl Spanned for TokenTree {
    fn line(&self) -> usize {
        self.span().start().line
    }
}

fn plain(name: &Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

fn is_separator(rest: &[TokenTree]) -> bool {
    matches!(rest, [first, second, ..] if is(first, ':') && is(second, ':'))
}

fn is_punct(rest: &[TokenTree], sign: char) -> bool {
    rest.first().is_some_and(|tree| is(tree, sign))
}

fn is(tree: &TokenTree, sign: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == sign)
}
