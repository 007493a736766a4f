//! Every page for people is read by a test: its commands are run, its links lead somewhere, and the tests that
//! SECURITY.md names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use grantd::domain::check::Check;
use proc_macro2::{TokenStream, TokenTree};

use crate::readme::PAGES;
use crate::source_tree::{paths_below, root, rust_files_below};

/// Those whose blocks others run: `tests/it/runbooks.rs`, `tests/it/workloads`, and `tests/e2e/packages`, whose packages
/// hold the page.
const OF_OTHERS: [&str; 3] = [
    "docs/runbooks.md",
    "docs/workloads.md",
    "packaging/README.md",
];
/// How lines begin that `tests/it/readme.rs` cannot run, and the file that runs the same, with words of it.
const ELSEWHERE: [(&str, &str, &str); 10] = [
    ("./check", ".ci/run", "/../check"),
    ("./package", "tests/e2e/packages/run", "package"),
    (
        "pip install ./kits/python",
        "tests/e2e/kits/run",
        "-m pip install",
    ),
    // Compiles for minutes; the same sources with the same lock file.
    (
        "cargo install --path . --locked",
        "tests/e2e/run",
        "cargo build --locked --bin grantd",
    ),
    ("TEST_POSTGRES_URL=", "check", "cargo test --locked"),
    (
        "tests/e2e/keys ",
        "tests/e2e/run",
        "\"$FOLDER/keys\" \"$KEYS\"",
    ),
    // Without Docker and without a cluster, but with all that they are given.
    (
        "deploy/make-secrets",
        "tests/it/deployment/compose.rs",
        "\"deploy/make-secrets\"",
    ),
    (
        "docker compose ",
        "tests/it/deployment/compose.rs",
        "\"docker-compose.yml\"",
    ),
    (
        "docker ",
        "tests/it/deployment/kubernetes.rs",
        "fn the_image_is_of_this_version",
    ),
    (
        "kubectl ",
        "tests/it/deployment/kubernetes.rs",
        "strip_prefix(\"$ kubectl \")",
    ),
];

/// Whether something else runs what a line of a page types.
pub(crate) fn is_run_elsewhere(line: &str) -> bool {
    // What the Compose file serves is asked for in its test.
    let asks = line.starts_with("curl ") && line.contains("deploy/secrets/");
    asks || ELSEWHERE.iter().any(|(start, ..)| line.starts_with(start))
}

#[test]
fn what_is_run_elsewhere_is_there() {
    for (start, file, words) in ELSEWHERE {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains(words), "{start}: {file} has no {words}");
    }
}

/// The pages of the repository.
fn pages() -> Vec<String> {
    let folders = [
        "docs",
        "deploy",
        "packaging",
        "tests",
        "examples",
        "fuzz/seeds",
    ];
    let below = folders
        .iter()
        .flat_map(|folder| paths_below(folder, &["md"]));
    let entries = fs::read_dir(root()).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    let is_page = |name: &String| Path::new(name).extension().is_some_and(|it| it == "md");
    let top = names.filter(is_page);
    let mut pages: Vec<String> = below.chain(top).collect();
    pages.sort();
    pages
}

#[test]
fn every_page_with_commands_is_run() {
    let pages = pages();
    assert!(pages.len() > 15, "{pages:?}");
    let has_commands = |page: &&String| {
        let text = fs::read_to_string(root().join(page)).unwrap();
        ["sh", "console", "toml"]
            .iter()
            .any(|it| text.contains(&format!("\n```{it}\n")))
    };
    let is_run =
        |page: &&String| PAGES.contains(&page.as_str()) || OF_OTHERS.contains(&page.as_str());
    let idle: Vec<&String> = pages
        .iter()
        .filter(has_commands)
        .filter(|it| !is_run(it))
        .collect();
    assert!(
        idle.is_empty(),
        "add them to PAGES of tests/it/readme.rs: {idle:?}"
    );
}

/// The text of a page without its blocks and its code, and its headings.
fn prose(page: &str) -> (String, BTreeSet<String>) {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut is_block = false;
    let mut prose = String::new();
    let mut headings = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            is_block = !is_block;
        } else if !is_block {
            if let Some(heading) = line.strip_prefix('#') {
                headings.insert(anchor(heading.trim_start_matches('#')));
            }
            // The odd parts of a line are code.
            let words = line.split('`').step_by(2);
            prose.push_str(&words.collect::<Vec<_>>().join("…"));
            prose.push('\n');
        }
    }
    (prose, headings)
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter(|it| it.is_alphanumeric() || " -_".contains(*it));
    kept.map(|it| if it == ' ' { '-' } else { it })
        .collect::<String>()
        .to_lowercase()
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut seen = 0;
    for page in pages() {
        let (prose, own) = prose(&page);
        for (_, rest) in prose
            .match_indices("](")
            .map(|(at, it)| prose.split_at(at + it.len()))
        {
            let target = rest.split(')').next().unwrap();
            if target.starts_with("http") {
                continue;
            }
            seen += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = Path::new(&page).parent().unwrap();
            let path = root().join(folder).join(file);
            assert!(path.exists(), "{page}: {target}");
            let headings = match file {
                "" => own.clone(),
                _ if heading.is_empty() => continue,
                _ => self::prose(path.to_str().unwrap()).1,
            };
            assert!(headings.contains(heading), "{page}: {target}");
        }
    }
    assert!(seen > 50, "{seen}");
}

/// The names of functions, in whatever depth.
fn functions(tokens: TokenStream, names: &mut BTreeSet<String>) {
    let mut follows = false;
    for token in tokens {
        match token {
            TokenTree::Ident(name) if follows => {
                names.insert(name.to_string());
                follows = false;
            }
            TokenTree::Ident(name) => follows = name == "fn",
            TokenTree::Group(group) => functions(group.stream(), names),
            _ => {}
        }
    }
}

/// The texts in backticks of a cell.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Tables end with a column `test`, and some have one `check` before it.
#[test]
fn every_test_and_check_that_the_threat_model_names_exists() {
    let mut known = BTreeSet::new();
    for file in ["src", "tests/it", "examples"]
        .into_iter()
        .flat_map(rust_files_below)
    {
        functions(file.tokens, &mut known);
    }
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").collect())
        .collect();
    let mut tests = BTreeSet::new();
    for row in rows.iter().filter(|row| row.len() > 2) {
        let (last, before) = row.split_last().unwrap();
        tests.extend(code(last));
        let checks = before.get(2).into_iter().flat_map(|cell| code(cell));
        for check in checks {
            assert!(Check::ALL.iter().any(|it| it.name() == check), "{check}");
        }
    }
    // Those in running text have words enough to be told from settings and alerts.
    let prose = text.lines().filter(|line| !line.starts_with('|'));
    let named = prose
        .flat_map(code)
        .filter(|it| it.matches('_').count() > 4);
    tests.extend(named);
    assert!(tests.len() > 40, "{tests:?}");
    let unknown: Vec<&&str> = tests.iter().filter(|it| !known.contains(**it)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// First column of the table whose head begins with `head`.
fn column(head: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with(head))
        .skip(2);
    rows.map_while(|line| line.strip_prefix("| `"))
        .map(|line| line.split_once('`').unwrap().0.to_owned())
        .collect()
}

#[test]
fn every_place_in_the_table_of_places_is_there() {
    let places = column("| place |");
    assert!(places.len() > 10, "{places:?}");
    for place in places {
        assert!(root().join(&place).exists(), "{place}");
    }
}

#[test]
fn the_table_of_refusals_names_every_check() {
    let names = Check::ALL.iter().map(|check| check.name().to_owned());
    assert_eq!(column("| `check` |"), names.collect());
}

#[test]
fn the_page_on_keys_tells_every_check_of_an_assertion() {
    let of_assertions = Check::ALL.iter().filter(|it| it.name() == "assertion");
    let expected: BTreeSet<&str> = of_assertions.map(|it| it.expected()).collect();
    let page = fs::read_to_string(root().join("docs/private-key-jwt.md")).unwrap();
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| `expected` |"))
        .skip(2);
    let told: BTreeSet<&str> = rows
        .map_while(|line| line.strip_prefix("| ")?.split(" |").next())
        .collect();
    assert_eq!(told, expected);
}
