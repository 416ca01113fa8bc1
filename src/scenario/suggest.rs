//! "Did you mean …?": the candidate nearest to a word by edit distance.

/// The help line that proposes the nearest of `candidates`, or nothing if none is near. It begins on a new line:
/// what follows the first line of a message is shown as help.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |best| format!("\ndid you mean `{best}`?"))
}

/// The candidate that takes the fewest edits to reach, if they are few for its length.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    // Nobody mistypes a name of this length into another; and the distance costs the product of the lengths.
    if word.is_empty() || word.len() > 64 {
        return None;
    }
    let scored = candidates.into_iter().filter(|candidate| candidate.len() <= 64);
    let best = scored.map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate)).min()?;
    let allowed = (word.chars().count().max(best.1.chars().count()) / 3).clamp(1, 4);
    (best.0 <= allowed).then_some(best.1)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let names = ["isolate", "reconnect", "leader", "crash"];
        assert_eq!(nearest("isolte", names), Some("isolate"));
        assert_eq!(nearest("Leader", names), Some("leader"));
        assert_eq!(nearest("crasH", names), Some("crash"));
        assert_eq!(nearest("carsh", names), Some("crash"));
        assert_eq!(nearest("frobnicate", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest(&"x".repeat(1_000_000), names), None);
    }
}
