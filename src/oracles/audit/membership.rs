//! Config safety, in full.

use super::world::{Node, World};
use crate::record::{Members, Note, Role};

pub(super) fn is_broken(world: &World, node: &Node, note: &Note) -> bool {
    match note {
        Note::Members { index, members } => is_bad(world, node, *index, members),
        Note::Role { role: Role::Candidate | Role::Leader, .. } => is_out_of_step(world, node),
        Note::Commit { .. } => node.leads() && is_out_of_step(world, node),
        _ => false,
    }
}

/// The last configuration in the node's log, or else what stands below it.
fn in_force(world: &World, node: &Node) -> Option<(u64, Members)> {
    let covered = node.ground.as_ref().map_or(0, |(index, _)| *index);
    let stands = world
        .configurations
        .iter()
        .filter(|(index, hash, _)| *index > covered && node.log.hash_at(*index) == Some(*hash));
    let last = stands.max_by_key(|(index, ..)| *index).map(|(index, _, members)| (*index, members.clone()));
    let ground = node.ground.as_ref().map(|(_, members)| members).or(node.initial.as_ref());
    last.or_else(|| ground.map(|members| (0, members.clone())))
}

fn is_out_of_step(world: &World, node: &Node) -> bool {
    let told = node.told.as_ref().filter(|_| node.tells);
    told.is_some_and(|(_, told)| in_force(world, node).is_some_and(|(_, expected)| expected != *told))
}

fn is_bad(world: &World, node: &Node, index: u64, members: &Members) -> bool {
    if index > node.log.length() {
        return true;
    }
    let covered = node.ground.as_ref().map_or(0, |(index, _)| *index);
    let here = node.log.hash_at(index).filter(|_| index > covered);
    let is_new = here.is_some_and(|hash| world.configuration(index, hash).is_none());
    let Some((last, before)) = in_force(world, node) else { return false };
    if is_new && index > last {
        let makes_it = node.leads() && node.log.term_at(index) == Some(node.term);
        let leaves = !before.outgoing.is_empty() && members.outgoing.is_empty();
        let may = last <= node.commit
            && (leaves || node.log.term_at(node.commit) == Some(node.term))
            && may_follow(&before, members);
        return makes_it && !may;
    }
    before != *members || last > index.max(covered)
}

/// The rules for changes, as they stand in the thesis: by one voter, or through a joint configuration.
fn may_follow(before: &Members, after: &Members) -> bool {
    if after.voters.is_empty() {
        return false;
    }
    match (before.outgoing.is_empty(), after.outgoing.is_empty()) {
        (true, true) => {
            let mut both: Vec<_> = before.voters.iter().chain(&after.voters).collect();
            both.sort_unstable();
            both.chunk_by(|a, b| a == b).filter(|run| run.len() == 1).count() <= 1
        }
        (true, false) => before.voters == after.outgoing,
        (false, true) => before.voters == after.voters,
        (false, false) => false,
    }
}
