//! Messages as trees: with the names of a schema, else by field number and with guesses at the types.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::schema::{Field, Kind, MessageId, Schema};
use super::wire::{Raw, RawFields};
use crate::tree::{Fields, Tree};

/// Values of one message, nested ones included, for each entry that a list may have.
const VALUES_PER_ENTRY: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    /// Bytes shown of one value.
    pub(crate) value_bytes: usize,
    /// Entries of a repeated field.
    pub(crate) list_entries: usize,
    pub(crate) nesting: usize,
}

/// What is known of a message's type.
pub(crate) type Known<'s> = Option<(&'s Schema, MessageId)>;

/// The tree of a message, and whether a cap cut something off; `None` where it is no protobuf message.
pub(crate) fn decode(message: &[u8], known: Known<'_>, caps: Caps) -> Option<(Fields, bool)> {
    if !is_message(message) {
        return None;
    }
    let mut decoder =
        Decoder { caps, values: caps.list_entries.saturating_mul(VALUES_PER_ENTRY), cut: false };
    let fields = decoder.message(message, known, caps.nesting);
    Some((fields, decoder.cut))
}

/// Whether the bytes are fields from front to back. What is nested in them is not looked at.
fn is_message(bytes: &[u8]) -> bool {
    let mut fields = RawFields::new(bytes);
    fields.by_ref().for_each(drop);
    fields.is_whole()
}

struct Decoder {
    caps: Caps,
    /// Values that may still be made.
    values: usize,
    cut: bool,
}

/// What one field number has gathered.
enum Slot {
    One(Tree),
    List(Vec<Tree>),
    Map(Fields),
}

impl Decoder {
    fn message(&mut self, message: &[u8], known: Known<'_>, depth: usize) -> Fields {
        let mut slots: BTreeMap<u32, Slot> = BTreeMap::new();
        for (number, raw) in RawFields::new(message) {
            let field = known.and_then(|(schema, id)| Some((schema, schema.field(id, number)?)));
            match field {
                Some((schema, field)) => self.named(&mut slots, number, raw, schema, field, depth),
                None => {
                    if let Some(value) = self.guess(raw, depth) {
                        self.add(&mut slots, number, value, false);
                    }
                }
            }
        }
        let mut fields = Fields::with_capacity(slots.len());
        for (number, slot) in slots {
            let field = known.and_then(|(schema, id)| schema.field(id, number));
            let name = field.map_or_else(|| number.to_string(), |field| field.name.clone());
            fields.push(
                name,
                match slot {
                    Slot::One(value) => value,
                    Slot::List(values) => Tree::List(values),
                    Slot::Map(entries) => Tree::Fields(entries),
                },
            );
        }
        fields
    }

    /// A field that the schema has.
    fn named(
        &mut self,
        slots: &mut BTreeMap<u32, Slot>,
        number: u32,
        raw: Raw<'_>,
        schema: &Schema,
        field: &Field,
        depth: usize,
    ) {
        if let (Raw::Bytes(packed), true) = (raw, field.repeated && field.kind.may_be_packed()) {
            let mut rest = packed;
            while let Some((raw, after)) = field.kind.unpack(rest) {
                rest = after;
                let Some(value) = self.value(raw, schema, field.kind, depth) else { return };
                if !self.add(slots, number, value, true) {
                    return;
                }
            }
            return;
        }
        if let (Raw::Bytes(entry), Some([key, value])) = (raw, schema.map_entry(field.kind)) {
            self.entry(slots, number, entry, schema, [key, value], depth);
            return;
        }
        if let Some(value) = self.value(raw, schema, field.kind, depth) {
            self.add(slots, number, value, field.repeated);
        }
    }

    /// An entry of a map: a message with key and value.
    fn entry(
        &mut self,
        slots: &mut BTreeMap<u32, Slot>,
        number: u32,
        entry: &[u8],
        schema: &Schema,
        [key_kind, value_kind]: [Kind; 2],
        depth: usize,
    ) {
        let slot = slots.entry(number).or_insert_with(|| Slot::Map(Fields::new()));
        let Slot::Map(entries) = slot else { return };
        if entries.len() >= self.caps.list_entries {
            self.cut = true;
            return;
        }
        let (mut key, mut value) = (String::new(), Tree::Null);
        for (number, raw) in RawFields::new(entry) {
            match number {
                1 => match self.value(raw, schema, key_kind, depth) {
                    Some(Tree::Text(text)) => key = text.into_owned(),
                    Some(Tree::Int(number)) => key = number.to_string(),
                    Some(Tree::Bool(flag)) => key = flag.to_string(),
                    _ => {}
                },
                2 => value = self.value(raw, schema, value_kind, depth).unwrap_or_default(),
                _ => {}
            }
        }
        entries.push(key, value);
    }

    /// Appends a value; false where the list is full.
    fn add(&mut self, slots: &mut BTreeMap<u32, Slot>, number: u32, value: Tree, repeated: bool) -> bool {
        let slot = match slots.get_mut(&number) {
            None => {
                slots.insert(number, if repeated { Slot::List(vec![value]) } else { Slot::One(value) });
                return true;
            }
            Some(slot) => slot,
        };
        if let Slot::One(first) = slot {
            *slot = Slot::List(vec![std::mem::take(first)]);
        }
        match slot {
            Slot::List(values) if values.len() < self.caps.list_entries => values.push(value),
            _ => {
                self.cut = true;
                return false;
            }
        }
        true
    }

    /// Whether one more value may be made.
    const fn spend(&mut self) -> bool {
        match self.values.checked_sub(1) {
            Some(left) => {
                self.values = left;
                true
            }
            None => {
                self.cut = true;
                false
            }
        }
    }

    fn value(&mut self, raw: Raw<'_>, schema: &Schema, kind: Kind, depth: usize) -> Option<Tree> {
        if !self.spend() {
            return None;
        }
        Some(match (kind, raw) {
            (Kind::Double, Raw::Fixed64(bits)) => Tree::Float(f64::from_bits(bits)),
            (Kind::Float, Raw::Fixed32(bits)) => Tree::Float(short(f32::from_bits(bits))),
            (Kind::Unsigned, Raw::Varint(value)) => value.into(),
            (Kind::Signed, Raw::Varint(value)) => value.cast_signed().into(),
            (Kind::ZigZag, Raw::Varint(value)) => {
                ((value >> 1).cast_signed() ^ -(value & 1).cast_signed()).into()
            }
            (Kind::Fixed64, Raw::Fixed64(value)) => value.into(),
            (Kind::SignedFixed64, Raw::Fixed64(value)) => value.cast_signed().into(),
            (Kind::Fixed32, Raw::Fixed32(value)) => value.into(),
            (Kind::SignedFixed32, Raw::Fixed32(value)) => value.cast_signed().into(),
            (Kind::Bool, Raw::Varint(value)) => (value != 0).into(),
            (Kind::Enum(id), Raw::Varint(value)) => match schema.enum_name(id, value as i32) {
                Some(name) => name.to_owned().into(),
                None => i64::from(value as i32).into(),
            },
            (Kind::Text, Raw::Bytes(bytes)) => Tree::lossy(self.shown(bytes)),
            (Kind::Bytes, Raw::Bytes(bytes)) => Tree::Bytes(self.shown(bytes).to_vec()),
            (Kind::Message(id), Raw::Bytes(bytes)) if depth > 0 && is_message(bytes) => {
                self.message(bytes, Some((schema, id)), depth - 1).into()
            }
            (_, raw) => return self.guess(raw, depth),
        })
    }

    /// What the value most probably is.
    fn guess(&mut self, raw: Raw<'_>, depth: usize) -> Option<Tree> {
        if !self.spend() {
            return None;
        }
        Some(match raw {
            // A number above 2^63 is far more often a negative one.
            Raw::Varint(value) => value.cast_signed().into(),
            Raw::Fixed64(bits) => match f64::from_bits(bits) {
                value if is_plausible(value) => Tree::Float(value),
                _ => bits.cast_signed().into(),
            },
            Raw::Fixed32(bits) => match short(f32::from_bits(bits)) {
                value if is_plausible(value) => Tree::Float(value),
                _ => bits.cast_signed().into(),
            },
            Raw::Bytes(bytes) => self.guess_bytes(bytes, depth),
        })
    }

    /// Text that may be printed, else a message, else bytes. A line feed is also the first tag of most messages.
    fn guess_bytes(&mut self, bytes: &[u8], depth: usize) -> Tree {
        let text = std::str::from_utf8(bytes).ok().filter(|text| {
            let printable = |char: char| !char.is_control() || matches!(char, '\t' | '\n' | '\r');
            text.chars().all(printable)
        });
        match text {
            Some(text) if !(text.starts_with('\n') && is_message(bytes)) => {
                let shown = &text[..text.floor_char_boundary(self.caps.value_bytes)];
                self.cut |= shown.len() < text.len();
                Tree::Text(Cow::Owned(shown.to_owned()))
            }
            _ if depth > 0 && is_message(bytes) => self.message(bytes, None, depth - 1).into(),
            _ => Tree::Bytes(self.shown(bytes).to_vec()),
        }
    }

    fn shown<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        self.cut |= bytes.len() > self.caps.value_bytes;
        &bytes[..bytes.len().min(self.caps.value_bytes)]
    }
}

/// Whether eight or four bytes are a number with a fraction rather than a whole one: read as the former, whole numbers in
/// use are next to nothing, and the reverse.
fn is_plausible(value: f64) -> bool {
    value == 0.0 || (1e-9..1e18).contains(&value.abs())
}

/// With the digits that the shorter number has.
fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| value.into())
}
