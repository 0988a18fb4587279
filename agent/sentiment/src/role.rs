//! What a word does to the words around it.

use crate::hash::hash;

/// A word that a rule asks for. The ones with a name of their own do what only they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    None,
    Amplifier,
    Dampener,
    Negation,
    Ass,
    At,
    Bad,
    Beating,
    Bomb,
    Bus,
    But,
    Death,
    Die,
    Doubt,
    Enough,
    For,
    Heart,
    Just,
    Kind,
    Kiss,
    Least,
    Never,
    No,
    Nor,
    Of,
    Or,
    Right,
    Shit,
    So,
    Sort,
    Stop,
    The,
    This,
    To,
    Very,
    Without,
    Yeah,
}

/// How much a word like "very" or "hardly" adds to, or takes from, what comes behind it.
pub(crate) const BOOST: f64 = 0.293;

impl Role {
    /// By how much the word alone intensifies what comes behind it.
    pub(crate) fn boost(self) -> Option<f64> {
        match self {
            Role::Amplifier | Role::So | Role::Very => Some(BOOST),
            Role::Dampener => Some(-BOOST),
            _ => None,
        }
    }

    pub(crate) fn negates(self) -> bool {
        matches!(self, Role::Negation | Role::Never | Role::Nor | Role::Without)
    }

    /// The role of a word in small letters, by the word and its hash. That "n't" within a word negates is not in here.
    pub(crate) fn of(word: &[u8], hash: u32) -> Role {
        let mut place = hash as usize % PLACES;
        while let Some(at) = INDEX[place].checked_sub(1) {
            let (other, role) = ROLES[at as usize];
            if other.as_bytes() == word {
                return role;
            }
            place = (place + 1) % PLACES;
        }
        Role::None
    }
}

const COUNT: usize = 146;

const PLACES: usize = 1 << 10;

/// Where a word is in `ROLES`, plus one, in the first free place from that of its hash on. 0 is a free place.
static INDEX: [u8; PLACES] = {
    assert!(COUNT < u8::MAX as usize);
    let mut index = [0; PLACES];
    let mut at = 0;
    while at < COUNT {
        let mut place = hash(ROLES[at].0.as_bytes()) as usize % PLACES;
        while index[place] != 0 {
            place = (place + 1) % PLACES;
        }
        at += 1;
        index[place] = at as u8;
    }
    index
};

static ROLES: [(&str, Role); COUNT] = [
    ("absolutely", Role::Amplifier),
    ("aint", Role::Negation),
    ("almost", Role::Dampener),
    ("amazingly", Role::Amplifier),
    ("arent", Role::Negation),
    ("ass", Role::Ass),
    ("at", Role::At),
    ("awfully", Role::Amplifier),
    ("bad", Role::Bad),
    ("barely", Role::Dampener),
    ("beating", Role::Beating),
    ("bomb", Role::Bomb),
    ("bus", Role::Bus),
    ("but", Role::But),
    ("cannot", Role::Negation),
    ("cant", Role::Negation),
    ("completely", Role::Amplifier),
    ("considerable", Role::Amplifier),
    ("considerably", Role::Amplifier),
    ("couldnt", Role::Negation),
    ("darent", Role::Negation),
    ("death", Role::Death),
    ("decidedly", Role::Amplifier),
    ("deeply", Role::Amplifier),
    ("despite", Role::Negation),
    ("didnt", Role::Negation),
    ("die", Role::Die),
    ("doesnt", Role::Negation),
    ("dont", Role::Negation),
    ("doubt", Role::Doubt),
    ("effing", Role::Amplifier),
    ("enormous", Role::Amplifier),
    ("enormously", Role::Amplifier),
    ("enough", Role::Enough),
    ("entirely", Role::Amplifier),
    ("especially", Role::Amplifier),
    ("exceptional", Role::Amplifier),
    ("exceptionally", Role::Amplifier),
    ("extreme", Role::Amplifier),
    ("extremely", Role::Amplifier),
    ("fabulously", Role::Amplifier),
    ("flippin", Role::Amplifier),
    ("flipping", Role::Amplifier),
    ("for", Role::For),
    ("frackin", Role::Amplifier),
    ("fracking", Role::Amplifier),
    ("frickin", Role::Amplifier),
    ("fricking", Role::Amplifier),
    ("friggin", Role::Amplifier),
    ("frigging", Role::Amplifier),
    ("fuckin", Role::Amplifier),
    ("fucking", Role::Amplifier),
    ("fuggin", Role::Amplifier),
    ("fugging", Role::Amplifier),
    ("fully", Role::Amplifier),
    ("greatly", Role::Amplifier),
    ("hadnt", Role::Negation),
    ("hardly", Role::Dampener),
    ("hasnt", Role::Negation),
    ("havent", Role::Negation),
    ("heart", Role::Heart),
    ("hella", Role::Amplifier),
    ("highly", Role::Amplifier),
    ("hugely", Role::Amplifier),
    ("incredible", Role::Amplifier),
    ("incredibly", Role::Amplifier),
    ("intensely", Role::Amplifier),
    ("isnt", Role::Negation),
    ("just", Role::Just),
    ("kind", Role::Kind),
    ("kind-of", Role::Dampener),
    ("kinda", Role::Dampener),
    ("kindof", Role::Dampener),
    ("kiss", Role::Kiss),
    ("least", Role::Least),
    ("less", Role::Dampener),
    ("little", Role::Dampener),
    ("major", Role::Amplifier),
    ("majorly", Role::Amplifier),
    ("marginal", Role::Dampener),
    ("marginally", Role::Dampener),
    ("mightnt", Role::Negation),
    ("more", Role::Amplifier),
    ("most", Role::Amplifier),
    ("mustnt", Role::Negation),
    ("neednt", Role::Negation),
    ("neither", Role::Negation),
    ("never", Role::Never),
    ("no", Role::No),
    ("none", Role::Negation),
    ("nope", Role::Negation),
    ("nor", Role::Nor),
    ("not", Role::Negation),
    ("nothing", Role::Negation),
    ("nowhere", Role::Negation),
    ("occasional", Role::Dampener),
    ("occasionally", Role::Dampener),
    ("of", Role::Of),
    ("or", Role::Or),
    ("oughtnt", Role::Negation),
    ("particularly", Role::Amplifier),
    ("partly", Role::Dampener),
    ("purely", Role::Amplifier),
    ("quite", Role::Amplifier),
    ("rarely", Role::Negation),
    ("really", Role::Amplifier),
    ("remarkably", Role::Amplifier),
    ("right", Role::Right),
    ("scarce", Role::Dampener),
    ("scarcely", Role::Dampener),
    ("seldom", Role::Negation),
    ("shant", Role::Negation),
    ("shit", Role::Shit),
    ("shouldnt", Role::Negation),
    ("slight", Role::Dampener),
    ("slightly", Role::Dampener),
    ("so", Role::So),
    ("somewhat", Role::Dampener),
    ("sort", Role::Sort),
    ("sort-of", Role::Dampener),
    ("sorta", Role::Dampener),
    ("sortof", Role::Dampener),
    ("stop", Role::Stop),
    ("substantially", Role::Amplifier),
    ("the", Role::The),
    ("this", Role::This),
    ("thoroughly", Role::Amplifier),
    ("to", Role::To),
    ("total", Role::Amplifier),
    ("totally", Role::Amplifier),
    ("tremendous", Role::Amplifier),
    ("tremendously", Role::Amplifier),
    ("uber", Role::Amplifier),
    ("uh-uh", Role::Negation),
    ("uhuh", Role::Negation),
    ("unbelievably", Role::Amplifier),
    ("unusually", Role::Amplifier),
    ("utter", Role::Amplifier),
    ("utterly", Role::Amplifier),
    ("very", Role::Very),
    ("wasnt", Role::Negation),
    ("werent", Role::Negation),
    ("without", Role::Without),
    ("wont", Role::Negation),
    ("wouldnt", Role::Negation),
    ("yeah", Role::Yeah),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_with_its_role() {
        for (word, role) in ROLES {
            assert_eq!(Role::of(word.as_bytes(), hash(word.as_bytes())), role, "{word}");
        }
    }

    #[test]
    fn other_words_have_no_role() {
        for word in ["", "good", "verys", "ver", "Very", "very "] {
            assert_eq!(Role::of(word.as_bytes(), hash(word.as_bytes())), Role::None, "{word}");
        }
    }
}
