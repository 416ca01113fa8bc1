//! Faults for property tests: of a cluster, and of any protocol that lives in the world.

use proptest::collection::vec;
use proptest::prelude::*;
use sim_core::{
    Fault, InFlight, Latency, LinkQuality, Observer, Process, ProcessId, Ratio, Simulation, Span, VirtualTime,
};

/// The shortest time that a drawn fault lasts: one that is over at once tests nothing.
pub const LASTING_MIN: Span = Span::from_millis(20);

/// A fault that begins, lasts, and is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disturbance {
    /// When it begins.
    pub at: Span,
    /// How long it lasts, at least [`LASTING_MIN`].
    pub lasting: Span,
    /// What is done.
    pub fault: Fault,
    /// What undoes it; none for a clog, which ends by itself.
    pub undo: Option<Fault>,
}

/// One disturbance of a cluster of `nodes` nodes within `horizon`.
pub fn disturbance(nodes: u16, horizon: Span) -> impl Strategy<Value = Disturbance> {
    let millis = |span: Span| span.nanos() / 1_000_000;
    let times = (0..=millis(horizon), millis(LASTING_MIN)..=1_000);
    let in_flight = prop_oneof![Just(InFlight::Drop), Just(InFlight::Keep)];
    (times, 0u8..7, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1u32.., in_flight).prop_map(
        move |((at, lasting), sort, one, other, bits, in_flight)| {
            let node = |index: prop::sample::Index| {
                ProcessId(u16::try_from(index.index(usize::from(nodes))).unwrap_or(0))
            };
            let (process, from) = (node(one), node(one));
            // Another node than `from`, if there is one.
            let step = 1 + u16::try_from(other.index(usize::from(nodes.max(2)) - 1)).unwrap_or(0);
            let to = ProcessId((from.0 + step) % nodes);
            let lasting = Span::from_millis(lasting);
            let (fault, undo) = match sort {
                0 => (Fault::Crash { process }, Some(Fault::Restart { process })),
                1 => (Fault::Pause { process }, Some(Fault::Resume { process })),
                2 => (Fault::Isolate { process, in_flight }, Some(Fault::Reconnect { process })),
                _ if from == to => {
                    (Fault::Isolate { process, in_flight }, Some(Fault::Reconnect { process }))
                }
                3 => (Fault::Cut { from, to, in_flight }, Some(Fault::Restore { from, to })),
                4 => (Fault::Clog { from, to, span: lasting }, None),
                5 => {
                    let here = |id: &ProcessId| bits >> (id.0 % 32) & 1 == 1;
                    let mut group: Vec<ProcessId> = ProcessId::all(nodes).filter(here).collect();
                    if group.is_empty() {
                        group.push(from);
                    }
                    let groups = vec![group];
                    let none = Fault::Partition { groups: Vec::new(), in_flight: InFlight::Keep };
                    (Fault::Partition { groups, in_flight }, Some(none))
                }
                _ => {
                    let usual = Latency::Uniform(Span::from_millis(1), Span::from_millis(5));
                    let usual = LinkQuality { latency: usual, ..LinkQuality::default() };
                    let rough = LinkQuality {
                        latency: Latency::Uniform(Span::from_millis(1), Span::from_millis(120)),
                        loss: Ratio::from_percent(30),
                        duplicate: Ratio::from_percent(20),
                        ..usual
                    };
                    let set = |quality| Fault::SetQuality { from, to, quality };
                    (set(rough), Some(set(usual)))
                }
            };
            Disturbance { at: Span::from_millis(at), lasting, fault, undo }
        },
    )
}

/// A fault plan: up to eight disturbances of a cluster of `nodes` nodes within `horizon`.
pub fn fault_plan(nodes: u16, horizon: Span) -> impl Strategy<Value = Vec<Disturbance>> {
    vec(disturbance(nodes, horizon), 0..=8)
}

/// Lets a world go on until `until`, counted from its beginning, and disturbs it on the way as a plan says. What begins in the
/// past comes at once, and what has begun by `until` is undone by then.
///
/// # Panics
///
/// If the plan is about processes that are not there.
pub fn play<P: Process, O: Observer<P::Facts, P::Note>>(
    world: &mut Simulation<P, O>,
    plan: &[Disturbance],
    until: Span,
) {
    let mut due: Vec<(Span, Fault)> = Vec::new();
    for Disturbance { at, lasting, fault, undo } in plan.iter().filter(|disturbance| disturbance.at <= until)
    {
        let left = Span::from_nanos(until.nanos() - at.nanos());
        let fault = match fault {
            Fault::Clog { from, to, span } => Fault::Clog { from: *from, to: *to, span: (*span).min(left) },
            fault => fault.clone(),
        };
        due.push((*at, fault));
        due.extend(undo.iter().map(|undo| ((*lasting).min(left).plus(*at), undo.clone())));
    }
    // Stable: of what is due at the same time, what was drawn first comes first.
    due.sort_by_key(|(at, _)| *at);
    for (at, fault) in due {
        world.run_until(VirtualTime::ZERO.after(at));
        world.inject(&fault).expect("a plan is about processes that are there");
    }
    world.run_until(VirtualTime::ZERO.after(until));
}
