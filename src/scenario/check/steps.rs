//! Steps: each verb's own rules.

use super::{Checker, Known};
use crate::scenario::flow::Propose;
use crate::scenario::link::{Cut, Ends, Held, Partition};
use crate::scenario::name::Name;
use crate::scenario::pending::{Deliver, HowMany, Pending};
use crate::scenario::predicate::Predicate;
use crate::scenario::sleep::Sleep;
use crate::scenario::step::{Nodes, Step};
use crate::scenario::target::Target;
use sim_core::Span;
use std::collections::BTreeMap;

/// How many bytes of commands one step may hand over: each node keeps them in memory and on its disk.
const BYTES_MAX: u64 = 64 << 20;

impl Checker {
    pub(super) fn step(&mut self, step: &Step) {
        let verb = step.verb();
        self.under(verb, |c| c.inner_step(step));
    }

    fn inner_step(&mut self, step: &Step) {
        match step {
            Step::Sleep(Sleep::For(span)) => self.time(*span),
            Step::Sleep(Sleep::Between(least, most)) => {
                self.range(*least, *most);
                self.wrong_if(*most == Span::ZERO, || "no time at all: expected more than 0".to_owned());
            }
            Step::Until(until) => {
                self.asked(&until.that, until.bind.as_ref());
                self.under("within", |c| c.time(until.within));
            }
            Step::Assert(assert) => self.asked(&assert.that, assert.bind.as_ref()),
            Step::Always(always) => {
                self.under("that", |c| c.predicate(&always.that));
                self.under("during", |c| c.time(always.during));
            }
            Step::Bind(bind) => {
                self.target_at("to", &bind.to);
                self.give_nodes(&bind.name);
            }
            Step::Pick(pick) => {
                let nodes = u64::from(self.nodes);
                self.under("count", |c| c.between(u64::from(pick.count), 1, nodes.max(1)));
                self.target_at("from", &pick.from);
                self.give_nodes(&pick.name);
            }
            Step::Mark(name) => self.give(Known::Moment(name.clone())),
            Step::Isolate(isolate) => self.target_at("nodes", &isolate.nodes),
            Step::Reconnect(Nodes { nodes })
            | Step::Restart(Nodes { nodes })
            | Step::Pause(Nodes { nodes })
            | Step::Resume(Nodes { nodes })
            | Step::ForgetLeader(Nodes { nodes })
            | Step::Snapshot(Nodes { nodes })
            | Step::HoldWrites(Nodes { nodes })
            | Step::CompleteWrite(Nodes { nodes })
            | Step::ReleaseWrites(Nodes { nodes })
            | Step::HoldApplies(Nodes { nodes })
            | Step::CompleteApply(Nodes { nodes })
            | Step::ReleaseApplies(Nodes { nodes })
            | Step::FreeDisk(Nodes { nodes })
            | Step::Disarm(Nodes { nodes })
            | Step::HoldTimers(Nodes { nodes })
            | Step::ReleaseTimers(Nodes { nodes })
            | Step::Wipe(Nodes { nodes })
            | Step::Shutdown(Nodes { nodes }) => self.target_at("nodes", nodes),
            Step::Crash(crash) => self.target_at("nodes", &crash.nodes),
            Step::Cut(Cut { ends, .. }) => self.ends(ends),
            Step::Join(links) => self.ends(&links.ends),
            Step::Partition(partition) => self.partition(partition),
            Step::Heal => {}
            Step::Hold(hold) => self.held(&hold.links),
            Step::Release(held) => self.held(&held.links),
            Step::DeliverOne(deliver) => self.two_ends(&deliver.from, "from", &deliver.to, "to"),
            Step::DropPending(pending) | Step::DuplicatePending(pending) | Step::Shuffle(pending) => {
                self.pending(pending);
            }
            Step::Deliver(deliver) => self.deliver(deliver),
            Step::DropAfter(drop) => {
                self.link_target_at("from", &drop.from);
                self.under("count", |c| c.between(u64::from(drop.count), 0, 1_000_000));
            }
            Step::StopDropping(Nodes { nodes }) => self.link_target_at("nodes", nodes),
            Step::Unpin(unpin) => self.some_link_target("of", unpin.of.as_ref()),
            Step::Clog(clog) => {
                self.two_ends(&clog.from, "from", &clog.to, "to");
                self.under("for", |c| c.time(clog.span));
            }
            Step::SetLink(rule) => self.link_rule(rule),
            Step::Propose(propose) => self.propose(propose),
            Step::Campaign(target) => self.target(target),
            Step::Pin(pin) => self.pin(pin),
            Step::Change(change) => self.change(change),
            Step::LeaveJoint(leave) => self.target_at("to", &leave.to),
            Step::Transfer(transfer) => {
                self.target_at("from", &transfer.from);
                self.target_at("to", &transfer.to);
            }
            Step::Tick(tick) => self.target_at("nodes", &tick.nodes),
            Step::ReportUnreachable(report) => {
                self.target_at("at", &report.at);
                self.target_at("of", &report.of);
            }
            Step::Read(read) => self.read(read),
            Step::Compact(compact) => self.target_at("nodes", &compact.nodes),
            Step::SendSnapshot(send) => self.two_ends(&send.from, "from", &send.to, "to"),
            Step::FailWrite(fail) => self.fail_write(fail),
            Step::FillDisk(fill) => self.target_at("nodes", &fill.nodes),
            Step::SlowDisk(slow) => self.slow_disk(slow),
            Step::Rot(rot) => self.rot(rot),
            Step::MisdirectWrite(misdirect) => self.target_at("nodes", &misdirect.nodes),
            Step::LieAboutFsync(lie) => self.target_at("nodes", &lie.nodes),
            Step::CrashAt(crash) => self.crash_at(crash),
            Step::SetCrashMode(set) => self.set_crash_mode(set),
            Step::SetClock(set) => self.set_clock(set),
            Step::Call(call) => self.call(call),
            Step::StartClients(set) | Step::StopClients(set) => self.workload_clients(set.clients.as_ref()),
            Step::AwaitClients(wait) => {
                self.awaited_clients(wait.clients.as_ref());
                self.under("within", |c| c.time(wait.within));
            }
            Step::Note(text) => {
                self.wrong_if(text.trim().is_empty(), || {
                    "an empty caption: expected something to read".to_owned()
                });
                self.line(text, 200);
            }
            Step::Stop(stop) => self.under("why", |c| c.line(&stop.why, 200)),
            Step::Repeat(repeat) => self.repeat(repeat),
            Step::Choose(branches) => self.choose(branches),
            Step::If(condition) => self.condition(condition),
        }
    }

    fn asked(&mut self, that: &Predicate, bind: Option<&Name>) {
        self.under("that", |c| c.predicate(that));
        if let Some(name) = bind {
            self.under("bind", |c| {
                c.wrong_if(that.subject().is_none(), || {
                    format!(
                        "`{}` is about no single node: expected `single_leader` or `leader_is` with `bind`",
                        that.name()
                    )
                });
            });
            self.give_nodes(name);
        }
    }

    fn ends(&mut self, ends: &Ends) {
        match ends {
            Ends::Between(one, other) => self.two_ends(one, "between", other, "and"),
            Ends::OneWay { from, to } => self.two_ends(from, "from", to, "to"),
        }
    }

    fn held(&mut self, held: &Held) {
        match held {
            Held::Of(nodes) => self.link_target_at("nodes", nodes),
            Held::OneWay { from, to } => self.two_ends(from, "from", to, "to"),
        }
    }

    fn pending(&mut self, pending: &Pending) {
        self.some_link_target("from", pending.from.as_ref());
        self.some_link_target("to", pending.to.as_ref());
    }

    fn deliver(&mut self, deliver: &Deliver) {
        self.some_link_target("from", deliver.from.as_ref());
        self.some_link_target("to", deliver.to.as_ref());
        if let HowMany::Count(count) = deliver.count {
            self.under("count", |c| c.between(u64::from(count), 1, 100_000));
        }
    }

    fn partition(&mut self, partition: &Partition) {
        self.under("groups", |c| {
            c.wrong_if(partition.groups.is_empty(), || "no groups: expected at least one".to_owned());
            let mut group_of = BTreeMap::new();
            let mut index = 0;
            c.each(&partition.groups, |c, group| {
                c.link_target(group);
                c.group(group, index, &mut group_of);
                index += 1;
            });
        });
    }

    /// Node numbers of a group, each of which may stand in one group only.
    fn group(&mut self, group: &Target, index: usize, group_of: &mut BTreeMap<u16, usize>) {
        match group {
            Target::Node(number) => {
                let earlier = *group_of.entry(*number).or_insert(index);
                self.wrong_if(earlier != index, || {
                    format!("node {number} stands in two groups: expected every node in at most one")
                });
            }
            Target::List(items) => self.each(items, |c, item| c.group(item, index, group_of)),
            // What other targets stand for is known only when the step is done.
            _ => {}
        }
    }

    fn propose(&mut self, propose: &Propose) {
        self.target_at("to", &propose.to);
        self.under("command", |c| c.command(&propose.command));
        if let Some(count) = propose.count {
            self.under("count", |c| c.between(u64::from(count), 1, 10_000));
        }
        let together = u64::from(propose.bytes.unwrap_or(0)) * u64::from(propose.count.unwrap_or(1));
        self.under("bytes", |c| {
            c.wrong_if(together > BYTES_MAX, || {
                format!("{together} bytes of commands at once: expected at most {BYTES_MAX} (`count` times `bytes`)")
            });
        });
        if let Some(bytes) = propose.bytes {
            self.under("bytes", |c| {
                c.between(u64::from(bytes), 1, 1 << 20);
                let digits = propose.count.map_or(0, |count| count.to_string().len());
                let length = propose.command.len() + digits;
                c.wrong_if(u64::from(bytes) < length as u64, || {
                    format!("the command has {length} bytes already: expected at least {length}")
                });
            });
        }
        if let Some(name) = &propose.bind {
            self.under("bind", |c| {
                c.wrong_if(propose.expect.is_refusal(), || {
                    "a command that is refused is taken by no node: expected `accepted` with `bind`"
                        .to_owned()
                });
            });
            self.give_nodes(name);
        }
    }
}
