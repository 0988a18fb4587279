//! What a message is about, to be found without looking through its AVPs.

use super::{avp, names};
use crate::{ParseError, Reader};

/// Names and codes of AVPs that are texts.
const TEXTS: [(&str, u32); 6] = [
    ("sessionId", 263),
    ("originHost", 264),
    ("originRealm", 296),
    ("destinationHost", 293),
    ("destinationRealm", 283),
    ("userName", 1),
];
const RESULT: u32 = 268;
/// Of a vendor: the code is in a group with the vendor.
const EXPERIMENTAL_RESULT: u32 = 297;
const EXPERIMENTAL_RESULT_CODE: u32 = 298;

/// What an AVP tells.
pub(super) enum Telling {
    /// Which of the texts, and where the AVP begins.
    Text(usize, usize),
    Result(u32, Option<&'static str>),
}

/// Goes through the AVPs that the reader is at.
pub(super) fn each(mut r: Reader<'_>, mut tell: impl FnMut(Telling)) -> Result<(), ParseError> {
    while !r.is_empty() {
        let place = r.position();
        let found = avp::next(&mut r)?;
        match found.code {
            _ if found.vendor != 0 => {}
            RESULT => result(found.data, names::result_name, &mut tell),
            EXPERIMENTAL_RESULT => {
                let mut inside = Reader::new(found.data);
                while let Ok(part) = avp::next(&mut inside) {
                    if (part.vendor, part.code) == (0, EXPERIMENTAL_RESULT_CODE) {
                        result(part.data, names::experimental_result_name, &mut tell);
                    }
                }
            }
            code => {
                if let Some(text) = TEXTS.iter().position(|(_, known)| *known == code) {
                    tell(Telling::Text(text, place));
                }
            }
        }
    }
    Ok(())
}

fn result(data: &[u8], name: fn(u32) -> Option<&'static str>, tell: &mut impl FnMut(Telling)) {
    if let Ok(code) = Reader::new(data).u32_be() {
        tell(Telling::Result(code, name(code)));
    }
}

/// Visits the fields that are told, each once, in the order in which they come first.
pub(super) fn names<'a>(r: Reader<'_>, visit: &mut dyn FnMut(&'a str)) {
    let mut seen = [""; TEXTS.len() + 2];
    let mut count = 0;
    let mut see = |name| {
        if !seen.contains(&name)
            && let Some(place) = seen.get_mut(count)
        {
            *place = name;
            count += 1;
            visit(name);
        }
    };
    // What came before an error counts.
    let _ = each(r, |telling| match telling {
        Telling::Text(text, _) => see(TEXTS[text].0),
        Telling::Result(_, name) => {
            see("resultCode");
            if name.is_some() {
                see("resultCodeName");
            }
        }
    });
}

/// The last that was told of each.
#[derive(Default, Debug)]
pub(super) struct Told {
    /// Where the AVPs of the texts begin; 0 where there is none.
    places: [usize; TEXTS.len()],
    pub(super) result: Option<u32>,
    pub(super) result_name: Option<&'static str>,
}

impl Told {
    pub(super) fn note(&mut self, telling: &Telling) {
        match *telling {
            Telling::Text(text, place) => self.places[text] = place,
            Telling::Result(code, name) => {
                self.result = Some(code);
                self.result_name = name.or(self.result_name);
            }
        }
    }

    /// Where the AVP of a text begins.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        let text = TEXTS.iter().position(|(known, _)| *known == name)?;
        Some(self.places[text]).filter(|place| *place != 0)
    }
}
