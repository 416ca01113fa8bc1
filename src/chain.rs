//! A digest that can be printed, pasted, and compared at earlier moments too.
//!
//! `1f2e3d4c5b6a7988@341:0c1d2e3f…` is the digest after 341 records, and 16 bits of it at each of the run's checkpoints,
//! whose places follow from the number of records (see [`Checkpoints::places`]).

use crate::execute::Outcome;
use core::fmt;
use core::str::FromStr;
use sim_core::{Checkpoints, VirtualTime};

/// The digest of a run, alone or with its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The digest at the end.
    pub digest: u64,
    /// The number of records and 16 bits of the digest at each checkpoint; none if only the digest is known.
    pub checkpoints: Option<(u64, Vec<u16>)>,
}

/// Where a run departs from a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// Between these two records (the last checkpoint that agrees, 0 for the beginning, and the first that differs),
    /// the second of which happened then.
    Between {
        /// Everything up to this record agrees.
        agrees: u64,
        /// Something differs by this record.
        differs: u64,
        /// When that record happened in the run.
        at: VirtualTime,
    },
    /// After the last checkpoint that both have.
    AfterLast {
        /// Everything up to this record agrees.
        agrees: u64,
        /// How many records the chain has, where it tells.
        expected: Option<u64>,
        /// How many the run has.
        found: u64,
    },
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between { agrees, differs, at } => {
                write!(
                    f,
                    "the first checkpoint that differs is record {differs} (at {at}); up to record {agrees} all agree"
                )
            }
            Self::AfterLast { agrees, expected: Some(expected), found } if expected != found => {
                write!(
                    f,
                    "up to record {agrees} all agree, but there are {found} records, expected {expected}"
                )
            }
            Self::AfterLast { agrees, expected: Some(_), .. } => {
                write!(f, "every checkpoint agrees up to record {agrees}, something after it differs")
            }
            Self::AfterLast { .. } => f.write_str("the digest has no checkpoints that would say where"),
        }
    }
}

fn short(digest: u64) -> u16 {
    (digest >> 48) as u16
}

impl Chain {
    /// The chain of a run.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let shorts = outcome.checkpoints.iter().map(|checkpoint| short(checkpoint.value)).collect();
        Self { digest: outcome.digest, checkpoints: Some((outcome.records, shorts)) }
    }

    /// Compares a run with this chain.
    ///
    /// # Errors
    ///
    /// Where they part.
    pub fn check(&self, outcome: &Outcome) -> Result<(), Divergence> {
        let mut agrees = 0;
        if let Some((records, shorts)) = &self.checkpoints {
            for (place, expected) in Checkpoints::places(*records).into_iter().zip(shorts) {
                let Some(found) = outcome.checkpoints.iter().find(|found| found.records == place) else {
                    continue;
                };
                if short(found.value) != *expected {
                    return Err(Divergence::Between { agrees, differs: place, at: found.at });
                }
                agrees = place;
            }
        }
        let expected = self.checkpoints.as_ref().map(|(records, _)| *records);
        if self.digest == outcome.digest && expected.is_none_or(|records| records == outcome.records) {
            return Ok(());
        }
        Err(Divergence::AfterLast { agrees, expected, found: outcome.records })
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.digest)?;
        if let Some((records, shorts)) = &self.checkpoints {
            write!(f, "@{records}:")?;
            for short in shorts {
                write!(f, "{short:04x}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Chain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a digest: expected 16 hexadecimal digits, or all of what a run prints after --digest"
            )
        };
        let hex = |digits: &str, length: usize| {
            let plain = digits.len() == length && digits.bytes().all(|b| b.is_ascii_hexdigit());
            if plain { u64::from_str_radix(digits, 16).ok() } else { None }
        };
        let Some((digest, rest)) = text.split_once('@') else {
            let digest = hex(text, 16).ok_or_else(wrong)?;
            return Ok(Self { digest, checkpoints: None });
        };
        let (records, shorts) = rest.split_once(':').ok_or_else(wrong)?;
        let digest = hex(digest, 16).ok_or_else(wrong)?;
        if records.is_empty() || !records.bytes().all(|b| b.is_ascii_digit()) || !shorts.is_ascii() {
            return Err(wrong());
        }
        let records: u64 = records.parse().map_err(|_| wrong())?;
        let expected = Checkpoints::places(records).len();
        if shorts.len() != expected * 4 {
            return Err(wrong());
        }
        let parts = (0..expected)
            .map(|k| hex(&shorts[k * 4..k * 4 + 4], 4).and_then(|bits| u16::try_from(bits).ok()));
        let shorts = parts.collect::<Option<Vec<u16>>>().ok_or_else(wrong)?;
        Ok(Self { digest, checkpoints: Some((records, shorts)) })
    }
}

/// A chain in a document: as the text that it is printed as.
pub(crate) mod as_text {
    use core::fmt::Display;
    use core::str::FromStr;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<V: Display, S: Serializer>(value: &V, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, V: FromStr<Err = String>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<V, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::{Limits, run};
    use crate::scenario::{Scenario, Sleep, Step};
    use sim_core::Span;

    fn outcome(seed: u64, millis: u64) -> Outcome {
        let mut scenario = Scenario::new("chain", 3);
        scenario.steps.push(Step::Sleep(Sleep::For(Span::from_millis(millis))));
        run(&scenario, seed, Limits::default(), ()).unwrap().0
    }

    #[test]
    fn a_chain_is_read_as_it_is_written() {
        let outcome = outcome(1, 2_000);
        let chain = Chain::of(&outcome);
        assert_eq!(chain.to_string().parse(), Ok(chain.clone()));
        assert_eq!(chain.check(&outcome), Ok(()));
        let alone: Chain = format!("{:016x}", outcome.digest).parse().unwrap();
        assert_eq!(alone.check(&outcome), Ok(()));
    }

    #[test]
    fn a_chain_says_where_another_run_parts_from_it() {
        let chain = Chain::of(&outcome(1, 2_000));
        let Err(Divergence::Between { agrees: 0, differs, .. }) = chain.check(&outcome(2, 2_000)) else {
            panic!("another seed differs from the first checkpoint on");
        };
        assert_eq!(differs, Checkpoints::places(chain.checkpoints.clone().unwrap().0)[0]);
        let mut tampered = chain.clone();
        tampered.checkpoints.as_mut().unwrap().1[5] ^= 1;
        tampered.digest ^= 1;
        let places = Checkpoints::places(tampered.checkpoints.clone().unwrap().0);
        let Err(Divergence::Between { agrees, differs, .. }) = tampered.check(&outcome(1, 2_000)) else {
            panic!("the sixth checkpoint differs");
        };
        assert_eq!((agrees, differs), (places[4], places[5]));
        let mut last = chain;
        last.digest ^= 1;
        assert!(matches!(last.check(&outcome(1, 2_000)), Err(Divergence::AfterLast { .. })));
    }

    #[test]
    fn what_is_not_a_chain_is_refused() {
        for text in [
            "",
            "xyz",
            "0123456789abcde",
            "0123456789abcdef0",
            "0123456789abcdef@",
            "0123456789abcdef@16",
            "0123456789abcdef@16:",
            "0123456789abcdef@16:12345",
            "0123456789abcdef@-1:",
            "0123456789abcdef@99999999999999999999:",
            "0123456789abcdef@16:ä1",
            "+123456789abcdef",
        ] {
            assert!(text.parse::<Chain>().is_err(), "{text:?}");
        }
    }
}
