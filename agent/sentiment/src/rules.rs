//! The valence of a word where it stands: that of the lexicon, changed by up to three words before it, and by phrases.
//!
//! Names and order of the steps are the reference's, since the order of sums and products decides the last digit.

use crate::role::{BOOST, Role};
use crate::words::{Word, Words};

/// What capitals add to a word among others that have none.
const CAPITALS: f64 = 0.733;

/// What a negation makes of a valence.
const NEGATED: f64 = -0.74;

/// What "never so" and "never this" make of a valence: no negation, but emphasis.
const NEVER_SO: f64 = 1.25;

/// How much of a boost is left by the distance of the word that gives it.
const BY_DISTANCE: [f64; 3] = [1.0, 0.95, 0.9];

/// The valence of the word at a place.
pub(crate) fn valence(words: &Words, at: usize) -> f64 {
    let word = &words[at];
    let Some(own) = word.valence() else { return 0.0 };
    let role = |back: usize| if back <= at { words[at - back].role } else { Role::None };
    let next = words.get(at + 1);
    if word.role.boost().is_some()
        || (word.role == Role::Kind && next.is_some_and(|next| next.role == Role::Of))
    {
        return 0.0;
    }
    let mut valence = own;
    // "no" says no to what follows it if that has a valence, and has one of its own if not.
    if word.role == Role::No && next.is_some_and(Word::has_valence) {
        valence = 0.0;
    }
    if role(1) == Role::No
        || role(2) == Role::No
        || (role(3) == Role::No && matches!(role(1), Role::Or | Role::Nor))
    {
        valence = own * NEGATED;
    }
    if word.capitals && words.capitals_differ {
        valence += if valence > 0.0 { CAPITALS } else { -CAPITALS };
    }
    for back in 1..=at.min(3) {
        let before = &words[at - back];
        if before.has_valence() {
            continue;
        }
        valence += boost(before, valence, words.capitals_differ) * BY_DISTANCE[back - 1];
        valence *= negation([role(1), role(2), role(3)], back);
        if back == 3 {
            valence = special_phrase(words, at).unwrap_or(valence);
            // Of "just enough", "kind of" and "sort of", where the word is the second or third behind them.
            valence += hedge(role(3), role(2));
            valence += hedge(role(2), role(1));
        }
    }
    if role(1) == Role::Least && !(at > 1 && matches!(role(2), Role::At | Role::Very)) {
        valence *= NEGATED;
    }
    valence
}

/// What a word before adds to a valence.
fn boost(before: &Word, valence: f64, capitals_differ: bool) -> f64 {
    let Some(mut boost) = before.role.boost() else { return 0.0 };
    if valence < 0.0 {
        boost = -boost;
    }
    if before.capitals && capitals_differ {
        boost += if valence > 0.0 { CAPITALS } else { -CAPITALS };
    }
    boost
}

/// What the word `back` words before does to a valence if it negates, given the three words before, nearest first.
fn negation(before: [Role; 3], back: usize) -> f64 {
    let so = |role| matches!(role, Role::So | Role::This);
    let [first, second, _] = before;
    match (back, before[back - 1]) {
        (2, Role::Never) if so(first) => NEVER_SO,
        // That "so" right before the word is emphasis without any "never" three words before is the reference's.
        (3, _) if so(first) => NEVER_SO,
        (3, Role::Never) if so(second) => NEVER_SO,
        (2, Role::Without) if first == Role::Doubt => 1.0,
        (3, Role::Without) if second == Role::Doubt || first == Role::Doubt => 1.0,
        (_, role) if role.negates() => NEGATED,
        _ => 1.0,
    }
}

/// The valence of a phrase that the word is in, or that ends right before it. Only asked for words with three before.
fn special_phrase(words: &Words, at: usize) -> Option<f64> {
    let role = |place: usize| words.get(place).map_or(Role::None, |word| word.role);
    let [third, second, first, own] = [role(at - 3), role(at - 2), role(at - 1), role(at)];
    let [next, after] = [role(at + 1), role(at + 2)];
    three(own, next, after)
        .or_else(|| two(own, next))
        .or_else(|| two(first, own))
        .or_else(|| three(second, first, own))
        .or_else(|| two(second, first))
        .or_else(|| three(third, second, first))
        .or_else(|| two(third, second))
}

fn two(first: Role, second: Role) -> Option<f64> {
    Some(match (first, second) {
        (Role::The, Role::Shit | Role::Bomb) => 3.0,
        (Role::Bad, Role::Ass) => 1.5,
        (Role::Bus, Role::Stop) => 0.0,
        (Role::Yeah, Role::Right) => -2.0,
        (Role::Beating, Role::Heart) => 3.5,
        _ => return None,
    })
}

fn three(first: Role, second: Role, third: Role) -> Option<f64> {
    match (first, second, third) {
        (Role::Kiss, Role::Of, Role::Death) => Some(-1.5),
        (Role::To, Role::Die, Role::For) => Some(3.0),
        _ => None,
    }
}

fn hedge(first: Role, second: Role) -> f64 {
    match (first, second) {
        (Role::Kind | Role::Sort, Role::Of) | (Role::Just, Role::Enough) => -BOOST,
        _ => 0.0,
    }
}
