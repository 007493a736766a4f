//! Code in pages, which other programs run: it stands line by line in a client of tests/e2e or in the example of a kit, and
//! a script takes a proxy's from the page itself.

use std::fs;

use crate::page_block::{Block, blocks};
use crate::source_tree::{paths_below, root};

/// Of each kit: where its code is, and how its files and those of its example end.
const KITS: [(&str, &str, &[&str]); 5] = [
    ("python", "src", &["py"]),
    ("node", "src", &["ts", "js"]),
    ("java", "src", &["java"]),
    ("go", "", &["go"]),
    ("rust", "src", &["rs"]),
];
/// A kit is a thin layer (TESTING section 9): lines of code, without imports.
const MOST_LINES_OF_A_KIT: usize = 300;

pub(crate) fn check_that_a_client_runs(block: &Block, endings: &[&str]) {
    let clients = paths_below("tests/e2e", endings).into_iter();
    let examples = KITS.map(|(kit, ..)| paths_below(&format!("kits/{kit}/example"), endings));
    let mut all = clients.chain(examples.into_iter().flatten());
    let runs = all.any(|path| text_of(&path).contains(&block.text));
    assert!(runs, "{}: no client in tests/e2e has these lines", block.at);
}

/// The script takes the block from the page itself.
pub(crate) fn check_that_a_proxy_runs(block: &Block) {
    let (page, _) = block.at.split_once(':').unwrap();
    let scripts = ["proxy", "rolling"].map(|client| text_of(&format!("tests/e2e/{client}/run")));
    let takes = format!("block {} ", block.language);
    let runs = scripts
        .iter()
        .any(|script| script.contains(&takes) && script.contains(&format!("/{page}\n")));
    assert!(runs, "{}", block.at);
}

fn text_of(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn what_a_kit_shows_stands_in_its_example() {
    for (kit, _, endings) in KITS {
        let example = paths_below(&format!("kits/{kit}/example"), endings);
        let example: Vec<String> = example.iter().map(|path| text_of(path)).collect();
        let blocks = blocks(&[&format!("kits/{kit}/README.md")]);
        let code: Vec<&Block> = blocks.iter().filter(|it| it.language != "sh").collect();
        assert!(code.len() > 1, "{kit}");
        for block in code {
            let stands = example.iter().any(|text| text.contains(&block.text));
            assert!(stands, "{}: not in the example", block.at);
        }
    }
}

#[test]
fn a_kit_is_thin() {
    for (kit, folder, endings) in KITS {
        let files = paths_below(&format!("kits/{kit}/{folder}"), endings);
        let own = files.iter().filter(|path| !path.contains("/example/"));
        let texts: Vec<String> = own.map(|path| text_of(path)).collect();
        let lines: usize = texts.iter().map(|text| lines_of_code(text)).sum();
        assert!(
            (100..MOST_LINES_OF_A_KIT).contains(&lines),
            "{kit}: {lines}"
        );
    }
}

/// How many lines of a kit's file do something.
fn lines_of_code(text: &str) -> usize {
    const OTHERS: [&str; 11] = [
        "//", "/*", "*", "# ", "\"\"\"", "import ", "from ", "package ", "use ", "mod ", "pub use ",
    ];
    // Go's imports stand in lines of their own.
    let mut is_import = false;
    let mut is_code = |line: &str| {
        let was_import = is_import;
        is_import = (was_import || line == "import (") && line != ")";
        !was_import && !line.is_empty() && !OTHERS.iter().any(|it| line.starts_with(it))
    };
    text.lines().filter(|line| is_code(line.trim())).count()
}

#[test]
fn a_first_test_is_short_in_each_language() {
    let blocks = blocks(&["docs/testing.md"]);
    for language in ["python", "javascript", "java", "go", "rust"] {
        let tests: Vec<&Block> = blocks.iter().filter(|it| it.language == language).collect();
        let (with_battery, with_token): (Vec<&Block>, Vec<&Block>) = tests
            .into_iter()
            .partition(|it| it.section == "A first test");
        for (tests, most) in [(with_battery, 9), (with_token, 10)] {
            assert_eq!(tests.len(), 1, "{language}");
            let (at, lines) = (&tests[0].at, tests[0].text.lines().count());
            assert!(lines <= most, "{at}: {lines}");
        }
    }
}
