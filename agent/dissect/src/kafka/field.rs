//! How message bodies are described.

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    /// An `Int16` that says whether an answer is wanted.
    Acks,
    Uuid,
    Text,
    /// A code beside which its name is shown.
    ErrorCode,
    Records,
    Texts,
    Int32s,
    Int64s,
    List(&'static [Field]),
    Group(&'static [Field]),
    /// A list shown as `length` and, by this name, its entries.
    Counted(&'static str, &'static [Field]),
}

#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Type,
    since: i16,
    until: i16,
    nullable: i16,
    /// Its number, where it is optional and at the end of its structure.
    pub(super) tag: Option<u32>,
    /// A list of the topics that the message is about.
    pub(super) topics: bool,
}

pub(super) const fn field(name: &'static str, shape: Type) -> Field {
    Field { name, shape, since: 0, until: i16::MAX, nullable: i16::MAX, tag: None, topics: false }
}

impl Field {
    /// The first version that has it.
    pub(super) const fn since(mut self, version: i16) -> Self {
        self.since = version;
        self
    }

    /// The last version that has it.
    pub(super) const fn until(mut self, version: i16) -> Self {
        self.until = version;
        self
    }

    /// The first version in which it may be null.
    pub(super) const fn nullable(mut self, version: i16) -> Self {
        self.nullable = version;
        self
    }

    /// It is a tagged field: optional, at the end of its structure.
    pub(super) const fn tag(mut self, tag: u32) -> Self {
        self.tag = Some(tag);
        self
    }

    pub(super) const fn topics(mut self) -> Self {
        self.topics = true;
        self
    }

    pub(super) const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(super) const fn is_in(&self, version: i16) -> bool {
        self.since <= version && version <= self.until
    }

    pub(super) const fn is_nullable(&self, version: i16) -> bool {
        version >= self.nullable
    }
}

/// Bytes of a structure's fields without its tagged ones, where all are numbers.
pub(super) fn width(fields: &'static [Field], version: i16) -> Option<usize> {
    let mut width = 0;
    for field in fields {
        if field.tag.is_none() && field.is_in(version) {
            width += match field.shape {
                Type::Int8 => 1,
                Type::Int16 => 2,
                Type::Int32 => 4,
                Type::Int64 => 8,
                _ => return None,
            };
        }
    }
    Some(width)
}
