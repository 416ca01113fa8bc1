//! The results of a campaign, chunk by chunk: what is written while it runs, read when it goes on, and put together when it
//! was shared out.
//!
//! Owns what a campaign is, its lines, and what all of them come to. A chunk is a function of the campaign and its number, so
//! that whoever ran it, and how often, makes no difference: ledgers are sets, and to merge them is to unite them. Must not
//! know files or command lines.

mod read;
#[cfg(test)]
mod tests;

pub use read::LedgerError;

use crate::SIM_VERSION;
use crate::chain::Chain;
use crate::fuzz::Tally;
use crate::scenario::{Scenario, Seed};
use crate::violation::{Property, Signature};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How many runs a chunk has. What is lost when a campaign is killed is those that its threads were at,
/// and those behind them that waited to be written in order.
pub const CHUNK: u64 = 256;

/// How many chunks a campaign has at most.
pub const CHUNKS_MAX: u64 = 1 << 26;

/// What a campaign is: two of them that are equal have the same runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// What a seed means.
    pub sim_version: u32,
    /// The program that began it.
    pub tool_version: String,
    /// The seed of the campaign, or the range of seeds that it runs.
    pub seeds: String,
    /// By which strategy it draws, by name.
    pub strategy: String,
    /// The scenario that it runs, if none are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<Box<Scenario>>,
    /// The planted bug, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutation: Option<String>,
}

impl Campaign {
    /// A campaign of this build.
    #[must_use]
    pub fn new(
        seeds: String,
        strategy: String,
        scenario: Option<Scenario>,
        mutation: Option<String>,
    ) -> Self {
        let tool_version = env!("CARGO_PKG_VERSION").to_string();
        let scenario = scenario.map(Box::new);
        Self { sim_version: SIM_VERSION, tool_version, seeds, strategy, scenario, mutation }
    }

    /// What is different in another one: `seed 0x1 there, 0x2 here`.
    #[must_use]
    pub fn differences(&self, there: &Self) -> Vec<String> {
        let none = || "none".to_string();
        let name = |campaign: &Self| {
            campaign.scenario.as_ref().map_or_else(|| "drawn".to_string(), |scenario| scenario.name.clone())
        };
        let pairs = [
            ("sim_version", there.sim_version.to_string(), self.sim_version.to_string()),
            ("tool_version", there.tool_version.clone(), self.tool_version.clone()),
            ("seed", there.seeds.clone(), self.seeds.clone()),
            ("strategy", there.strategy.clone(), self.strategy.clone()),
            ("scenario", name(there), name(self)),
            (
                "mutation",
                there.mutation.clone().unwrap_or_else(none),
                self.mutation.clone().unwrap_or_else(none),
            ),
        ];
        let differing = pairs.into_iter().filter(|(_, there, here)| there != here);
        let mut told: Vec<String> =
            differing.map(|(name, there, here)| format!("{name} {there} there, {here} here")).collect();
        if told.is_empty() && self != there {
            let fields = other_fields(self.scenario.as_deref(), there.scenario.as_deref());
            told.push(format!("the scenario has another {} there", fields.join(", ")));
        }
        told
    }
}

/// The names of the fields that two scenarios have not in common, each in backquotes.
fn other_fields(one: Option<&Scenario>, other: Option<&Scenario>) -> Vec<String> {
    let fields = |scenario| match serde_json::to_value(scenario).expect("a scenario has a JSON form") {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let (one, other) = (fields(one), fields(other));
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differing = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
    differing.map(|name| format!("`{name}`")).collect()
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The number of the run, from 0.
    pub run: u64,
    /// Its seed.
    pub seed: Seed,
    /// What broke first; none where a violation was expected and nothing broke.
    pub property: Option<Property>,
    /// What that is, without what is different from run to run.
    pub signature: Option<Signature>,
    /// At which record it broke: how long it took.
    pub record: u64,
    /// The digest of the run, as `replay` takes it.
    #[serde(with = "crate::chain::as_text")]
    pub digest: Chain,
}

/// What came of the runs of one chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// Its number, from 0. Its first run has the number of the chunk times [`CHUNK`].
    pub number: u64,
    /// How many of its runs were made, from the first on: all of them, unless the campaign has fewer or enough have failed.
    pub runs: u64,
    /// What happened in those that ended as they should.
    pub tally: Tally,
    /// Those that did not, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Found>,
}

impl Chunk {
    /// Whether two versions of a chunk can be of the same runs: those that both have failed in the same way.
    fn agrees_with(&self, other: &Self) -> bool {
        if self.runs == other.runs {
            return self == other;
        }
        let (shorter, longer) = if self.runs < other.runs { (self, other) } else { (other, self) };
        let end = (self.number * CHUNK).saturating_add(shorter.runs);
        longer.failed.iter().filter(|found| found.run < end).eq(&shorter.failed)
    }
}

/// The results of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    campaign: Campaign,
    /// How many runs it is to have; none if it goes on until its time is up.
    bound: Option<u64>,
    chunks: BTreeMap<u64, Chunk>,
}

/// Failures that are most likely one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// The one that took the fewest records, which is the easiest to follow.
    pub shortest: &'a Found,
    /// All of them, in order of their runs.
    pub all: Vec<&'a Found>,
}

impl Ledger {
    /// The ledger of a campaign in which nothing has been done yet.
    #[must_use]
    pub const fn new(campaign: Campaign, bound: Option<u64>) -> Self {
        Self { campaign, bound, chunks: BTreeMap::new() }
    }

    /// Of which campaign it is.
    #[must_use]
    pub const fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// How many runs the campaign is to have, where that is known.
    #[must_use]
    pub const fn bound(&self) -> Option<u64> {
        self.bound
    }

    /// Lets the campaign have more runs: so many, or as many as there is time for.
    pub fn extend(&mut self, bound: Option<u64>) {
        self.bound = self.bound.zip(bound).map(|(one, other)| one.max(other));
    }

    /// The same results, where so many runs are wanted.
    #[must_use]
    pub fn with_bound(&self, bound: Option<u64>) -> Self {
        Self { bound, ..self.clone() }
    }

    /// How many runs a chunk is to have.
    #[must_use]
    pub fn length(&self, chunk: u64) -> u64 {
        let begin = chunk.saturating_mul(CHUNK);
        self.bound.map_or(CHUNK, |bound| bound.saturating_sub(begin).min(CHUNK))
    }

    /// Whether nothing is left to do of a chunk.
    #[must_use]
    pub fn has(&self, chunk: u64) -> bool {
        self.made(chunk).0 >= self.length(chunk)
    }

    /// The chunks that there are, in order.
    pub fn chunks(&self) -> impl DoubleEndedIterator<Item = &Chunk> {
        self.chunks.values()
    }

    /// How many runs of a chunk were made, and how many of them failed.
    #[must_use]
    pub fn made(&self, chunk: u64) -> (u64, u64) {
        self.chunks.get(&chunk).map_or((0, 0), |there| (there.runs, there.failed.len() as u64))
    }

    /// Takes in a chunk. Of two versions of one the longer counts.
    ///
    /// # Errors
    ///
    /// If the runs that both have did not go in the same way: then somebody's build is not deterministic, or not the same.
    pub fn add(&mut self, chunk: Chunk) -> Result<(), LedgerError> {
        match self.chunks.get(&chunk.number) {
            Some(there) if !there.agrees_with(&chunk) => return Err(LedgerError::conflict(&chunk)),
            Some(there) if there.runs >= chunk.runs => {}
            _ => {
                self.chunks.insert(chunk.number, chunk);
            }
        }
        Ok(())
    }

    /// Takes in all of another ledger. In whatever order ledgers are merged, and however often, the result is the same.
    ///
    /// # Errors
    ///
    /// If it is of another campaign, or the two have different results for the same runs.
    pub fn merge(&mut self, other: Self) -> Result<(), LedgerError> {
        let differences = self.campaign.differences(&other.campaign);
        if !differences.is_empty() {
            return Err(LedgerError::of_another(&differences));
        }
        self.extend(other.bound);
        other.chunks.into_values().try_for_each(|chunk| self.add(chunk))
    }

    /// How many runs were made.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.chunks().map(|chunk| chunk.runs).sum()
    }

    /// What happened in all runs that ended as they should.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.chunks().for_each(|chunk| tally.merge(&chunk.tally));
        tally
    }

    /// The runs that failed, in order.
    pub fn failed(&self) -> impl Iterator<Item = &Found> {
        self.chunks().flat_map(|chunk| &chunk.failed)
    }

    /// The failures by what they are, the shortest first.
    #[must_use]
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: BTreeMap<(Option<Property>, Option<&Signature>), Vec<&Found>> = BTreeMap::new();
        for found in self.failed() {
            groups.entry((found.property, found.signature.as_ref())).or_default().push(found);
        }
        let length = |found: &&Found| (found.record, found.run);
        let mut groups: Vec<Group<'_>> = groups
            .into_values()
            .filter_map(|all| {
                let shortest = all.iter().copied().min_by_key(length)?;
                Some(Group { shortest, all })
            })
            .collect();
        groups.sort_by_key(|group| length(&group.shortest));
        groups
    }

    /// Runs that are missing: first and last of each hole. Of a campaign without a bound, those before the last that was made.
    #[must_use]
    pub fn holes(&self) -> Vec<(u64, u64)> {
        let last = self.chunks().next_back().map_or(0, |chunk| chunk.number * CHUNK + chunk.runs);
        let end = self.bound.unwrap_or(last);
        let mut holes = Vec::new();
        let mut next = 0;
        for chunk in self.chunks() {
            let begin = chunk.number * CHUNK;
            if begin > next && next < end {
                holes.push((next, begin.min(end) - 1));
            }
            next = begin + chunk.runs;
        }
        if next < end {
            holes.push((next, end - 1));
        }
        holes
    }
}
