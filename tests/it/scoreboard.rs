//! What the committed tables say of how many runs it takes to find a bug is what it takes here.

#[path = "../../benches/scoreboard/search.rs"]
mod search;

use search::{Field, row};
use seaworthy::adapter::Mutation;
use seaworthy::fuzz::Strategy;
use std::fs;
use std::path::Path;

/// The campaigns of a row of the tables.
const CAMPAIGNS: u64 = 30;

/// The rows of the table of clusters of this size.
fn table(nodes: u16) -> Vec<(Mutation, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scoreboard.md");
    let text = fs::read_to_string(path).expect("the tables are there");
    let begin = format!("## Clusters of {nodes}\n");
    let section = text.split(&begin).nth(1).expect("a table of each size");
    let section = section.split("\n## ").next().unwrap_or(section);
    let rows = section.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
        Some((name.parse().ok()?, rest.to_string()))
    });
    rows.collect()
}

/// Rows of bugs that are found soon, so that it does not take long: the last run in which one was found stands last.
fn soon(rows: &[(Mutation, String)]) -> Vec<&(Mutation, String)> {
    let last = |row: &str| row.split(" | ").nth(3).and_then(|runs| runs.parse::<u64>().ok());
    rows.iter().filter(|(_, row)| last(row).is_some_and(|runs| runs <= 25)).take(6).collect()
}

#[test]
fn the_tables_say_what_is_found_here() {
    for nodes in [3, 5] {
        let rows = table(nodes);
        assert_eq!(rows.len(), Mutation::ALL.len(), "a row for each bug");
        let soon = soon(&rows);
        assert_eq!(soon.len(), 6, "some are found soon");
        for (bug, told) in soon {
            let field =
                Field { runs: 1_000, nodes: Some(nodes), strategy: Strategy::Portfolio, is_guided: false };
            let search = |number| {
                let found = field.search(*bug, number)?;
                assert_eq!(found.scenario.nodes, nodes);
                Some(found.run)
            };
            let found = row(&(0..CAMPAIGNS).map(search).collect::<Vec<_>>());
            assert!(
                told.starts_with(&format!("{found} |")),
                "{bug:?} in clusters of {nodes}: {found}, and there {told}"
            );
        }
    }
}

#[test]
fn a_search_that_is_guided_finds_the_same_again_and_learns() {
    let field = |is_guided| Field { runs: 2_000, nodes: Some(3), strategy: Strategy::Portfolio, is_guided };
    let bug: Mutation = "stale_term_votes_counted".parse().expect("there is one");
    let found = |is_guided| {
        (0..4)
            .map(|number| field(is_guided).search(bug, number).map(|found| (found.run, found.scenario)))
            .collect::<Vec<_>>()
    };
    let guided = found(true);
    assert_eq!(found(true), guided);
    assert_ne!(found(false), guided);
    assert!(guided.iter().all(Option::is_some));
}
