//! Disks that fail, fill up, rot, lie or are emptied, and nodes that are stopped in good order.
//!
//! A write that fails and a disk that is full stop the node, which comes back. Of rot and misdirected writes each disk has
//! one at most, and at most a minority of the disks has any: the node mends it from a second copy, or stays away for good.
//! Lies and empty disks lie outside the model and void what rests on them, so few runs have them.

use super::MS;
use crate::fuzz::timeline::Timeline;
use crate::record::Role;
use crate::scenario::{
    Crash, DiskBytes, DiskOperation, FailWrite, File, FilePlace, FillDisk, If, IndexIs, LieAboutFsync,
    MisdirectWrite, Nodes, Of, Predicate, RoleIs, Rot, Step, Target,
};
use sim_core::{Span, Stream};

fn drawn(stream: &mut Stream, nodes: u16) -> Target {
    Target::node(u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0))
}

const fn all_of(nodes: Target) -> Nodes {
    Nodes { nodes }
}

/// Writes and syncs that fail, and disks that are full for a while.
pub(in crate::fuzz) fn failing(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for _ in 0..stream.between(1, 3) {
        let at = stream.span(MS(100), horizon);
        let back = at.plus(MS(stream.between(20, 500)));
        let node = drawn(stream, nodes);
        let after = stream.between(0, 6);
        let what = *stream.pick(&[DiskOperation::Append, DiskOperation::Fsync]);
        let free = stream.between(0, 600);
        if stream.below(3) == 0 {
            timeline.at(at, Step::FillDisk(FillDisk { nodes: node.clone(), free }));
            timeline.at(back, Step::FreeDisk(all_of(node.clone())));
        } else {
            timeline.at(at, Step::FailWrite(FailWrite { nodes: node.clone(), what, after }));
            timeline.at(back, Step::Disarm(all_of(node.clone())));
        }
        timeline.at(back, Step::Restart(all_of(node)));
    }
}

/// A byte that rots, or an append that lands elsewhere, on a minority of the disks; then the node starts from it. It was
/// stopped in good order before, or crashed: then what it had not yet promised may stand in one copy only.
pub(in crate::fuzz) fn rotting(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for node in minority(stream, nodes) {
        let at = stream.span(MS(200), horizon);
        let down = at.plus(MS(stream.between(0, 400)));
        let back = down.plus(MS(stream.between(0, 300)));
        let file = *stream.pick(&[File::Log, File::Log, File::Tail, File::Snapshot]);
        let bits = u32::try_from(stream.between(1, 3)).unwrap_or(1);
        let rot = |file| Step::Rot(Rot { nodes: node.clone(), file, at: FilePlace::Random, bits });
        let of = || node.clone();
        let mut then = vec![Step::ReleaseWrites(all_of(of())), Step::Shutdown(all_of(of()))];
        if stream.coin() {
            then = vec![Step::Crash(Crash::of(of()))];
        }
        match stream.below(3) {
            // Until it starts once more it does not notice; something of its log must be durable.
            0 => {
                let last = IndexIs { of: of(), at_least: Some(1), equals: None };
                let durable = vec![Predicate::Durable(Of { of: of() }), Predicate::LastIndex(last)];
                then.push(Step::Restart(all_of(of())));
                then.push(when(Predicate::All(durable), vec![rot(File::Log)]));
            }
            1 => {
                let bytes = DiskBytes { of: of(), file: Some(file), at_least: Some(1), at_most: None };
                then.push(when(Predicate::DiskBytes(bytes), vec![rot(file)]));
            }
            _ => {
                let misdirect = MisdirectWrite { nodes: of(), file, at: FilePlace::Random };
                then = vec![Step::MisdirectWrite(misdirect)];
            }
        }
        let follows = RoleIs { of: of(), is: Role::Follower, term: None };
        timeline.at(at, when(Predicate::Role(follows), then));
        timeline.at(down, Step::Crash(Crash::of(of())));
        timeline.at(back, Step::Restart(all_of(node)));
    }
}

/// A disk that lies until its node crashes, or is emptied after that.
pub(in crate::fuzz) fn faithless(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for node in minority(stream, nodes) {
        let at = stream.span(MS(100), horizon);
        let down = at.plus(MS(stream.between(0, 400)));
        let back = down.plus(MS(stream.between(0, 300)));
        let lies = stream.coin();
        if lies {
            timeline.at(at, Step::LieAboutFsync(LieAboutFsync { nodes: node.clone(), on: true }));
        }
        timeline.at(down, Step::Crash(Crash::of(node.clone())));
        if lies {
            timeline.at(down, Step::LieAboutFsync(LieAboutFsync { nodes: node.clone(), on: false }));
        } else {
            timeline.at(down, Step::Wipe(all_of(node.clone())));
        }
        timeline.at(back, Step::Restart(all_of(node)));
    }
}

/// Nodes that are stopped in good order. A disk that is stalled would never finish.
pub(in crate::fuzz) fn shutdowns(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for _ in 0..stream.between(1, 3) {
        let at = stream.span(MS(100), horizon);
        let node = drawn(stream, nodes);
        timeline.at(at, Step::ReleaseWrites(all_of(node.clone())));
        timeline.at(at, Step::Shutdown(all_of(node.clone())));
        timeline.at(at.plus(MS(stream.between(5, 500))), Step::Restart(all_of(node)));
    }
}

/// One node or more, but always fewer than half of them.
fn minority(stream: &mut Stream, nodes: u16) -> Vec<Target> {
    let most = u64::from((nodes - 1) / 2);
    let mut order: Vec<u16> = (0..nodes).collect();
    stream.shuffle(&mut order);
    let count = usize::try_from(stream.between(most.min(1), most)).unwrap_or(0);
    order.into_iter().take(count).map(Target::node).collect()
}

fn when(that: Predicate, then: Vec<Step>) -> Step {
    Step::If(If { that, then, otherwise: Vec::new() })
}
