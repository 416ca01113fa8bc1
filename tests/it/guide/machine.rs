//! A state machine of one's own.

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use seaworthy::strategy::{StateMachine, check_machine, shrinking_scenario};
use std::collections::BTreeMap;

/// Accounts. A command is `deposit NAME AMOUNT` or `withdraw NAME AMOUNT`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Bank {
    balances: BTreeMap<String, u64>,
}

impl StateMachine for Bank {
    fn apply(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        let [verb, name, amount] = words[..] else { return "no command".to_string() };
        let amount: u64 = amount.parse().unwrap_or(0);
        let balance = self.balances.entry(name.to_string()).or_default();
        match verb {
            "deposit" => *balance += amount,
            "withdraw" if *balance >= amount => *balance -= amount,
            _ => return "refused".to_string(),
        }
        balance.to_string()
    }

    fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&self.balances).expect("names and numbers are JSON")
    }

    fn restore(snapshot: &[u8]) -> Result<Self, String> {
        let balances = serde_json::from_slice(snapshot).map_err(|error| error.to_string())?;
        Ok(Self { balances })
    }
}

proptest! {
    #[test]
    fn my_bank_can_be_replicated(scenario in shrinking_scenario("(deposit|withdraw) [ab] [1-9]")) {
        check_machine::<Bank>(&scenario)?;
    }
}

/// Which mistake a bank has.
const FORGETS: u8 = 0;
const CANNOT_READ: u8 = 1;
const COUNTS_LIVES: u8 = 2;

/// A bank with a mistake.
#[derive(Clone, Debug, PartialEq)]
struct Wrong<const MISTAKE: u8> {
    bank: Bank,
    /// How many withdrawals it refused. Not in its snapshot, if it forgets.
    refused: u64,
    /// Different in each copy.
    born: u64,
}

impl<const MISTAKE: u8> Default for Wrong<MISTAKE> {
    fn default() -> Self {
        static BORN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let born = BORN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Self { bank: Bank::default(), refused: 0, born: if MISTAKE == COUNTS_LIVES { born } else { 0 } }
    }
}

impl<const MISTAKE: u8> StateMachine for Wrong<MISTAKE> {
    fn apply(&mut self, command: &str) -> String {
        let said = self.bank.apply(command);
        self.refused += u64::from(said == "refused");
        said
    }

    fn snapshot(&self) -> Vec<u8> {
        let refused = if MISTAKE == FORGETS { 0 } else { self.refused };
        serde_json::to_vec(&(&self.bank.balances, refused)).expect("names and numbers are JSON")
    }

    fn restore(snapshot: &[u8]) -> Result<Self, String> {
        if MISTAKE == CANNOT_READ {
            return Err("cannot read it".to_string());
        }
        let (balances, refused) = serde_json::from_slice(snapshot).map_err(|error| error.to_string())?;
        Ok(Self { bank: Bank { balances }, refused, born: 0 })
    }
}

fn found<M: StateMachine>() -> (String, usize) {
    let mut runner = TestRunner::new(crate::strategy::fixed(300));
    let strategy = shrinking_scenario("(deposit|withdraw) [ab] [1-9]");
    match runner.run(&strategy, |scenario| check_machine::<M>(&scenario)) {
        Err(TestError::Fail(reason, scenario)) => (reason.to_string(), scenario.steps.len()),
        other => panic!("nothing was found: {other:?}"),
    }
}

#[test]
fn a_machine_that_cannot_be_replicated_is_found() {
    let (forgets, steps) = found::<Wrong<FORGETS>>();
    assert!(forgets.contains("is another machine") && forgets.contains("refused: 1"), "{forgets}");
    // proptest has taken the faults away: commands are all that it takes.
    assert!(steps <= 12, "{steps} steps are left");
    let (cannot_read, _) = found::<Wrong<CANNOT_READ>>();
    assert!(cannot_read.contains("cannot restore the snapshot that it took at index"), "{cannot_read}");
    let (differs, _) = found::<Wrong<COUNTS_LIVES>>();
    assert!(differs.contains("differ:"), "{differs}");
}

/// Takes nothing but what steps propose.
#[derive(Clone, Debug, Default, PartialEq)]
struct Strict(Vec<String>);

impl StateMachine for Strict {
    fn apply(&mut self, command: &str) -> String {
        assert!(command.starts_with("mine "), "{command:?} is none of this machine's");
        self.0.push(command.to_string());
        self.0.len().to_string()
    }

    fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).expect("texts are JSON")
    }

    fn restore(snapshot: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(snapshot).map(Self).map_err(|error| error.to_string())
    }
}

proptest! {
    #[test]
    fn a_machine_hears_nothing_of_clients_and_of_the_end(scenario in shrinking_scenario("mine [a-c]")) {
        check_machine::<Strict>(&scenario)?;
    }
}
