//! Who belongs to the cluster, who joins and leaves, and who hands over.

use super::{MS, work};
use crate::fuzz::timeline::Timeline;
use crate::scenario::{
    Answer, Bind, Change, Cut, Ends, InitialMembers, LeaveJoint, Links, MemberChange, MemberChanges, Name,
    Nodes, Propose, Read, ReadKind, Sleep, Step, Target, Transfer, Transition,
};
use sim_core::{InFlight, Span, Stream};

/// Some of the nodes as voters, some as learners, the others waiting to be added; none if all begin as voters.
pub(in crate::fuzz) fn initial(stream: &mut Stream, nodes: u16) -> Option<InitialMembers> {
    if nodes < 2 || stream.coin() {
        return None;
    }
    let mut order: Vec<u16> = (0..nodes).collect();
    stream.shuffle(&mut order);
    let count = usize::try_from(stream.between(1, u64::from(nodes))).unwrap_or(1);
    let mut voters = order.split_off(order.len() - count);
    let mut learners: Vec<u16> = order.into_iter().filter(|_| stream.below(3) == 0).collect();
    voters.sort_unstable();
    learners.sort_unstable();
    Some(InitialMembers { voters, learners })
}

/// Changes of the configuration, each after a command, for a leader that has committed nothing takes none.
pub(in crate::fuzz) fn changes(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for number in 1..=stream.between(1, 6) {
        let before = stream.span(MS(150), horizon);
        let at = before.plus(MS(stream.between(0, 60)));
        work::on_leader(timeline, before, Step::Propose(Propose::to_leader(format!("change{number}"))));
        let mut changed: Vec<u16> = (0..nodes).collect();
        stream.shuffle(&mut changed);
        let several = if stream.coin() { 1 } else { stream.between(1, 3) };
        changed.truncate(usize::try_from(several).unwrap_or(1));
        let mut list = Vec::new();
        for node in changed {
            let node = Target::node(node);
            list.push(match stream.weighted(&[3, 2, 3]) {
                0 => MemberChange::AddVoter(node),
                1 => MemberChange::AddLearner(node),
                _ => MemberChange::Remove(node),
            });
        }
        let transition = *stream.pick(&[Transition::Auto, Transition::Implicit, Transition::Explicit]);
        let change = Change { transition, ..Change::of_leader(MemberChanges(list)) };
        work::on_leader(timeline, at, Step::Change(change));
        if transition == Transition::Explicit && stream.below(4) > 0 {
            let leave = LeaveJoint { to: Target::Leader, expect: Answer::Any };
            work::on_leader(timeline, at.plus(MS(stream.between(20, 400))), Step::LeaveJoint(leave));
        }
    }
}

/// Leadership handed over, to whomever, and followers that forget whom they follow.
pub(in crate::fuzz) fn transfers(timeline: &mut Timeline, stream: &mut Stream, nodes: u16, horizon: Span) {
    for number in 1..=stream.between(1, 4) {
        let at = stream.span(MS(150), horizon);
        let node = Target::node(u16::try_from(stream.below(u64::from(nodes))).unwrap_or(0));
        let transfer = Transfer { from: Target::Leader, to: node.clone(), expect: Answer::Any };
        match stream.below(3) {
            0 => work::on_follower(timeline, at, &node, Step::ForgetLeader(Nodes { nodes: node.clone() })),
            1 => work::on_leader(timeline, at, Step::Transfer(transfer)),
            _ => timeline.at(at, work::if_led(unheard(stream, number, transfer))),
        }
    }
}

/// A leader hands over and hears nothing meanwhile; its successor is given a command, or itself if there is none, and it is
/// asked for what it takes to be current.
fn unheard(stream: &mut Stream, number: u64, transfer: Transfer) -> Vec<Step> {
    let name: Name = format!("before{number}").parse().expect("letters and digits");
    let old = Target::Named(name.clone());
    let ends = Ends::OneWay { from: Target::all_but(old.clone()), to: old.clone() };
    let in_flight = if stream.coin() { InFlight::Keep } else { InFlight::Drop };
    let mut pause = |most: u64| Step::Sleep(Sleep::For(MS(stream.between(1, most))));
    let (elected, committed, back) = (pause(40), pause(20), pause(100));
    let kind = *stream.pick(&[ReadKind::ReadIndex, ReadKind::Lease, ReadKind::Lease]);
    vec![
        Step::Bind(Bind { name, to: Target::Leader }),
        Step::Cut(Cut { ends: ends.clone(), in_flight }),
        Step::Transfer(transfer),
        elected,
        work::if_led(vec![Step::Propose(Propose::to_leader(format!("after{number}")))]),
        committed,
        Step::Read(Read { at: old, within: MS(1), ..Read::at_leader(kind) }),
        back,
        Step::Join(Links { ends }),
    ]
}
