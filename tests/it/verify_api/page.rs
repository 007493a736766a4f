//! What docs/testing-battery.md and docs/testing.md say of the battery is what it is.

use std::collections::BTreeSet;
use std::fs;

use grantd::domain::battery::{Case, List, Verdict};

use crate::source_tree::root;

/// The rows of a page's tables whose first cell is code: their cells.
fn rows(page: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = |row: &str| {
        let cells = row.trim_matches('|').split(" | ");
        cells.map(|it| it.trim().to_owned()).collect()
    };
    rows.map(cells).collect()
}

/// The status as the page writes it.
fn due(case: Case) -> &'static str {
    match case.expectation().due {
        [200] => "2xx",
        [401] => "401",
        [403] => "403",
        [400, 401] => "400 or 401",
        [400, .., 499] => "any 4xx",
        other => panic!("{case}: {other:?}"),
    }
}

#[test]
fn each_token_is_explained_with_the_status_that_is_due_and_where_that_is_written() {
    let rows = rows("docs/testing-battery.md");
    for case in Case::ALL {
        let of = |row: &&Vec<String>| row[0] == format!("`{case}`");
        let rows: Vec<&Vec<String>> = rows.iter().filter(of).collect();
        let [row] = &rows[..] else {
            panic!("{case}: {rows:?}");
        };
        let expectation = case.expectation();
        let [_, _, told, status, standard] = &row[..] else {
            panic!("{row:?}");
        };
        assert_eq!(
            (status.as_str(), standard.as_str()),
            (due(*case), expectation.standard),
            "{case}"
        );
        let is_note = expectation.list == List::Refuse && expectation.against == Verdict::Note;
        assert_eq!(told.contains("A note: "), is_note, "{case}: {told}");
    }
    assert_eq!(rows.len(), Case::ALL.len());
}

#[test]
fn the_groups_of_refused_tokens_are_all_of_them() {
    let text = fs::read_to_string(root().join("docs/testing.md")).unwrap();
    let (_, table) = text.split_once("| group | entries of `refuse` |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let told: BTreeSet<&str> = table.split('`').skip(1).step_by(2).collect();
    let refused = Case::ALL
        .iter()
        .filter(|it| it.expectation().list == List::Refuse);
    let refused: BTreeSet<&str> = refused.map(|it| it.as_str()).collect();
    assert_eq!(told, refused);
}
