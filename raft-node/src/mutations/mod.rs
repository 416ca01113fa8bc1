//! Published Raft bugs, planted to test the tester; only with the feature `mutations`.
//!
//! Owns: the names of the bugs; `catalogue` says what each is. Must not know: the sites, each marked `mutant!`.

mod catalogue;

pub use catalogue::Mutation;

use core::fmt;
use core::str::FromStr;

/// What the catalogue says of a bug.
pub(crate) struct Row {
    name: &'static str,
    breaks: &'static str,
    what: &'static str,
    source: &'static str,
}

impl Mutation {
    /// The name, in `snake_case`: what [`Mutation::from_str`] reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The name of a property that the bug breaks; others may break with it, or before.
    #[must_use]
    pub const fn breaks(self) -> &'static str {
        self.row().breaks
    }

    /// What is wrong, in a sentence without a full stop.
    #[must_use]
    pub const fn what(self) -> &'static str {
        self.row().what
    }

    /// Where the bug was reported or the rule stands that it breaks.
    #[must_use]
    pub const fn source(self) -> &'static str {
        self.row().source
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

    const PROPERTIES: [&str; 17] = [
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
        "no_panic",
        "convergence",
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
