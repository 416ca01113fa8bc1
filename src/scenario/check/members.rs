//! Changes of configurations and questions about them, reads beside the log.

use super::Checker;
use crate::scenario::membership::{Change, MemberChange};
use crate::scenario::predicate::{InConfig, MembersAre};
use crate::scenario::read_step::{Read, ReadAnswer};
use crate::scenario::target::Target;
use std::collections::BTreeSet;

impl Checker {
    pub(super) fn change(&mut self, change: &Change) {
        self.target_at("to", &change.to);
        self.under("changes", |c| {
            c.wrong_if(change.changes.0.is_empty(), || {
                "no change: expected at least one, such as \"+4\"\n`leave_joint` leaves a joint configuration"
                    .to_owned()
            });
            let mut named = BTreeSet::new();
            c.each(&change.changes.0, |c, change| c.one_change(change, &mut named));
        });
    }

    fn one_change(&mut self, change: &MemberChange, named: &mut BTreeSet<u16>) {
        self.target(change.nodes());
        let twice =
            change.nodes().literal().unwrap_or_default().into_iter().find(|node| !named.insert(*node));
        if let Some(node) = twice {
            self.wrong(format!("node {node} changes twice: expected every node in one change at most"));
        }
    }

    pub(super) fn members_are(&mut self, members: &MembersAre) {
        self.target_at("of", &members.of);
        let lists =
            [("voters", &members.voters), ("outgoing", &members.outgoing), ("learners", &members.learners)];
        for (key, list) in lists {
            if let Some(list) = list {
                self.under(key, |c| c.target_or_nobody(list));
            }
        }
        let asked = lists.iter().any(|(_, list)| list.is_some());
        self.wrong_if(!asked && !members.absent, || {
            "nothing is asked: expected `voters`, `outgoing`, `learners` or `absent`".to_owned()
        });
        self.wrong_if(asked && members.absent, || {
            "what is absent has no members: expected `absent` alone, or members".to_owned()
        });
        self.wrong_if(members.absent && members.at.is_none(), || {
            "a node always has a configuration in force: expected `at` with `absent`".to_owned()
        });
        self.under("at", |c| c.log_index(members.at));
        let no_voters = matches!(&members.voters, Some(Target::List(items)) if items.is_empty());
        self.under("voters", |c| {
            c.wrong_if(no_voters, || "a cluster without voters: expected at least one".to_owned());
        });
    }

    pub(super) fn in_config(&mut self, config: &InConfig) {
        self.target_at("nodes", &config.nodes);
        self.some_target("of", config.of.as_ref());
    }

    pub(super) fn log_index(&mut self, index: Option<u64>) {
        self.wrong_if(index == Some(0), || "the log begins at index 1: expected at least 1".to_owned());
    }

    pub(super) fn read(&mut self, read: &Read) {
        self.target_at("at", &read.at);
        self.under("within", |c| c.longest(read.within));
        let unserved = match read.expect {
            ReadAnswer::Refused | ReadAnswer::Unanswered => true,
            ReadAnswer::Served | ReadAnswer::Any => false,
        };
        self.under("at_least_index", |c| {
            c.wrong_if(unserved && read.at_least_index.is_some(), || {
                "a read that is not served has no index: expected `served` or `any` with `at_least_index`"
                    .to_owned()
            });
        });
        if let Some(name) = &read.bind {
            self.under("bind", |c| {
                c.wrong_if(unserved, || {
                    "a read that is not served is served by no node: expected `served` with `bind`".to_owned()
                });
            });
            self.give_nodes(name);
        }
    }
}
