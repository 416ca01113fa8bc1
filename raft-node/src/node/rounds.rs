//! Rounds: whether a quorum still followed this leader after some moment (thesis §6.4), and for how long none
//! can have elected another.
//!
//! A leader begins a round, says its number with all that it sends, and hears it again in the answers. A
//! round that a quorum has answered is confirmed, and every round before it.

use super::RaftNode;
use crate::role::{Leader, Role};
use crate::step::Outputs;

/// How many rounds are remembered with their time. Where more begin before the first is answered, those that come
/// later go without: a lease that lasts from a little earlier is one too, and were the first forgotten for them, under
/// many reads none would ever be answered in time.
const ROUNDS_MAX: usize = 64;

impl RaftNode {
    /// What is sent from now on shows, when it is answered, that this leader led now.
    pub(super) fn begin_round(&mut self) {
        let Role::Leader(leader) = &mut self.role else { return };
        leader.round += 1;
        if let Some(own) = self.position {
            leader.progress[own].round = leader.round;
            leader.progress[own].held = leader.round;
        }
        if self.options.lease_reads && leader.rounds.len() < ROUNDS_MAX {
            leader.rounds.push_back((leader.round, self.now));
        }
    }

    /// Somebody has answered, or a round began that needs nobody else.
    #[inline]
    pub(super) fn round_answered(&mut self, out: &mut Outputs) {
        let Role::Leader(leader) = &self.role else { return };
        if !leader.rounds.is_empty() {
            self.renew_lease();
        }
        self.release_reads(out);
    }

    fn renew_lease(&mut self) {
        let Role::Leader(Leader { progress, rounds, lease_from, .. }) = &mut self.role else { return };
        let held = progress.iter().map(|progress| progress.held);
        let Some(confirmed) = self.roster.held_by_quorum(held, 0) else { return };
        while let Some((round, began)) = rounds.front().copied()
            && round <= confirmed
        {
            *lease_from = Some(if mutant!(self, LeaseFromAnswer) { self.now } else { began });
            rounds.pop_front();
        }
    }

    /// The latest round that a quorum has answered, if it is at least `round`.
    pub(super) fn confirmed_round(&self, round: u64) -> Option<u64> {
        let Role::Leader(Leader { progress, .. }) = &self.role else { return None };
        let rounds = progress.iter().map(|progress| progress.round);
        self.roster.held_by_quorum(rounds, round.saturating_sub(1))
    }

    /// Whether nobody else can lead now, by the clocks (thesis §6.4.1). Not once somebody was told to stand:
    /// that one's election is not held up.
    pub(super) fn has_lease(&self) -> bool {
        let Role::Leader(Leader { lease_from, abdicated, .. }) = &self.role else { return false };
        let lease_ns = if mutant!(self, LeaseNeverEnds) { u64::MAX } else { self.options.lease_ns() };
        self.options.lease_reads
            && (!abdicated || mutant!(self, LeaseOutlivesTransfer))
            && lease_from.is_some_and(|from| self.now.since(from) < lease_ns)
    }

    /// Steps down if no quorum was heard for the longest election timeout: others have had the time to elect
    /// somebody (thesis §6.2). Returns whether the node leads still.
    pub(super) fn is_still_followed(&mut self, out: &mut Outputs) -> bool {
        let Role::Leader(Leader { progress, .. }) = &self.role else { return false };
        if !self.options.check_quorum || mutant!(self, LeaseNeverEnds) {
            return true;
        }
        let longest = self.options.election_timeout_ns.1;
        let heard = |(position, at)| Some(position) == self.position || self.now.since(at) <= longest;
        let heard =
            progress.iter().map(|progress| progress.heard).enumerate().map(|who| u8::from(heard(who)));
        let followed = self.roster.held_by_quorum(heard, 0).is_some();
        if !followed {
            self.become_follower(None, out);
        }
        followed
    }
}
