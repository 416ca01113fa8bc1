//! The catalogue: what each planted bug is, what it breaks, where it was reported.
//!
//! A row: a sentence or two on what comes of it, then its name, a property that it breaks, what is wrong, its source.
//! `(B27)` is the number in the list of published bugs that the project began with.

use super::Row;

/// Makes the catalogue of its rows.
macro_rules! catalogue {
    ($($(#[$doc:meta])+ $bug:ident $name:literal breaks $property:literal: $what:literal, $source:literal;)+) => {
        /// A planted bug. A node has at most one, chosen by [`crate::Options`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Mutation {
            $(
                #[doc = concat!("Planted: ", $what, ". Breaks `", $property, "`. Source: ", $source, ".")]
                #[doc = ""]
                $(#[$doc])+
                $bug,
            )+
        }

        impl Mutation {
            /// Every planted bug, in the order of their numbers.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$bug),+];

            pub(super) const fn row(self) -> Row {
                match self {
                    $(Self::$bug => Row { name: $name, breaks: $property, what: $what, source: $source },)+
                }
            }
        }
    };
}

catalogue! {
    /// Memory keeps it, and the term is written: after a restart the node votes again in the same term (B1).
    VoteNotPersisted "vote_not_persisted" breaks "durable_vote":
        "a vote is granted without being written",
        "MIT 6.5840 lab 2C; eliben/raft f596df0";
    /// After a restart it may stand again in the same term, or vote in it for another (B2).
    CandidacyNotPersisted "candidacy_not_persisted" breaks "message_sanity":
        "a candidate does not write its new term and the vote for itself",
        "eliben/raft PR #26; raft-java #57";
    /// After a restart the node is back in a term it has left, and takes orders from leaders whose time is over (B3).
    TermNotPersistedOnStepDown "term_not_persisted_on_step_down" breaks "message_sanity":
        "a term adopted from a message is not written",
        "eliben/raft 0ae7b34";
    /// Then it may vote for another in the same term (B5).
    VoteForgottenOnStepDown "vote_forgotten_on_step_down" breaks "durable_vote":
        "a candidate that steps down within a term forgets that it has voted in it",
        "CCF #8091, #8094; redpanda #14; hazelcast #16643";
    /// A doubled message is a second vote (B6).
    DuplicateVotesCounted "duplicate_votes_counted" breaks "election_safety":
        "a candidate counts answers rather than voters",
        "ktoso/akka-raft #45";
    /// The voters of that term may have voted for another in this one (B7).
    StaleTermVotesCounted "stale_term_votes_counted" breaks "election_safety":
        "a candidate counts votes granted in an earlier term",
        "ktoso/akka-raft #45; eliben/raft TestStaleVoteReplyIgnored";
    /// It counts that vote, and may grant it to another in the same term (B10).
    NoVoteForItself "no_vote_for_itself" breaks "durable_vote":
        "a candidate that asked first does not record its vote for itself when it stands",
        "vesoft-inc/nebula #3415";
    /// A long stale log wins and overwrites what is committed (B11).
    UpToDateByIndexOnly "up_to_date_by_index_only" breaks "leader_completeness":
        "a voter compares the lengths of the logs, not their last terms",
        "openraft a48a3282";
    /// Whoever asks first wins, and overwrites what is committed.
    LogsNotCompared "logs_not_compared" breaks "leader_completeness":
        "a voter does not compare the logs",
        "Raft, section 5.4.1; MIT 6.5840 students' guide";
    /// Where all logs are equal nobody is ever elected (B12).
    EqualLogRefused "equal_log_refused" breaks "convergence":
        "a voter refuses a candidate whose log equals its own",
        "etcd TestIsUpToDate";
    /// What was promised for the asking counts as given (B21).
    VotesOfPreVoteKept "votes_of_pre_vote_kept" breaks "election_safety":
        "a candidate keeps the votes of the asking before it stood",
        "etcd #8334; raft-rs #83, #84";
    /// A crash takes the vote back, and the node votes again (B49 of votes).
    VoteAnsweredBeforeDurable "vote_answered_before_durable" breaks "message_sanity":
        "a vote is answered before it is durable",
        "Raft, figure 2: persistent state is updated before responding";
    /// Everybody stands again and again (B16).
    LeaderNotHeard "leader_not_heard" breaks "convergence":
        "an election timer goes on although the leader was heard",
        "MIT 6.5840 students' guide; akka-raft #43";
    /// One who lags behind in its term never learns of a later one (B17).
    PreVoteNotRefused "pre_vote_not_refused" breaks "convergence":
        "a voter that is asked before an election answers only if it would grant",
        "etcd #8243; canonical/raft #279";
    /// With check_quorum a node of a later term can neither lead nor follow (B20).
    LaterTermNotTold "later_term_not_told" breaks "convergence":
        "a follower does not tell a leader whose term is over",
        "etcd #5468; hashicorp/raft #503";
    /// Another leader is elected within the lease.
    LeaseNotHeldUp "lease_not_held_up" breaks "read_safety":
        "a voter grants a vote while the leader that it has just heard may serve reads from its lease",
        "sofa-jraft #26; Ongaro's thesis, 6.4.1";
    /// It may vote again in a term in which it has voted (MIT 6.5840 students' guide).
    EarlierTermFollowed "earlier_term_followed" breaks "monotonic_durable_term":
        "a node follows a leader of an earlier term, and goes back to that term",
        "Raft, figure 2, AppendEntries rule 1";
    /// Another leader may still overwrite it; then `leader_completeness` breaks too (B27).
    PriorTermCommitByCounting "prior_term_commit_by_counting" breaks "commit_legality":
        "a leader commits an entry of an earlier term by counting replicas",
        "logcabin #44; canonical/raft #220; Raft figure 8";
    /// A late or doubled one takes back what was acknowledged (B28).
    TruncateOnAnyAppend "truncate_on_any_append" breaks "no_truncation_below_commit":
        "a follower removes all after prev_log_index on any AppendEntries",
        "openraft 9540c904; raftos #26";
    /// It commits what another leader left in its log (B29).
    ///
    /// The site is before the logs are compared. Behind the comparison the bug would do no harm here: this leader's hints
    /// never lead below the place where the logs part, so that a message which is accepted and carries entries removes all
    /// that differs, and one without entries comes with a commit index that it vouches for.
    CommitNotCapped "commit_not_capped" breaks "state_machine_safety":
        "a follower commits up to its last entry, whatever the message vouches for",
        "Raft figure 2, AppendEntries rule 5; CCF follower_overcommit_partial_verified";
    /// What another leader left there is counted as stored (B30).
    WholeLogAcknowledged "whole_log_acknowledged" breaks "commit_legality":
        "a follower acknowledges its whole log, whatever the message vouches for",
        "CCF #6001, #6016";
    /// It acknowledges what it does not have (B38).
    HeartbeatNotCompared "heartbeat_not_compared" breaks "message_sanity":
        "a follower takes an AppendEntries without entries for right without comparing the logs",
        "openraft 6202138f";
    /// What follows may be appended to another history.
    PrevTermNotCompared "prev_term_not_compared" breaks "log_matching":
        "a follower compares the place before the entries, not its term",
        "Raft, figure 2, AppendEntries rule 2";
    /// It appends only what lies beyond its log.
    ConflictKept "conflict_kept" breaks "log_matching":
        "a follower keeps entries that conflict with those it is sent",
        "Raft, figure 2, AppendEntries rule 3";
    /// What was told to be committed is not any more, until the next message (B32).
    CommitGoesBack "commit_goes_back" breaks "commit_monotonic":
        "the commit index of a late message is taken over although it is lower",
        "etcd #1717; PySyncObj #166";
    /// It may well be committed.
    LeaderDropsUncommitted "leader_drops_uncommitted" breaks "leader_append_only":
        "a new leader removes what it does not know to be committed",
        "Raft, figure 3: a leader never deletes entries in its log";
    /// A crash of the leader takes what was counted (B49).
    OwnLogCountedEarly "own_log_counted_early" breaks "commit_legality":
        "a leader counts its own log as stored before it is durable",
        "etcd #14370, #12589";
    /// A crash takes what was counted (B49).
    AppendAnsweredBeforeDurable "append_answered_before_durable" breaks "message_sanity":
        "entries are acknowledged before they are durable",
        "etcd #14370; hashicorp/raft #614";
    /// It may simply lag behind (B40).
    FarCommitPanics "far_commit_panics" breaks "no_panic":
        "a follower panics at a commit index beyond its log",
        "etcd #21178; etcd-io/raft #25, #104; raft-rs #209";
    /// What was lost once never arrives (B41).
    RejectionsIgnored "rejections_ignored" breaks "convergence":
        "a leader does not go back when a follower refuses what does not fit",
        "willemt/raft raft_retry_empty_logs; raftos #30";
    /// One that was deposed and does not know serves what is out of date (B76).
    ReadNotConfirmed "read_not_confirmed" breaks "read_safety":
        "a leader serves a read without having heard that it still leads",
        "redisraft #19; xraft #40";
    /// It does not know yet what is committed (B74).
    ReadBeforeOwnCommit "read_before_own_commit" breaks "read_safety":
        "a leader serves a read before it has committed an entry of its term",
        "etcd #7331; redisraft #22; tikv #6340, #9239";
    /// By then another may have been elected.
    ReadJoinsOldRound "read_joins_old_round" breaks "read_safety":
        "a read is confirmed by answers to what was sent before it began",
        "Ongaro's thesis, 6.4, step 3";
    /// That leader may lead again, and rounds are counted anew in each term.
    EarlierRoundAnswered "earlier_round_answered" breaks "read_safety":
        "a follower answers a leader of an earlier term with its own term and that leader's round",
        "this simulator's own node, found by its own search";
    /// It may lag behind, or be cut off (B78).
    FollowerReadsAlone "follower_reads_alone" breaks "read_safety":
        "a follower serves a read without asking the leader",
        "adjoint-io/raft #41, #54";
    /// Where links are open one way also `convergence` (B75).
    LeaseNeverEnds "lease_never_ends" breaks "read_safety":
        "a leader that had a lease once trusts it for ever, whether or not it hears from a quorum",
        "tikv #964, #1127; sofa-jraft #26, #34";
    /// The voters began to wait earlier.
    LeaseFromAnswer "lease_from_answer" breaks "read_safety":
        "a lease is counted from when the answers came, not from when they were asked for",
        "Ongaro's thesis, 6.4.1";
    /// That election is held up by nobody.
    LeaseOutlivesTransfer "lease_outlives_transfer" breaks "read_safety":
        "a leader trusts its lease after it has told another to stand",
        "tikv #6340, #9239; Ongaro's thesis, 6.4.1";
    /// It may begin from one that another leader has replaced: then two majorities need not meet (B64).
    ChangeBeforeOwnCommit "change_before_own_commit" breaks "config_safety":
        "a leader changes the configuration before it has committed an entry of its term",
        "Ongaro, raft-dev, July 2015; etcd #7625; hydro #3192";
    /// Two majorities need not meet (B65).
    ChangesOverlap "changes_overlap" breaks "config_safety":
        "a leader changes the configuration while the last change is not committed",
        "etcd #12359; etcd-io/raft #372";
    /// The old half may decide otherwise.
    JointIsNew "joint_is_new" breaks "commit_legality":
        "in a joint configuration only the new half is asked",
        "Raft, section 6";
    /// "A server must be prepared to fall back to the previous configuration."
    MembersNotTakenBack "members_not_taken_back" breaks "config_safety":
        "a configuration stays in force although its entry was removed from the log",
        "Ongaro's thesis, 4.1";
    /// Nobody may be left who can win (B67).
    LearnerRefusesVote "learner_refuses_vote" breaks "convergence":
        "a node that does not know that it was made a voter refuses its vote",
        "etcd #10998; raft-rs #57, #58";
    /// It may not be committed, and may be taken back.
    SnapshotOfLatestMembers "snapshot_of_latest_members" breaks "snapshot_consistency":
        "a snapshot holds the newest configuration, not the one at its end",
        "Raft, section 7";
    /// It counts majorities of a cluster that is gone.
    MembersNotInstalled "members_not_installed" breaks "config_safety":
        "whoever installs a snapshot keeps its old configuration",
        "Raft, section 7";
    /// What lies between is neither in the snapshot nor in the log (B56).
    CompactedBeyondSnapshot "compacted_beyond_snapshot" breaks "state_order":
        "the log is cut off behind what was handed out, not behind what the snapshot covers",
        "redisraft #43, #53; openraft: purged <= snapshot";
    /// What was committed since is forgotten.
    OldSnapshotInstalled "old_snapshot_installed" breaks "no_truncation_below_commit":
        "a snapshot of before what is committed is installed",
        "etcd raft restore; RedisLabs/raft #49";
    /// What is put together was never a snapshot, and its host refuses it (B59).
    PartsInAnyOrder "parts_in_any_order" breaks "convergence":
        "a part of a snapshot is appended wherever it belongs",
        "openraft 2eccb9e1, eee8e534";
    /// As a leader it counts its own log where it is not durable (B57).
    TailSurvivesInstall "tail_survives_install" breaks "commit_legality":
        "what was written of a log still counts as durable after a snapshot has replaced it",
        "openraft 674e78aa, 21684bbd";
    /// The follower gets nothing that came after (B43).
    SnapshotNeverDone "snapshot_never_done" breaks "convergence":
        "a leader goes on sending a snapshot that has arrived",
        "etcd #10308";
    /// The follower stays behind for ever (B60).
    SnapshotNotSent "snapshot_not_sent" breaks "convergence":
        "a leader that has compacted what a follower lacks sends nothing",
        "openraft #1828";
}
