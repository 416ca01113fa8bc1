//! What a capsule says, what becomes of it, and what is no capsule.

use super::{Answer, Capsule, Story};
use crate::chain::Chain;
use crate::execute::{Limits, run};
use crate::scenario::{Expect, Scenario};
use crate::violation::Property;

/// Figure 8's mistake, by hand: short enough to be looked at.
const STORY: &str = r#"{ "name": "two_votes", "nodes": 3, "seed": 5, "mutation": "vote_not_persisted",
    "steps": [{ "campaign": 0 }, { "sleep": "30ms" }, { "propose": "x" }, { "sleep": "100ms" }] }"#;

fn capsule_of(text: &str) -> Capsule {
    let scenario = Scenario::parse("a test", text).expect("it can be read");
    let limits = Limits::default();
    let (outcome, ()) = run(&scenario, scenario.seed.0, limits, ()).expect("the build has the bug");
    Capsule::of(&scenario, &outcome, limits).expect("the build has the bug").expect("it fails")
}

fn capsule() -> Capsule {
    capsule_of(STORY)
}

fn answer(capsule: &Capsule) -> Answer {
    capsule.replay().expect("the build has the bug").answer
}

/// The document with something else in the place of something.
fn with(old: &str, new: &str) -> String {
    let text = capsule().to_json();
    assert!(text.contains(old), "{old} is not in {text}");
    text.replacen(old, new, 1)
}

#[test]
fn a_capsule_is_read_as_it_was_written() {
    let mut capsule = capsule();
    assert_eq!(Capsule::parse(&capsule.to_json()), Ok(capsule.clone()));
    assert_eq!(capsule.shrink(), Ok(true));
    assert_eq!(Capsule::parse(&capsule.to_json()), Ok(capsule.clone()));
    assert!(Capsule::is_meant_by(&capsule.to_json()));
    assert!(!Capsule::is_meant_by(STORY));
    assert!(capsule.file_name().starts_with("durable_vote-"));
}

#[test]
fn a_capsule_tells_what_happened_and_what_broke() {
    let capsule = capsule();
    assert_eq!(capsule.violation.property, Property::DurableVote);
    assert_eq!(capsule.signature, capsule.violation.signature());
    assert_eq!(capsule.schedule.len() as u64, capsule.size.events());
    let told: Vec<String> = (1..=capsule.schedule.len()).filter_map(|n| capsule.schedule.told(n)).collect();
    assert!(told[0].contains("campaign"), "{told:?}");
    assert!(told[1].contains("deliver 0>") && told[1].contains("RequestVote term 1 number 0"), "{told:?}");
}

#[test]
fn the_same_build_has_the_run_again() {
    assert_eq!(answer(&capsule()), Answer::Reproduced);
}

#[test]
fn a_capsule_of_another_build_is_followed_by_its_schedule() {
    let mut capsule = capsule();
    capsule.sim_version -= 1;
    assert_eq!(answer(&capsule), Answer::StillFails);
    // As if the mistake had been mended since.
    capsule.scenario.mutation = None;
    assert_eq!(answer(&capsule), Answer::Fixed);
}

#[test]
fn a_schedule_that_cannot_be_followed_says_from_where_on() {
    let mut capsule = capsule();
    capsule.scenario.mutation = None;
    capsule.sim_version -= 1;
    // Nobody stands for election, so nobody asks for votes.
    let text = capsule.to_json();
    let campaign = capsule.schedule.told(1).expect("it is the first event").replace('"', "\\\"");
    let less = text.replacen(&format!("\"{campaign}\","), "", 1);
    assert_ne!(less, text);
    let capsule = Capsule::parse(&less).expect("it is a capsule");
    let Answer::NotPossible { event: 1, what } = answer(&capsule) else { panic!("{:?}", answer(&capsule)) };
    assert!(what.contains("RequestVote"), "{what}");
}

#[test]
fn a_run_that_is_another_one_names_the_first_event_that_differs() {
    let mut capsule = capsule();
    let digit = capsule.digest.digest ^ 1;
    capsule.digest.digest = digit;
    let Answer::Differs { event: None, .. } = answer(&capsule) else { panic!("{:?}", answer(&capsule)) };
    let told = capsule.schedule.told(2).expect("there are more");
    let text = capsule.to_json().replacen(&told, &told.replace("number 0", "number 7"), 1);
    let capsule = Capsule::parse(&text).expect("it is a capsule");
    let Answer::Differs { event: Some((2, there, here)), .. } = answer(&capsule) else {
        panic!("{:?}", answer(&capsule))
    };
    assert!(there.ends_with("number 7") && here.ends_with("number 0"), "{there}\n{here}");
}

#[test]
fn what_breaks_in_another_way_is_not_called_fixed() {
    let mut capsule = capsule();
    capsule.sim_version -= 1;
    // As if another oracle saw it now, or another mistake had come in the place of the first.
    capsule.violation.property = Property::ElectionSafety;
    capsule.violation.what = "0 leads term 7 with the votes of 0 of 3 voters only (none)".to_string();
    capsule.signature = capsule.violation.signature();
    match answer(&capsule) {
        Answer::FailsOtherwise { violation } => assert_eq!(violation.property, Property::DurableVote),
        other => panic!("{other:?}"),
    }
    capsule.scenario.mutation = None;
    assert_eq!(answer(&capsule), Answer::Fixed);
}

#[test]
fn what_a_file_demands_hangs_on_its_run_unless_that_is_what_broke() {
    let text =
        r#"{ "name": "demands", "nodes": 3, "steps": [{ "sleep": "1s" }, { "assert": { "up": 2 } }] }"#;
    let mut capsule = capsule_of(text);
    assert_eq!(capsule.violation.property, Property::Expectation);
    capsule.sim_version -= 1;
    assert_eq!(answer(&capsule), Answer::StillFails);
    capsule.violation.what = "the file demanded something else".to_string();
    capsule.signature = capsule.violation.signature();
    assert!(matches!(answer(&capsule), Answer::FailsOtherwise { .. }), "{:?}", answer(&capsule));
    capsule.violation.property = Property::DurableVote;
    capsule.signature = capsule.violation.signature();
    assert_eq!(answer(&capsule), Answer::Fixed);
}

/// A capsule that outlives the rule by which signatures are made.
#[test]
fn the_signature_of_a_capsule_of_another_build_is_made_anew() {
    let mut capsule = capsule();
    let own = capsule.signature.clone();
    capsule.violation.what.push_str(" and more");
    assert!(Capsule::parse(&capsule.to_json()).is_err(), "this build makes another one");
    capsule.sim_version -= 1;
    let read = Capsule::parse(&capsule.to_json()).expect("it is of another build");
    assert_eq!(read.signature, capsule.violation.signature());
    assert_ne!(read.signature, own);
}

#[test]
fn a_story_that_is_another_one_is_told_though_the_run_is_had_again() {
    let mut capsule = capsule();
    assert_eq!(capsule.shrink(), Ok(true));
    assert_eq!(answer(&capsule), Answer::Reproduced);
    let story = capsule.story.as_mut().expect("it was just found");
    story.digest.digest ^= 1;
    assert!(matches!(answer(&capsule), Answer::StoryDiffers { .. }), "{:?}", answer(&capsule));
}

#[test]
fn a_story_of_another_failure_is_none_of_the_capsule() {
    let mut capsule = capsule();
    assert_eq!(capsule.shrink(), Ok(true));
    let refused = |change: fn(&mut Story), told: &str| {
        let mut other = capsule.clone();
        change(other.story.as_mut().expect("it was just found"));
        let error = Capsule::parse(&other.to_json()).expect_err("its story is of something else").to_string();
        assert!(error.contains(told), "{told}: {error}");
    };
    refused(|story| story.scenario.mutation = None, "has no bug planted, expected vote_not_persisted");
    refused(|story| story.scenario.expect = Expect::Pass, "another end than a violation of durable_vote");
    refused(|story| story.violation.what.push_str(" and more"), "breaks in another way (durable_vote: ");
    // One that says what it should, and does nothing of the kind.
    let mut other = capsule.clone();
    let story = other.story.as_mut().expect("it was just found");
    story.scenario.steps.clear();
    let (outcome, ()) =
        run(&story.scenario, story.scenario.seed.0, capsule.limits(), ()).expect("the build has the bug");
    story.digest = Chain::of(&outcome);
    let read = Capsule::parse(&other.to_json()).expect("it says nothing that it must not");
    assert_eq!(answer(&read), Answer::OtherViolation);
}

#[test]
fn what_breaks_while_the_cluster_is_asked_to_live_is_followed_too() {
    // The command that the end proposes is what breaks it, and stands in the schedule.
    let mut capsule = capsule_of(
        r#"{ "name": "end", "nodes": 3, "mutation": "append_answered_before_durable",
        "steps": [{ "sleep": "1s" }], "end": { "live": { "core": "all" } } }"#,
    );
    let told: Vec<String> = (1..=capsule.schedule.len()).filter_map(|n| capsule.schedule.told(n)).collect();
    assert!(told.iter().any(|event| event.contains("seaworthy probe")), "{told:?}");
    capsule.sim_version -= 1;
    assert_eq!(answer(&capsule), Answer::StillFails);
}

#[test]
fn who_does_not_live_is_followed_to_the_end_and_asked_again() {
    let mut capsule = capsule_of(
        r#"{ "name": "dead", "nodes": 3, "mutation": "equal_log_refused",
        "steps": [{ "crash": 0 }, { "sleep": "300ms" }], "end": { "live": { "core": "all" } } }"#,
    );
    assert_eq!(capsule.violation.property, Property::Convergence);
    assert!(capsule.schedule.told(1).is_some_and(|told| told.contains("crash")), "{:?}", capsule.schedule);
    capsule.sim_version -= 1;
    assert_eq!(answer(&capsule), Answer::StillFails);
    capsule.scenario.mutation = None;
    assert_eq!(answer(&capsule), Answer::Fixed);
}

#[test]
fn what_is_no_capsule_says_why() {
    for (text, told) in [
        (String::new(), "EOF"),
        (
            with("\"events_max\": 50000000", "\"events_max\": 0"),
            "its `events_max` is 0, expected 1 to 1000000000000",
        ),
        ("[]".to_string(), "invalid length 0"),
        (
            "{ \"capsule_version\": \"1\" }".to_string(),
            "its `capsule_version` is \"1\", expected the number 1",
        ),
        ("{ \"capsule_version\": -1 }".to_string(), "it has version -1, expected 1"),
        (with("\"capsule_version\": 1", "\"capsule_version\": 2"), "it has version 2, expected 1"),
        (with("\"seed\": ", "\"sede\": "), "unknown field `sede`"),
        (with("\"nodes\": 3", "\"nodes\": 0"), "in its `scenario`"),
        (with("deliver 0>", "deliver 9>"), "in its `schedule`"),
        (with("deliver 0>", "deliver 0-"), "is no event: expected `1500ns deliver"),
        (with("RequestVote term", "RequestVoter term"), "is no event"),
        (with("\"property\": \"durable_vote\"", "\"property\": \"durable_vot\""), "durable_vot"),
        (with("ns deliver", "ms deliver"), "is no event"),
    ] {
        let error = Capsule::parse(&text).expect_err("it is none").to_string();
        assert!(error.starts_with("this is no capsule: "), "{error}");
        assert!(error.contains(told), "{told}: {error}");
    }
}
