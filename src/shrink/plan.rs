//! What is shrunk: a scenario whose steps stand each at its time, in one of three forms.

use crate::adapter::{ELECTION, HEARTBEAT};
use crate::execute::build::clients::Clients;
use crate::execute::{Done, How};
use crate::fuzz::Timeline;
use crate::record::{MessageFacts, Note, Record};
use crate::scenario::{
    Answer, ClientSet, DeliverOne, End, Expect, Family, Held, Hold, LieAboutFsync, MessageKind,
    NetworkOptions, Nodes, ReadAnswer, SPAN_MAX, Scenario, Step, Target, Tick, TimerKind,
};
use crate::violation::Property;
use sim_core::{Fault, Interest, MessageId, Observer, RecordKind, Span, Stamp, VirtualTime};
use std::collections::BTreeMap;

/// How a plan says what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Every message that is delivered and every timer that fires is a step of its own; nothing else reaches anybody.
    ByHand,
    /// Messages and timers are left to the seed; steps stand at their times, about nodes by number.
    Timed,
    /// The steps are those of the file.
    Written,
}

/// A step and when it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: Span,
    pub(super) step: Step,
}

/// A scenario in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) form: Form,
    /// Everything but the steps.
    pub(super) header: Scenario,
    pub(super) events: Vec<Event>,
    /// When it ends.
    pub(super) over: Span,
}

impl Plan {
    /// The scenario that the plan is.
    pub(super) fn scenario(&self) -> Scenario {
        let mut scenario = self.header.clone();
        if self.form == Form::Written {
            scenario.steps = self.events.iter().map(|event| event.step.clone()).collect();
            return scenario;
        }
        let mut timeline = Timeline::default();
        if self.form == Form::ByHand {
            let links = Held::Of(Target::All);
            timeline.at(Span::ZERO, Step::Hold(Hold { links, capture: false }));
            timeline.at(Span::ZERO, Step::HoldTimers(Nodes { nodes: Target::All }));
        }
        for event in &self.events {
            timeline.at(event.at, event.step.clone());
        }
        scenario.steps = timeline.steps(self.over);
        scenario
    }

    /// The same plan with what was done in a run of it, up to what broke.
    pub(super) fn as_done(&self, done: Vec<Done>, broke: Stamp, ending: Option<Stamp>) -> Self {
        if self.form == Form::Written {
            return self.clone();
        }
        // What the cluster is asked at the end comes with that.
        let last = ending.map_or(broke.number, |ending| ending.number.min(broke.number));
        let is_set_up = |step: &Step| self.form == Form::ByHand && super::is_set_up(step);
        let done = done.into_iter().filter(|done| done.how != How::Not && done.after.number < last);
        let events = done
            .filter(|done| !is_set_up(&done.step))
            .map(|done| Event { at: since_begin(done.after.at), step: done.step })
            .collect();
        Self { events, over: self.over_at(broke.at), ..self.clone() }
    }

    /// Whether steps stand within others: those are taken away with them, and not alone.
    pub(super) fn has_blocks(&self) -> bool {
        self.events.iter().any(|event| event.step.blocks().iter().any(|steps| !steps.is_empty()))
    }

    /// A plan that ends by proving that the cluster lives ends when it did; others end with what broke.
    fn over_at(&self, broke: VirtualTime) -> Span {
        match self.header.end {
            End::Live(_) => self.over,
            End::Stop(_) => since_begin(broke),
        }
    }
}

pub(super) const fn since_begin(at: VirtualTime) -> Span {
    Span::from_nanos(at.nanos())
}

/// Twice as long as since the beginning, or as long as may be.
pub(super) fn twice(at: VirtualTime) -> Span {
    Span::from_nanos(at.nanos().saturating_mul(2)).min(SPAN_MAX)
}

/// Keeps what was delivered, which timers of Raft fired, and what was done to the world.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    heard: Vec<(u64, Heard)>,
    /// How many messages were delivered and timers fired beyond what is kept.
    beyond: (u64, u64),
    /// The number of the first of those.
    cut_at: Option<u64>,
}

/// How much is kept: a run that goes on for longer is never written out.
const HEARD_MAX: usize = 400_000;

#[derive(Clone, Debug)]
struct Heard {
    at: VirtualTime,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Message(MessageId),
    Timer(u16, TimerKind),
    Fault(Box<Fault>),
}

impl Observer<MessageFacts, Note> for Recorder {
    fn interest(&self) -> Interest {
        Interest::of(&[RecordKind::Delivered, RecordKind::TimerFired, RecordKind::Injected])
    }

    fn observe(&mut self, stamp: Stamp, record: &Record) {
        let what = match record {
            Record::Delivered { id, .. } => What::Message(*id),
            Record::TimerFired { process, timer } if *timer == ELECTION => {
                What::Timer(process.0, TimerKind::Election)
            }
            Record::TimerFired { process, timer } if *timer == HEARTBEAT => {
                What::Timer(process.0, TimerKind::Heartbeat)
            }
            Record::Injected { fault } => What::Fault(Box::new(fault.clone())),
            _ => return,
        };
        if self.heard.len() < HEARD_MAX {
            self.heard.push((stamp.number, Heard { at: stamp.at, what }));
        } else {
            self.cut_at.get_or_insert(stamp.number);
            self.beyond.0 += u64::from(matches!(what, What::Message(_)));
            self.beyond.1 += u64::from(matches!(what, What::Timer(..)));
        }
    }
}

/// What is known of a run that broke.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) done: &'a [Done],
    pub(super) recorder: &'a Recorder,
    pub(super) property: Property,
    pub(super) broke: Stamp,
    /// When the cluster was asked to live.
    pub(super) ending: Option<Stamp>,
}

/// What happened in a run up to what broke, with every delivery and every timer as a step. The network of the file, and what
/// was done to it, is in that already.
pub(super) fn by_hand(scenario: &Scenario, told: &Told<'_>) -> Plan {
    let Told { done, recorder, property, broke, ending } = *told;
    let header = header_by_hand(scenario, property);
    // Who does not live is asked again to: what came before that is written out, and nothing after it.
    let (broke, ending) = match (&header.end, ending) {
        (End::Live(_), Some(ending)) => (ending, None),
        _ => (broke, ending),
    };
    let mut last_copy: BTreeMap<MessageId, u64> = BTreeMap::new();
    for (number, heard) in &recorder.heard {
        if let What::Message(id) = &heard.what {
            last_copy.insert(id.as_sent(), *number);
        }
    }
    let clients = Clients::of(scenario);
    let mut events: Vec<(u64, Event)> = Vec::new();
    for done in done.iter().filter(|done| done.how != How::Not && done.after.number < broke.number) {
        if let Some(step) = beside_messages(&done.step) {
            events.push((done.after.number, Event { at: since_begin(done.after.at), step }));
        }
    }
    let ends = ending.map_or(u64::MAX, |ending| ending.number);
    if let Some(ending) = ending.filter(|_| scenario.workload.is_some()) {
        let stop = Step::StopClients(ClientSet { clients: None });
        events.push((ending.number, Event { at: since_begin(ending.at), step: stop }));
    }
    for (number, heard) in recorder.heard.iter().filter(|(number, _)| *number <= broke.number) {
        let at = since_begin(heard.at);
        let step = match &heard.what {
            // What was done before that is done by steps.
            What::Fault(fault) if *number > ends => {
                let heals = healing(fault, scenario.nodes);
                events.extend(heals.into_iter().map(|step| (number - 1, Event { at, step })));
                continue;
            }
            What::Fault(_) => continue,
            What::Message(id) => {
                let copy = last_copy.get(&id.as_sent()) != Some(number);
                Step::DeliverOne(DeliverOne { copy, ..told_to(&clients, id) })
            }
            What::Timer(node, timer) => Step::Tick(Tick { nodes: Target::Node(*node), timer: *timer }),
        };
        // A record is written when its event has begun: it comes before steps that follow that record.
        events.push((number - 1, Event { at, step }));
    }
    events.sort_by_key(|(number, _)| *number);
    let events = events.into_iter().map(|(_, event)| event).collect();
    Plan { form: Form::ByHand, header, events, over: since_begin(broke.at) }
}

/// The delivery of a message, with its whole name.
pub(super) fn told_to(clients: &Clients, id: &MessageId) -> DeliverOne {
    let kind = MessageKind::from_index(id.kind);
    let one = DeliverOne::of(clients.name(id.from), clients.name(id.to), kind);
    DeliverOne { term: Some(id.epoch), nth: Some(id.ordinal), ..one }
}

/// The settings of a scenario whose messages and timers are steps. Where it is asked whether the cluster lives, that is asked
/// on the network of the file.
pub(super) fn header_by_hand(scenario: &Scenario, property: Property) -> Scenario {
    let (steps, pins, expect) = (Vec::new(), Vec::new(), Expect::Pass);
    let header = Scenario { steps, pins, expect, ..scenario.clone() };
    match header.end {
        End::Live(_) if property == Property::Convergence => header,
        _ => Scenario { network: NetworkOptions::default(), end: over(), ..header },
    }
}

/// The end of what is not asked to live.
pub(super) fn over() -> End {
    End::Stop("everything that matters has happened".to_string())
}

/// What is done to nodes at the end of a run, as steps. Clients have nothing that a step could heal.
fn healing(fault: &Fault, nodes: u16) -> Vec<Step> {
    match fault {
        Fault::Restart { process }
        | Fault::Resume { process }
        | Fault::Crash { process }
        | Fault::SetDisk { process, .. }
        | Fault::SetClock { process, .. }
            if process.0 >= nodes =>
        {
            Vec::new()
        }
        Fault::HealDisk { process } => {
            let nodes = || Nodes { nodes: Target::Node(process.0) };
            let honest = LieAboutFsync { nodes: Target::Node(process.0), on: false };
            let heals = [Step::FreeDisk(nodes()), Step::LieAboutFsync(honest), Step::Disarm(nodes())];
            heals.into_iter().chain([Step::ReleaseWrites(nodes())]).collect()
        }
        Fault::Restart { .. }
        | Fault::Resume { .. }
        | Fault::Crash { .. }
        | Fault::SetDisk { .. }
        | Fault::SetClock { .. } => crate::fuzz::step_of(fault).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The plan in which steps stand at their times and the rest is left to the seed.
pub(super) fn timed(scenario: &Scenario, told: &Told<'_>) -> Plan {
    let Told { done, broke, ending, .. } = *told;
    let mut header = Scenario { steps: Vec::new(), ..scenario.clone() };
    // What does not come to its end is asked to all the same.
    if ending.is_none() && told.property != Property::Convergence {
        header.end = over();
    }
    let over = since_begin(ending.map_or(broke.at, |ending| ending.at));
    let plan = Plan { form: Form::Timed, header, events: Vec::new(), over };
    let done = done.iter().map(|done| Done { step: asking_nothing(done.step.clone()), ..done.clone() });
    plan.as_done(done.collect(), broke, ending)
}

/// The plan whose steps are those of the file.
pub(super) fn written(scenario: &Scenario) -> Plan {
    let header = Scenario { steps: Vec::new(), ..scenario.clone() };
    let events = scenario.steps.iter().map(|step| Event { at: Span::ZERO, step: step.clone() }).collect();
    Plan { form: Form::Written, header, events, over: Span::ZERO }
}

/// What of a step is left where deliveries and timers are steps of their own.
fn beside_messages(step: &Step) -> Option<Step> {
    let is_in_them = matches!(step.family(), Family::Links | Family::Messages)
        || matches!(step, Step::HoldTimers(_) | Step::ReleaseTimers(_) | Step::Tick(_));
    (!is_in_them).then(|| asking_nothing(step.clone()))
}

/// The step without what it waits for, expects and names: what broke is not that.
fn asking_nothing(mut step: Step) -> Step {
    match &mut step {
        Step::Propose(propose) => (propose.expect, propose.bind) = (Answer::Any, None),
        Step::Change(change) => change.expect = Answer::Any,
        Step::LeaveJoint(leave) => leave.expect = Answer::Any,
        Step::Transfer(transfer) => transfer.expect = Answer::Any,
        Step::Read(read) => {
            (read.expect, read.at_least_index, read.bind) = (ReadAnswer::Any, None, None);
            // What is delivered meanwhile is a step too, so nothing may wait.
            read.within = Span::ZERO;
        }
        Step::Call(call) => (call.expect, call.wait, call.bind) = (None, false, None),
        _ => {}
    }
    step
}

impl Recorder {
    /// How many messages were delivered and how many timers fired up to this record.
    pub(super) fn counts(&self, last: u64) -> (u64, u64) {
        let until = || self.heard.iter().filter(move |(number, _)| *number <= last);
        let count = |is: fn(&What) -> bool| until().filter(|(_, heard)| is(&heard.what)).count() as u64;
        let (deliveries, timers) =
            (count(|what| matches!(what, What::Message(_))), count(|what| matches!(what, What::Timer(..))));
        if self.is_cut(last) {
            (deliveries + self.beyond.0, timers + self.beyond.1)
        } else {
            (deliveries, timers)
        }
    }

    /// Whether more happened up to this record than is kept.
    pub(super) fn is_cut(&self, last: u64) -> bool {
        self.cut_at.is_some_and(|number| number <= last)
    }
}

#[cfg(test)]
mod tests {
    use super::{HEARD_MAX, Recorder};
    use crate::adapter::ELECTION;
    use crate::record::Record;
    use sim_core::{Observer, ProcessId, Stamp, VirtualTime};

    /// What is not kept lies after what broke: the run up to there can be written out, and is as long as it was.
    #[test]
    fn a_run_is_cut_where_more_happened_than_is_kept() {
        let mut recorder = Recorder::default();
        let last = HEARD_MAX as u64 + 5;
        for number in 1..=last {
            let record = Record::TimerFired { process: ProcessId(0), timer: ELECTION };
            recorder.observe(Stamp { number, at: VirtualTime::from_nanos(number) }, &record);
        }
        assert!(!recorder.is_cut(HEARD_MAX as u64) && recorder.is_cut(HEARD_MAX as u64 + 1));
        assert_eq!((recorder.counts(7), recorder.counts(last)), ((0, 7), (0, last)));
    }
}
