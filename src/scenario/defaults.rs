//! What fields are when a file does not say: the values that more than one of them shares, and whether one is it.

use crate::scenario::step::WITHIN_DEFAULT;
use crate::scenario::target::Target;
use sim_core::Span;

pub(super) fn leader() -> Target {
    Target::Leader
}

pub(super) fn is_leader(target: &Target) -> bool {
    *target == Target::Leader
}

pub(super) const fn yes() -> bool {
    true
}

pub(super) const fn is_yes(flag: &bool) -> bool {
    *flag
}

pub(super) const fn one() -> u32 {
    1
}

pub(super) const fn is_one(number: &u32) -> bool {
    *number == 1
}

pub(super) fn within_default() -> Span {
    WITHIN_DEFAULT
}

pub(super) fn is_within_default(within: &Span) -> bool {
    *within == WITHIN_DEFAULT
}
