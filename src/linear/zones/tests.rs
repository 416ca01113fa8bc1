//! What the zones decide, what they leave alone, and what they say.

use crate::linear::testing::story;

#[test]
fn overlapping_gets_may_see_old_and_new_in_this_order() {
    let story = story().puts(1, "a").put(1, "b");
    story.clone().reads(2, "a").reads(2, "b").ok(1).holds();
    let (calls, why) = story.reads(2, "b").reads(2, "a").ok(1).breaks();
    assert_eq!(calls, [1, 3, 4, 6]);
    let forced = "(#1 returned before #4 was called), and after it (#4 returned before #6 was called)";
    assert_eq!(why, format!("\"a\" must come before \"b\" {forced}"));
}

#[test]
fn a_stale_get_breaks_it_and_one_that_was_called_in_time_does_not() {
    let (calls, _) = story().puts(1, "a").puts(1, "b").reads(2, "a").breaks();
    assert_eq!(calls, [1, 3, 5]);
    story().puts(1, "a").get(2).puts(1, "b").read(2, "a").holds();
}

#[test]
fn the_beginning_comes_first() {
    story().reads(1, "-").puts(1, "a").holds();
    let (calls, why) = story().puts(1, "a").reads(1, "-").breaks();
    assert_eq!(calls, [1, 3]);
    assert!(why.contains("it was there first"), "{why}");
    story().starting_with("0").reads(1, "0").puts(1, "a").holds();
    story().starting_with("0").puts(1, "a").reads(1, "0").breaks();
    story().starting_with("0").reads(1, "-").breaks();
}

#[test]
fn a_value_that_nobody_wrote_breaks_it_alone() {
    let (calls, why) = story().puts(1, "a").reads(1, "b").breaks();
    assert_eq!(calls, [3]);
    assert_eq!(why, "#3 found \"b\", which the key can never have held");
    story().put(1, "a").failed(1).reads(1, "a").breaks();
}

#[test]
fn a_get_that_returns_before_the_put_is_called_breaks_it() {
    let (calls, why) = story().reads(1, "a").puts(2, "a").breaks();
    assert_eq!(calls, [1, 3]);
    assert_eq!(why, "#1 saw the value of #3 and returned before #3 was called");
    story().get(1).put(2, "a").read(1, "a").ok(2).holds();
}

#[test]
fn a_lost_put_may_take_effect_late_or_never_but_not_twice() {
    let story = story().put(9, "late").puts(1, "a");
    story.clone().reads(1, "a").holds();
    story.clone().reads(1, "a").reads(1, "late").holds();
    story.reads(1, "a").reads(1, "late").reads(1, "a").breaks();
}

#[test]
fn cas_makes_chains() {
    let chain = story().puts(1, "a").cas(1, "a", "b").ok(1).cas(2, "b", "c").ok(2);
    chain.clone().reads(1, "c").holds();
    let (calls, _) = chain.reads(1, "b").breaks();
    assert_eq!(calls, [1, 3, 5, 7], "with all that the values come from");
    let (calls, why) = story().puts(1, "a").cas(1, "a", "b").cas(2, "a", "c").ok(1).ok(2).breaks();
    assert_eq!(calls, [1, 3, 4]);
    assert_eq!(why, "#3 and #4 both replaced the value of #1, which can be replaced once");
    let (_, why) = story().cas(1, "a", "b").cas(2, "b", "a").ok(1).ok(2).breaks();
    assert_eq!(why, "each of these needs a value that only another of them can have made");
}

#[test]
fn a_put_may_not_come_between_the_two_values_of_a_cas() {
    // The put of c is over before the cas begins and begins after a is there.
    let story = story().puts(1, "a").puts(2, "c").cas(1, "a", "b").ok(1);
    story.breaks();
}

#[test]
fn a_failed_cas_is_a_get() {
    story().puts(1, "a").cas(1, "z", "b").saw(1, "a").holds();
    story().puts(1, "a").puts(1, "c").cas(1, "z", "b").saw(1, "a").breaks();
    let (calls, why) = story().puts(1, "a").cas(1, "a", "b").saw(1, "a").breaks();
    assert_eq!((calls, why.as_str()), (vec![3], "#3 failed, though it saw what it expected"));
}

#[test]
fn a_lost_cas_counts_only_if_somebody_observed_it_or_what_came_of_it() {
    let story = story().puts(1, "a").cas(8, "a", "b").cas(9, "b", "c");
    story.clone().reads(1, "a").holds();
    story.clone().reads(1, "c").holds();
    // If c was there, so was b before, and a before that.
    story.reads(1, "c").reads(1, "a").breaks();
}

#[test]
fn appends_stand_where_gets_say() {
    let story = story().append(1, "p,").append(2, "q,").ok(1).ok(2);
    story.clone().reads(1, "q,p,").holds();
    story.clone().appends(1, "r,").reads(1, "p,q,r,").holds();
    let (calls, why) = story.clone().get(1).get(2).read(1, "p,q,").read(2, "q,p,").breaks();
    assert_eq!(calls, [1, 2, 5, 6]);
    assert!(why.contains("tell of different values right before"), "{why}");
    story.clone().appends(1, "r,").reads(1, "p,r,").breaks();
    story.clone().appends(1, "r,").reads(1, "r,p,q,").breaks();
    story.puts(1, "new,").appends(1, "r,").reads(1, "new,r,").holds();
}

#[test]
fn an_append_that_nobody_saw_may_stand_before_any_put() {
    story().append(1, "p,").append(2, "q,").ok(1).ok(2).put(1, "a,").reads(2, "a,").ok(1).holds();
    story().appends(1, "p,").puts(1, "a,").reads(1, "a,").holds();
    story().puts(1, "a,").appends(1, "p,").reads(1, "a,").breaks();
}

#[test]
fn values_that_were_written_twice_are_left_alone_unless_nobody_saw_them() {
    story().puts(1, "a").puts(1, "b").puts(1, "a").reads(1, "a").holds_after_search();
    story().puts(1, "a").puts(1, "b").puts(1, "a").puts(1, "c").reads(1, "c").holds();
    story().puts(1, "a").delete(1).ok(1).reads(1, "-").holds_after_search();
    story().starting_with("0").puts(1, "a").delete(1).ok(1).reads(1, "-").holds();
    // What is impossible however the doubt is settled is still said.
    story().puts(1, "a").puts(1, "a").reads(1, "a").reads(1, "b").breaks();
}

#[test]
fn appends_that_can_be_taken_apart_in_several_ways_are_left_alone() {
    story().appends(1, "a").appends(1, "aa").reads(1, "aaa").holds_after_search();
    story().appends(1, "").reads(1, "").holds_after_search();
}
