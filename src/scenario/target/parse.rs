//! Reads the text of a target.

use super::{Client, Target};
use crate::scenario::name::{RESERVED, is_identifier};
use crate::scenario::suggest::did_you_mean;
use core::str::FromStr;

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut rest = tokens.as_slice();
        let target = parse(&mut rest, 0)?;
        match rest {
            [] => Ok(target),
            [extra, ..] => {
                Err(format!("`{extra}` does not belong after `{target}`: expected the end of the target"))
            }
        }
    }
}

/// Words, numbers, brackets and commas.
fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if "[],".contains(first) {
            1
        } else {
            rest.find(|c: char| c.is_whitespace() || "[],".contains(c)).unwrap_or(rest.len())
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    if tokens.is_empty() { Err(format!("an empty target: expected {}", Target::GRAMMAR)) } else { Ok(tokens) }
}

fn parse(rest: &mut &[&str], depth: u32) -> Result<Target, String> {
    if depth > Target::DEPTH_MAX {
        return Err(format!("a target nested too deeply: expected at most {} levels", Target::DEPTH_MAX));
    }
    let Some((&word, after)) = rest.split_first() else {
        return Err(format!("the target ends too early: expected {}", Target::GRAMMAR));
    };
    *rest = after;
    Ok(match word {
        "leader" if take(rest, &["of", "term"]) => {
            Target::LeaderOfTerm(number(rest, "the number of a term")?)
        }
        "leader" => Target::Leader,
        "follower" => Target::Follower(number(rest, "the place of a follower, such as `follower 0`")?),
        "followers" => Target::Followers,
        "candidates" => Target::Candidates,
        "all" if take(rest, &["but"]) => Target::all_but(parse(rest, depth + 1)?),
        "all" => Target::All,
        "up" => Target::Up,
        "crashed" => Target::Crashed,
        "connected" => Target::Connected,
        "isolated" => Target::Isolated,
        "voters" => Target::Voters,
        "learners" => Target::Learners,
        "members" => Target::Members,
        "halted" => Target::Halted,
        "clients" => Target::Clients,
        "client" => Target::Client(client(rest)?),
        "minority" => Target::Minority { with_leader: take(rest, &["with", "leader"]) },
        "majority" => Target::Majority { with_leader: take(rest, &["with", "leader"]) },
        "random" => Target::Random,
        "[" => list(rest, depth + 1)?,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Target::Node(node_number(digits)?),
        "others" => return Err("`others` needs to know of whom: expected `all but` and a target".to_owned()),
        "candidate" => {
            return Err(
                "unknown target `candidate`: expected a target\ndid you mean `candidates`?".to_owned()
            );
        }
        name if is_identifier(name) && !RESERVED.contains(&name) => Target::Named(name.parse()?),
        other => {
            let hint = did_you_mean(other, RESERVED.iter().copied());
            return Err(format!("unknown target `{other}`: expected {}{hint}", Target::GRAMMAR));
        }
    })
}

/// Takes `words` from the front if they stand there.
fn take(rest: &mut &[&str], words: &[&str]) -> bool {
    let found = rest.starts_with(words);
    if found {
        *rest = &rest[words.len()..];
    }
    found
}

fn number<T: FromStr>(rest: &mut &[&str], what: &str) -> Result<T, String> {
    let Some((first, after)) = rest.split_first() else {
        return Err(format!("the target ends too early: expected {what}"));
    };
    let number = if first.bytes().all(|b| b.is_ascii_digit()) { first.parse().ok() } else { None };
    *rest = after;
    number.ok_or_else(|| format!("`{first}` is no number that fits: expected {what}"))
}

fn client(rest: &mut &[&str]) -> Result<Client, String> {
    let expected = "the number or the name of a client, such as `client 0`";
    let Some((first, after)) = rest.split_first() else {
        return Err(format!("the target ends too early: expected {expected}"));
    };
    *rest = after;
    if first.bytes().all(|b| b.is_ascii_digit()) {
        let number = first.parse().map(Client::Number);
        return number.map_err(|_| format!("`{first}` is no number that fits: expected {expected}"));
    }
    first.parse().map(Client::Name)
}

pub(super) fn node_number(digits: &str) -> Result<u16, String> {
    digits.parse().map_err(|_| format!("there is no node {digits}: expected 0 to at most 254"))
}

fn list(rest: &mut &[&str], depth: u32) -> Result<Target, String> {
    let mut items = Vec::new();
    while !take(rest, &["]"]) {
        if !items.is_empty() && !take(rest, &[","]) {
            return Err("a list of targets that is not closed: expected `,` or `]`".to_owned());
        }
        items.push(parse(rest, depth)?);
    }
    Ok(Target::List(items))
}
