//! Random histories: clients of a real object that takes each operation at one instant, and now and then lies.

use seaworthy::linear::{Action, History, Model, Outcome, Value};
use sim_core::{Stream, VirtualTime};

/// What a history is drawn from.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) clients: usize,
    pub(crate) operations: usize,
    pub(crate) keys: u64,
    /// Whether no value is written twice.
    pub(crate) unique: bool,
    /// How often get, put, cas, append and delete are called.
    pub(crate) weights: [u32; 5],
    /// In a thousand: calls whose outcome nobody learns, that fail, and that are answered with a lie.
    pub(crate) lost: u64,
    pub(crate) failed: u64,
    pub(crate) lies: u64,
    /// What the keys begin with.
    pub(crate) initial: Option<Value>,
}

/// A history and the order in which everything took effect.
pub(crate) struct Drawn {
    pub(crate) history: History,
    pub(crate) positions: Vec<Option<u64>>,
    pub(crate) model: Model,
    /// What the keys begin with.
    pub(crate) initial: Option<Value>,
    /// Whether every answer was true.
    pub(crate) honest: bool,
}

#[derive(Clone)]
enum Client {
    Idle,
    Called { place: usize, key: usize, action: Action },
    Answered { outcome: Outcome },
}

struct Object {
    value: Option<Value>,
    /// What it has held, for lies and for what a cas expects.
    past: Vec<Option<Value>>,
}

pub(crate) fn draw(shape: &Shape, stream: &mut Stream) -> Drawn {
    let model = match &shape.initial {
        Some(initial) => Model::kv().starting_with(initial.clone()),
        None => Model::kv(),
    };
    let initial = shape.initial.clone();
    let mut drawn =
        Drawn { history: History::default(), positions: Vec::new(), model, initial, honest: true };
    let start = || Object { value: shape.initial.clone(), past: vec![shape.initial.clone()] };
    let mut objects: Vec<Object> = (0..shape.keys).map(|_| start()).collect();
    let mut clients = vec![Client::Idle; shape.clients];
    let mut processes: Vec<u64> = (0..).take(shape.clients).collect();
    let mut next_process = u64::try_from(shape.clients).expect("few clients");
    let (mut now, mut index, mut written) = (0, 0, 0);
    let chance = |stream: &mut Stream, thousandths: u64| stream.below(1_000) < thousandths;
    loop {
        let open = clients.iter().filter(|client| !matches!(client, Client::Idle)).count();
        // At the end some calls stay open.
        let over = drawn.history.operations().len() >= shape.operations;
        if over && (open == 0 || chance(stream, shape.lost / 2)) {
            return drawn;
        }
        now += stream.below(2_000_000);
        let at = VirtualTime::from_nanos(now);
        let who = stream.index(shape.clients);
        let process = processes[who];
        clients[who] = match clients[who].clone() {
            Client::Idle if over => Client::Idle,
            Client::Idle => {
                let key = stream.index(objects.len());
                let action = action(shape, stream, &objects[key], &mut written);
                let name = Value::from(u64::try_from(key).expect("few keys"));
                let place = drawn.history.call(process, name, action.clone(), at).expect("it is idle").0;
                drawn.positions.push(None);
                Client::Called { place, key, action }
            }
            Client::Called { place, key, action } => {
                if chance(stream, shape.failed) {
                    Client::Answered { outcome: Outcome::Failed }
                } else if chance(stream, shape.lost / 2) {
                    // It never got there.
                    Client::Answered { outcome: Outcome::Unknown }
                } else {
                    index += u64::from(action != Action::Get);
                    drawn.positions[place] = Some(index);
                    let lie = chance(stream, shape.lies);
                    drawn.honest &= !lie;
                    let mut outcome = serve(&mut objects[key], &action, lie, stream);
                    if chance(stream, shape.lost / 2) {
                        outcome = Outcome::Unknown;
                    }
                    Client::Answered { outcome }
                }
            }
            Client::Answered { outcome } => {
                if outcome == Outcome::Unknown {
                    processes[who] = next_process;
                    next_process += 1;
                }
                drawn.history.end(process, outcome, at).expect("it has called");
                Client::Idle
            }
        };
    }
}

fn action(shape: &Shape, stream: &mut Stream, object: &Object, written: &mut u64) -> Action {
    let mut value = || -> Value {
        *written += 1;
        if shape.unique {
            // No number begins another one.
            return format!("{written};").as_str().into();
        }
        // Some begin others.
        (*stream.pick(&["a", "b", "aa", "c", ""])).into()
    };
    let new = value();
    match stream.weighted(&shape.weights) {
        0 => Action::Get,
        1 => Action::Put(new),
        2 => {
            let old = stream.pick(&object.past).clone();
            let expected = if stream.below(3) > 0 { object.value.clone() } else { old };
            Action::Cas { expected, new }
        }
        3 => Action::Append(new),
        _ => Action::Delete,
    }
}

/// Carries out an action. A lie is an answer that belongs to another time, or an answer to what did not happen.
fn serve(object: &mut Object, action: &Action, lie: bool, stream: &mut Stream) -> Outcome {
    let old = stream.pick(&object.past).clone();
    let after = match action {
        Action::Get => return Outcome::Read(if lie { old } else { object.value.clone() }),
        Action::Cas { expected, .. } if *expected != object.value => {
            return if lie { Outcome::Done } else { Outcome::Mismatch(object.value.clone()) };
        }
        Action::Cas { .. } if lie => return Outcome::Mismatch(old),
        Action::Put(value) | Action::Cas { new: value, .. } => Some(value.clone()),
        Action::Append(more) => {
            let mut value = object.value.clone().unwrap_or_default();
            value.append(more);
            Some(value)
        }
        Action::Delete => None,
    };
    if lie && stream.coin() {
        return Outcome::Done;
    }
    object.value = after;
    object.past.push(object.value.clone());
    if lie { Outcome::Failed } else { Outcome::Done }
}
