//! Which writes with an unknown end matter.
//!
//! Each of them doubles what a search has to try. One whose value nobody can have observed may be left out of any order,
//! so leaving it out changes no verdict (the trap of etcd issue 15330).

use crate::linear::history::Action;
use crate::linear::part::{Item, NEVER};
use crate::linear::value::Value;
use std::collections::BTreeSet;

/// How many bytes are looked through for what was appended. Keeping what could go changes no verdict either.
const LOOK_MAX: usize = 1 << 26;

/// The items without the writes of unknown end that nobody can have observed.
pub(crate) fn relevant<'h>(items: &[Item<'h>]) -> Vec<Item<'h>> {
    let mut items: Vec<Item<'h>> = items.to_vec();
    // A cas of unknown end observes only as long as it is kept itself, so this goes on until nothing more is dropped.
    while items.iter().any(|item| item.end == NEVER) {
        let observed: BTreeSet<Option<&Value>> = items.iter().filter_map(Item::observed).collect();
        let appends = items.iter().any(|item| matches!(item.action, Action::Append(_)));
        let before = items.len();
        let unknown = items.iter().filter(|item| item.end == NEVER).count();
        let bytes: usize = observed.iter().flatten().map(|value| value.bytes().len()).sum();
        if appends && unknown.saturating_mul(bytes) > LOOK_MAX {
            break;
        }
        items.retain(|item| item.end != NEVER || is_observed(item, &observed, appends));
        if items.len() == before {
            break;
        }
    }
    items
}

/// Whether somebody may have observed what the item wrote, alone or as part of what was appended to.
fn is_observed(item: &Item<'_>, observed: &BTreeSet<Option<&Value>>, appends: bool) -> bool {
    match item.action {
        Action::Get => false,
        // What is appended after a delete begins anew, and does not show it.
        Action::Delete => appends || observed.contains(&None),
        Action::Put(value) | Action::Append(value) | Action::Cas { new: value, .. } => {
            if appends {
                let inside = |whole: &&Value| contains(whole.bytes(), value.bytes());
                observed.iter().flatten().any(inside)
            } else {
                observed.contains(&Some(value))
            }
        }
    }
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}
