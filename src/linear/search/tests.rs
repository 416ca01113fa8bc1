//! What only the search can decide, how it shares its budget, and how it tells the reason.

use crate::linear::history::{Action, History, Outcome};
use crate::linear::model::Model;
use crate::linear::testing::{Story, story};
use crate::linear::{Verdict, check, check_by_search};
use sim_core::VirtualTime;

#[test]
fn values_that_come_back_are_decided() {
    story().puts(1, "a").puts(1, "b").puts(1, "a").reads(2, "a").holds_after_search();
    let calls = story().puts(1, "a").puts(1, "b").puts(1, "a").reads(2, "b").breaks_by_search();
    assert_eq!(calls, [3, 5, 7]);
}

#[test]
fn an_explanation_leaves_out_what_does_not_matter() {
    let busy = |mut story: Story, times: u32| {
        for _ in 0..times {
            story = story.puts(1, "a").reads(2, "a").puts(1, "b").reads(2, "b");
        }
        story
    };
    let story = busy(busy(story(), 20).puts(1, "c").puts(1, "a").reads(3, "c"), 20);
    let calls = story.breaks_by_search();
    // The get of c, the put of c and the put that came between.
    assert_eq!(calls, [161, 163, 165]);
    let Verdict::Violation(explanation) = check(&story.history, &story.model, 100_000).verdict else {
        panic!("there is no order");
    };
    let told = explanation.render(&story.history);
    assert_eq!(
        told,
        "  process 1  put \"c\"  called #161  returned #162  ok\n  \
           process 1  put \"a\"  called #163  returned #164  ok\n  \
           process 3  get      called #165  returned #166  read \"c\"\n  \
           no order of these fits what they returned and when"
    );
}

#[test]
fn lost_writes_that_nobody_saw_cost_nothing() {
    // Sixty lost puts would double the work sixty times.
    let mut story = story().puts(1, "a").puts(1, "b").puts(1, "a");
    for process in 100..160 {
        story = story.put(process, "lost").cas(process + 100, "lost", "too");
    }
    story = story.reads(2, "a").reads(2, "b");
    assert_eq!(story.breaks_by_search().len(), 3);
}

/// A key on which so much overlaps that no search ends soon, and which has no order.
fn hard(history: &mut History, key: &str, processes: u64) {
    let at = VirtualTime::ZERO;
    for process in processes..processes + 24 {
        // Every subset holds another multiset of letters, so hardly two configurations are the same.
        let text = format!("{}", char::from(b'a' + u8::try_from(process - processes).unwrap()));
        history.call(process, key.into(), Action::Append(text.as_str().into()), at).unwrap();
    }
    let (asks, last) = (processes + 30, processes + 24);
    for process in processes..last {
        history.end(process, Outcome::Done, at).unwrap();
    }
    history.call(asks, key.into(), Action::Get, at).unwrap();
    history.end(asks, Outcome::Read(Some("nothing like it".into())), at).unwrap();
}

#[test]
fn a_search_that_runs_out_of_steps_says_so_and_names_the_keys() {
    let mut history = History::default();
    hard(&mut history, "x", 0);
    hard(&mut history, "y", 100);
    let checked = check_by_search(&history, &Model::kv(), 50_000);
    let Verdict::Undecided { steps, keys } = checked.verdict else { panic!("{:?}", checked.verdict) };
    assert_eq!(keys, ["x".into(), "y".into()]);
    assert!((50_000..60_000).contains(&steps), "{steps}");
    assert_eq!((checked.parts, checked.searched, checked.steps), (2, 2, steps));
    // For the zones this is easy.
    assert!(matches!(check(&history, &Model::kv(), 50_000).verdict, Verdict::Violation(_)));
}

#[test]
fn a_hard_key_does_not_keep_an_easy_one_from_showing_what_is_wrong() {
    let mut history = History::default();
    hard(&mut history, "a", 0);
    let at = VirtualTime::ZERO;
    history.call(200, "z".into(), Action::Get, at).unwrap();
    history.end(200, Outcome::Read(Some("never".into())), at).unwrap();
    let checked = check_by_search(&history, &Model::kv(), 50_000);
    let Verdict::Violation(explanation) = checked.verdict else { panic!("{:?}", checked.verdict) };
    assert_eq!(explanation.key, Some("z".into()));
    assert!(checked.steps < 10_000, "{}", checked.steps);
}

/// One after another, and every one makes a longer value: the states take the square of their bytes.
#[test]
fn what_the_states_of_long_values_take_is_bounded_along_with_the_steps() {
    let appends = |bytes: usize| {
        let mut story = story();
        for _ in 0..1_000 {
            story = story.append(1, &"x".repeat(bytes)).ok(1);
        }
        check_by_search(&story.reads(2, "nothing like it").history, &Model::kv(), 50_000)
    };
    assert!(matches!(appends(1).verdict, Verdict::Violation(_)));
    // 500 MB, if they were all made.
    let checked = appends(1_000);
    let Verdict::Undecided { steps, .. } = checked.verdict else { panic!("{:?}", checked.verdict) };
    assert!((50_000..60_000).contains(&steps), "{steps}");
}

#[test]
fn the_same_history_takes_the_same_steps() {
    let mut history = History::default();
    hard(&mut history, "a", 0);
    let steps = |budget| check_by_search(&history, &Model::kv(), budget);
    assert_eq!(steps(12_345), steps(12_345));
    assert_ne!(steps(12_345).steps, steps(54_321).steps);
}

#[test]
fn a_register_is_one_cell_whatever_the_keys_say() {
    let mut history = History::default();
    let at = VirtualTime::ZERO;
    history.call(1, "x".into(), Action::Put("a".into()), at).unwrap();
    history.end(1, Outcome::Done, at).unwrap();
    history.call(1, "y".into(), Action::Get, at).unwrap();
    history.end(1, Outcome::Read(Some("a".into())), at).unwrap();
    assert_eq!(check(&history, &Model::register(), 100).verdict, Verdict::Linearizable);
    assert!(matches!(check(&history, &Model::kv(), 100).verdict, Verdict::Violation(_)));
    assert_eq!(check(&History::default(), &Model::register(), 100).verdict, Verdict::Linearizable);
}
