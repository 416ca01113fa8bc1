//! Published Raft bugs, planted to test the tester; only with the feature `mutations`.
//!
//! Owns: what each bug is, what it breaks, where it was reported. Must not know: the sites, each one line
//! marked `mutant!`.

use core::fmt;
use core::str::FromStr;

/// A planted bug. A node has at most one, chosen by [`crate::Options`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Mutation {
    /// A vote for another is granted without ever being part of a write; memory keeps it, and the term is
    /// written. After a restart the node votes again in the same term. Breaks `durable_vote`, then
    /// `election_safety`. Source: MIT 6.5840 lab 2C; eliben/raft `TestBug_StartElectionMissingPersist`,
    /// commit f596df0 (B1).
    VoteNotPersisted,
    /// A term that is adopted from a message is not written. After a restart the node is back in a term it
    /// has left, and takes orders from leaders whose time is over. Breaks `message_sanity` (a message tells
    /// of a term that its sender's disk does not know), then `leader_completeness`. Source: eliben/raft
    /// `TestBug_BecomeFollowerMissingPersist`, commit 0ae7b34 (B3).
    TermNotPersistedOnStepDown,
    /// A voter compares only the lengths of the logs (Raft §5.4.1 compares last terms first), so that a long
    /// stale log wins and overwrites what is committed. Breaks `leader_completeness`. Source: openraft commit
    /// a48a3282 (B11).
    UpToDateByIndexOnly,
    /// A candidate counts votes that were granted to it in an earlier term. Breaks `election_safety`. Source:
    /// ktoso/akka-raft #45; eliben/raft `TestStaleVoteReplyIgnored` (B7).
    StaleTermVotesCounted,
    /// A candidate counts answers rather than voters, so that a doubled message is a second vote. Breaks
    /// `election_safety`. Source: ktoso/akka-raft #45 (B6).
    DuplicateVotesCounted,
    /// A leader commits an entry of an earlier term because a majority has stored it (Raft §5.4.2, figure 8);
    /// another leader may still overwrite it. Breaks `commit_legality`, then `leader_completeness`. Source:
    /// logcabin #44; canonical/raft #220 (B27).
    PriorTermCommitByCounting,
    /// A follower removes all that follows `prev_log_index` on any AppendEntries, even where the entries
    /// agree, so that a late or doubled one takes back what was acknowledged. Breaks
    /// `no_truncation_below_commit`. Source: openraft commit 9540c904; raftos #26 (B28).
    TruncateOnAnyAppend,
    /// A follower takes over the leader's commit index as far as its own log reaches, whatever of that log
    /// the message vouches for, and commits what another leader left in its log. Breaks
    /// `state_machine_safety`. Source: Raft figure 2, AppendEntries rule 5; CCF
    /// `follower_overcommit_partial_verified` (B29).
    ///
    /// The site is before the logs are compared. Behind the comparison the bug would do no harm here: this
    /// leader's hints never lead below the place where the logs part, so that a message which is accepted and
    /// carries entries removes all that differs, and one without entries comes with a commit index that it
    /// vouches for.
    CommitNotCapped,
    /// A leader answers a ReadIndex without having heard from a quorum that it still leads, so that one that was deposed
    /// and does not know serves what is out of date. Breaks `read_safety`. Source: redisraft #19; xraft #40 (B76).
    ReadNotConfirmed,
    /// A leader serves reads before it has committed an entry of its own term, when it does not know yet what is
    /// committed. Breaks `read_safety`. Source: etcd #7331; redisraft #22; tikv #6340, #9239 (B74).
    ReadBeforeOwnCommit,
    /// A leader that had a lease once trusts it for ever, whether or not it still hears from a quorum. Breaks `read_safety`;
    /// where links are open one way also `convergence`. Source: tikv #964, #1127; sofa-jraft #26, #34 (B75).
    LeaseNeverEnds,
    /// A leader changes the configuration before it has committed an entry of its own term, so that it may begin from
    /// one that another leader has replaced: then two majorities need not meet. Breaks `config_safety`. Source: Ongaro,
    /// raft-dev, July 2015; etcd #7625; hydro-project/hydro #3192 (B64).
    ChangeBeforeOwnCommit,
    /// A snapshot holds the newest configuration in the log instead of the one in force at its end; it may not be
    /// committed, and may be taken back. Breaks `snapshot_consistency`. Source: Raft §7, "the latest configuration in the
    /// log as of last included index".
    SnapshotOfLatestMembers,
    /// The log is cut off behind what was given to the state machine, and not behind what the snapshot covers. Breaks
    /// `state_order`. Source: redisraft #43, #53 (log and snapshot that do not meet, B56); openraft's rule "purged ≤
    /// snapshot".
    CompactedBeyondSnapshot,
}

/// The row of a bug: name, property, what, source.
struct Row(&'static str, &'static str, &'static str, &'static str);

impl Mutation {
    /// Every planted bug, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::VoteNotPersisted,
        Self::TermNotPersistedOnStepDown,
        Self::UpToDateByIndexOnly,
        Self::StaleTermVotesCounted,
        Self::DuplicateVotesCounted,
        Self::PriorTermCommitByCounting,
        Self::TruncateOnAnyAppend,
        Self::CommitNotCapped,
        Self::ReadNotConfirmed,
        Self::ReadBeforeOwnCommit,
        Self::LeaseNeverEnds,
        Self::ChangeBeforeOwnCommit,
        Self::SnapshotOfLatestMembers,
        Self::CompactedBeyondSnapshot,
    ];

    /// The name, in `snake_case`: what [`Mutation::from_str`] reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The name of a property that the bug breaks; others may break with it, or before.
    #[must_use]
    pub const fn breaks(self) -> &'static str {
        self.row().1
    }

    /// What is wrong, in a sentence without a full stop.
    #[must_use]
    pub const fn what(self) -> &'static str {
        self.row().2
    }

    /// Where the bug was reported or the rule stands that it breaks.
    #[must_use]
    pub const fn source(self) -> &'static str {
        self.row().3
    }

    const fn row(self) -> Row {
        match self {
            Self::VoteNotPersisted => Row(
                "vote_not_persisted",
                "durable_vote",
                "a vote is granted without being written",
                "MIT 6.5840 lab 2C; eliben/raft f596df0",
            ),
            Self::TermNotPersistedOnStepDown => Row(
                "term_not_persisted_on_step_down",
                "message_sanity",
                "a term adopted from a message is not written",
                "eliben/raft 0ae7b34",
            ),
            Self::UpToDateByIndexOnly => Row(
                "up_to_date_by_index_only",
                "leader_completeness",
                "a voter compares the lengths of the logs, not their last terms",
                "openraft a48a3282",
            ),
            Self::StaleTermVotesCounted => Row(
                "stale_term_votes_counted",
                "election_safety",
                "a candidate counts votes granted in an earlier term",
                "ktoso/akka-raft #45; eliben/raft TestStaleVoteReplyIgnored",
            ),
            Self::DuplicateVotesCounted => Row(
                "duplicate_votes_counted",
                "election_safety",
                "a candidate counts answers rather than voters",
                "ktoso/akka-raft #45",
            ),
            Self::PriorTermCommitByCounting => Row(
                "prior_term_commit_by_counting",
                "commit_legality",
                "a leader commits an entry of an earlier term by counting replicas",
                "logcabin #44; canonical/raft #220; Raft figure 8",
            ),
            Self::TruncateOnAnyAppend => Row(
                "truncate_on_any_append",
                "no_truncation_below_commit",
                "a follower removes all after prev_log_index on any AppendEntries",
                "openraft 9540c904; raftos #26",
            ),
            Self::CommitNotCapped => Row(
                "commit_not_capped",
                "state_machine_safety",
                "a follower commits up to its last entry, whatever the message vouches for",
                "Raft figure 2, AppendEntries rule 5; CCF follower_overcommit_partial_verified",
            ),
            Self::ReadNotConfirmed => Row(
                "read_not_confirmed",
                "read_safety",
                "a leader serves a read without having heard that it still leads",
                "redisraft #19; xraft #40",
            ),
            Self::ReadBeforeOwnCommit => Row(
                "read_before_own_commit",
                "read_safety",
                "a leader serves a read before it has committed an entry of its term",
                "etcd #7331; redisraft #22; tikv #6340, #9239",
            ),
            Self::LeaseNeverEnds => Row(
                "lease_never_ends",
                "read_safety",
                "a leader that had a lease once trusts it for ever, whether or not it hears from a quorum",
                "tikv #964, #1127; sofa-jraft #26, #34",
            ),
            Self::ChangeBeforeOwnCommit => Row(
                "change_before_own_commit",
                "config_safety",
                "a leader changes the configuration before it has committed an entry of its term",
                "Ongaro, raft-dev, July 2015; etcd #7625; hydro #3192",
            ),
            Self::SnapshotOfLatestMembers => Row(
                "snapshot_of_latest_members",
                "snapshot_consistency",
                "a snapshot holds the newest configuration, not the one at its end",
                "Raft, section 7",
            ),
            Self::CompactedBeyondSnapshot => Row(
                "compacted_beyond_snapshot",
                "state_order",
                "the log is cut off behind what was handed out, not behind what the snapshot covers",
                "redisraft #43, #53; openraft: purged <= snapshot",
            ),
        }
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No planted bug has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMutation(
    /// The name that was looked for.
    pub String,
);

impl fmt::Display for UnknownMutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no mutation is called {:?}; there are", self.0)?;
        Mutation::ALL.iter().try_for_each(|mutation| write!(f, " {mutation}"))
    }
}

impl core::error::Error for UnknownMutation {}

impl FromStr for Mutation {
    type Err = UnknownMutation;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mutation| mutation.name() == name)
            .ok_or_else(|| UnknownMutation(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Mutation;

    const PROPERTIES: [&str; 15] = [
        "election_safety",
        "durable_vote",
        "leader_append_only",
        "log_matching",
        "leader_completeness",
        "state_machine_safety",
        "commit_legality",
        "monotonic_durable_term",
        "commit_monotonic",
        "no_truncation_below_commit",
        "message_sanity",
        "read_safety",
        "config_safety",
        "snapshot_consistency",
        "state_order",
    ];

    #[test]
    fn a_mutation_is_found_by_its_name_and_says_what_it_breaks() {
        for (number, mutation) in (0..).zip(Mutation::ALL) {
            assert_eq!(mutation as u8, number);
            assert_eq!(mutation.name().parse(), Ok(mutation));
            assert!(PROPERTIES.contains(&mutation.breaks()), "{mutation}");
            assert!(!mutation.what().is_empty());
            assert!(!mutation.source().is_empty());
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_that_exist() {
        let error = "typo".parse::<Mutation>().unwrap_err();
        assert!(
            error.to_string().starts_with(r#"no mutation is called "typo"; there are vote_not_persisted "#)
        );
    }
}
