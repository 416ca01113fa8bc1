//! Targets: that their nodes and names exist.

use super::{Checker, Known};
use crate::scenario::name::{Name, RESERVED};
use crate::scenario::target::Target;
use std::collections::BTreeSet;

impl Checker {
    pub(super) fn no_such_node(&self, number: u16) -> String {
        match self.nodes {
            // The number of nodes is at fault, and was told.
            0 => format!("there is no node {number}: the cluster has no nodes"),
            1 => format!("there is no node {number}: the cluster has only node 0"),
            nodes => format!("there is no node {number}: the cluster has nodes 0..={}", nodes - 1),
        }
    }

    pub(super) fn node(&mut self, number: u16) {
        if number >= self.nodes {
            let message = self.no_such_node(number);
            self.wrong(message);
        }
    }

    /// A target that stands for nodes.
    pub(super) fn target(&mut self, target: &Target) {
        match target {
            Target::Clients | Target::Client(_) => self.wrong(format!(
                "`{target}` is no node: expected nodes\nclients stand only where links, calls or clients are meant"
            )),
            Target::List(items) => {
                self.not_empty(items);
                self.each(items, Self::target);
            }
            Target::AllBut(other) => self.target(other),
            other => self.link_target(other),
        }
    }

    /// The same, or an empty list, which stands for nobody.
    pub(super) fn target_or_nobody(&mut self, target: &Target) {
        match target {
            Target::List(items) if items.is_empty() => {}
            target => self.target(target),
        }
    }

    fn not_empty(&mut self, items: &[Target]) {
        self.wrong_if(items.is_empty(), || "an empty list names no node: expected at least one".to_owned());
    }

    /// A target that stands for nodes, for clients, or for both: for ends of links.
    pub(super) fn link_target(&mut self, target: &Target) {
        match target {
            Target::Node(number) => self.node(*number),
            Target::List(items) => {
                self.not_empty(items);
                self.each(items, Self::link_target);
            }
            Target::Clients => self.any_clients(),
            Target::Client(client) => self.client(client),
            Target::LeaderOfTerm(term) => {
                self.wrong_if(*term == 0, || {
                    "there is no leader of term 0: expected a term from 1".to_owned()
                });
            }
            Target::Follower(place) => {
                let nodes = self.nodes;
                self.wrong_if(*place >= nodes, || {
                    let most = nodes.saturating_sub(1);
                    format!("there is no follower {place}: the cluster has {nodes} nodes, so expected at most follower {most}")
                });
            }
            Target::AllBut(other) => self.target(other),
            Target::Named(name) => self.bound(name),
            Target::Leader
            | Target::Followers
            | Target::Candidates
            | Target::All
            | Target::Up
            | Target::Crashed
            | Target::Connected
            | Target::Isolated
            | Target::Voters
            | Target::Learners
            | Target::Members
            | Target::Halted
            | Target::Minority { .. }
            | Target::Majority { .. }
            | Target::Random => {}
        }
    }

    /// A target that stands under `key`.
    pub(super) fn target_at(&mut self, key: &str, target: &Target) {
        self.under(key, |c| c.target(target));
    }

    pub(super) fn link_target_at(&mut self, key: &str, target: &Target) {
        self.under(key, |c| c.link_target(target));
    }

    pub(super) fn some_target(&mut self, key: &str, target: Option<&Target>) {
        if let Some(target) = target {
            self.target_at(key, target);
        }
    }

    pub(super) fn some_link_target(&mut self, key: &str, target: Option<&Target>) {
        if let Some(target) = target {
            self.link_target_at(key, target);
        }
    }

    fn bound(&mut self, name: &Name) {
        if self.names_nodes(name) {
            return;
        }
        let bound = self.known.iter().filter_map(|known| match known {
            Known::Nodes(name) => Some(name.as_str()),
            Known::Moment(_) => None,
        });
        let hint = match self.nearest(name.as_str(), bound.chain(RESERVED.iter().copied())) {
            Some(word) => format!("did you mean `{word}`?"),
            None => "bind it before with `bind`, `pick`, or the `bind` of `until`, `assert` or `propose`"
                .to_owned(),
        };
        let why =
            if self.names_moment(name) { "is a mark, which names no node" } else { "is not bound here" };
        self.wrong(format!(
            "`{name}` {why}: expected a target or a name bound on every way to this step\n{hint}"
        ));
    }

    /// A name that remembers a term: of a node or of a moment.
    pub(super) fn remembers_term(&mut self, name: &Name) {
        if self.names_nodes(name) || self.names_moment(name) {
            return;
        }
        let known = self.known.iter().map(|(Known::Nodes(name) | Known::Moment(name))| name.as_str());
        let hint = self.nearest(name.as_str(), known);
        let hint = hint.map_or_else(String::new, |word| format!("\ndid you mean `{word}`?"));
        self.wrong(format!(
            "`{name}` remembers no term: expected a name bound or marked on every way to here{hint}"
        ));
    }

    pub(super) fn mark(&mut self, name: &Name) {
        if self.names_moment(name) {
            return;
        }
        let marks = self.known.iter().filter_map(|known| match known {
            Known::Moment(name) => Some(name.as_str()),
            Known::Nodes(_) => None,
        });
        let hint = match self.nearest(name.as_str(), marks) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("{{\"mark\": \"{name}\"}} sets it"),
        };
        self.wrong(format!("`{name}` is not marked: expected a mark set on every way to here\n{hint}"));
    }

    /// Two ends of links: existing nodes or clients, and not one and the same.
    pub(super) fn two_ends(&mut self, one: &Target, one_key: &str, other: &Target, other_key: &str) {
        self.link_target_at(one_key, one);
        self.link_target_at(other_key, other);
        let sets = one.literal().zip(other.literal());
        let sets = sets.map(|(one, other)| (BTreeSet::from_iter(one), BTreeSet::from_iter(other)));
        if let Some((one, other)) = sets
            && one.len() == 1
            && one == other
        {
            let node = one.first().copied().unwrap_or(0);
            self.wrong(format!("node {node} has no link to itself: expected two different nodes"));
        }
    }
}
