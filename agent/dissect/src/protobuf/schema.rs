//! Message types out of descriptor files, the `FileDescriptorSet` of descriptor.proto that `protoc --descriptor_set_out`
//! and `buf build` write.

use std::collections::HashMap;
use std::sync::Arc;

use super::wire::{Raw, RawFields, varint};

/// Nesting of message types. Above it the file is refused.
const MAX_NESTING: usize = 64;

/// Names and types of messages, enums and methods.
#[derive(Debug, Default)]
pub struct Schema {
    messages: Vec<Message>,
    enums: Vec<HashMap<i32, String>>,
    /// By path, `/package.Service/Method`: the types of its request and response messages.
    methods: HashMap<String, [MessageId; 2]>,
}

/// Why a descriptor file can't be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("not a FileDescriptorSet")]
    NotDescriptors,
    #[error("message types nest too deeply")]
    TooDeep,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MessageId(usize);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct EnumId(usize);

#[derive(Debug, Default)]
struct Message {
    fields: HashMap<u32, Field>,
    is_map_entry: bool,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
}

/// A field's type. Those with the same values on the wire are one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Double,
    Float,
    /// `int32`, `int64`
    Signed,
    /// `uint32`, `uint64`
    Unsigned,
    /// `sint32`, `sint64`
    ZigZag,
    Fixed32,
    Fixed64,
    SignedFixed32,
    SignedFixed64,
    Bool,
    Text,
    Bytes,
    Message(MessageId),
    Enum(EnumId),
    /// A group, or a type that no file defines.
    Unknown,
}

impl Kind {
    pub(super) const fn may_be_packed(self) -> bool {
        !matches!(self, Self::Text | Self::Bytes | Self::Message(_) | Self::Unknown)
    }

    /// The next of several values in one field.
    pub(super) fn unpack(self, packed: &[u8]) -> Option<(Raw<'static>, &[u8])> {
        match self {
            Self::Double | Self::Fixed64 | Self::SignedFixed64 => {
                let (value, rest) = packed.split_first_chunk()?;
                Some((Raw::Fixed64(u64::from_le_bytes(*value)), rest))
            }
            Self::Float | Self::Fixed32 | Self::SignedFixed32 => {
                let (value, rest) = packed.split_first_chunk()?;
                Some((Raw::Fixed32(u32::from_le_bytes(*value)), rest))
            }
            _ => varint(packed).map(|(value, rest)| (Raw::Varint(value), rest)),
        }
    }
}

impl Schema {
    /// Reads descriptor files, one after the other; types may refer to those of other files.
    pub fn read<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, SchemaError> {
        let mut builder = Builder::default();
        for file in files {
            for descriptor in
                whole(file)?.filter_map(|(number, raw)| if number == 1 { bytes(raw) } else { None })
            {
                builder.file(descriptor)?;
            }
        }
        Ok(builder.finish())
    }

    /// How many message types it has.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(crate) fn method(&self, path: &str) -> Option<[MessageId; 2]> {
        self.methods.get(path).copied()
    }

    pub(super) fn field(&self, message: MessageId, number: u32) -> Option<&Field> {
        self.messages.get(message.0)?.fields.get(&number)
    }

    pub(super) fn enum_name(&self, id: EnumId, value: i32) -> Option<&str> {
        self.enums.get(id.0)?.get(&value).map(String::as_str)
    }

    /// The types of key and value where the type is an entry of a map.
    pub(super) fn map_entry(&self, kind: Kind) -> Option<[Kind; 2]> {
        let Kind::Message(id) = kind else { return None };
        let message = self.messages.get(id.0).filter(|message| message.is_map_entry)?;
        let [key, value] = [1, 2].map(|number| message.fields.get(&number).map(|field| field.kind));
        Some([key?, value?])
    }
}

#[derive(Default)]
struct Builder {
    schema: Schema,
    /// By full name with a leading dot.
    messages: HashMap<String, MessageId>,
    enums: HashMap<String, EnumId>,
    /// Fields whose types have names, to be looked up when all are known.
    named: Vec<(MessageId, u32, String)>,
    /// Paths with the names of their types.
    methods: Vec<(String, [String; 2])>,
}

impl Builder {
    /// A `FileDescriptorProto`.
    fn file(&mut self, file: &[u8]) -> Result<(), SchemaError> {
        let package = whole(file)?.find(|(number, _)| *number == 2).and_then(|(_, raw)| text(raw));
        let scope = package.filter(|name| !name.is_empty()).map_or(String::new(), |name| format!(".{name}"));
        for (number, raw) in whole(file)? {
            let Some(part) = bytes(raw) else { continue };
            match number {
                4 => self.message(part, &scope, MAX_NESTING)?,
                5 => self.enumeration(part, &scope)?,
                6 => self.service(part, &scope)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A `DescriptorProto`.
    fn message(&mut self, message: &[u8], scope: &str, depth: usize) -> Result<(), SchemaError> {
        let depth = depth.checked_sub(1).ok_or(SchemaError::TooDeep)?;
        let scope = format!("{scope}.{}", name(message)?);
        let id = MessageId(self.schema.messages.len());
        self.schema.messages.push(Message::default());
        for (number, raw) in whole(message)? {
            let Some(part) = bytes(raw) else { continue };
            match number {
                2 => self.field(part, id)?,
                3 => self.message(part, &scope, depth)?,
                4 => self.enumeration(part, &scope)?,
                7 => {
                    let is_map_entry = whole(part)?.any(|option| option == (7, Raw::Varint(1)));
                    self.schema.messages[id.0].is_map_entry = is_map_entry;
                }
                _ => {}
            }
        }
        self.messages.insert(scope, id);
        Ok(())
    }

    /// A `FieldDescriptorProto`.
    fn field(&mut self, field: &[u8], message: MessageId) -> Result<(), SchemaError> {
        let (mut number, mut label, mut kind, mut type_name) = (0, 0, 0, None);
        for (part, raw) in whole(field)? {
            match (part, raw) {
                (3, Raw::Varint(value)) => number = value as u32,
                (4, Raw::Varint(value)) => label = value,
                (5, Raw::Varint(value)) => kind = value,
                (6, raw) => type_name = text(raw),
                _ => {}
            }
        }
        let kind = match kind {
            1 => Kind::Double,
            2 => Kind::Float,
            3 | 5 => Kind::Signed,
            4 | 13 => Kind::Unsigned,
            6 => Kind::Fixed64,
            7 => Kind::Fixed32,
            8 => Kind::Bool,
            9 => Kind::Text,
            12 => Kind::Bytes,
            15 => Kind::SignedFixed32,
            16 => Kind::SignedFixed64,
            17 | 18 => Kind::ZigZag,
            _ => Kind::Unknown,
        };
        if let Some(type_name) = type_name {
            self.named.push((message, number, type_name.to_owned()));
        }
        let field = Field { name: name(field)?.to_owned(), kind, repeated: label == 3 };
        self.schema.messages[message.0].fields.insert(number, field);
        Ok(())
    }

    /// An `EnumDescriptorProto`.
    fn enumeration(&mut self, enumeration: &[u8], scope: &str) -> Result<(), SchemaError> {
        let mut values = HashMap::new();
        for value in whole(enumeration)?.filter_map(|(part, raw)| if part == 2 { bytes(raw) } else { None }) {
            let number = whole(value)?.find_map(|(part, raw)| match (part, raw) {
                (2, Raw::Varint(number)) => Some(number as i32),
                _ => None,
            });
            values.entry(number.unwrap_or(0)).or_insert_with(|| name(value).unwrap_or_default().to_owned());
        }
        let id = EnumId(self.schema.enums.len());
        self.schema.enums.push(values);
        self.enums.insert(format!("{scope}.{}", name(enumeration)?), id);
        Ok(())
    }

    /// A `ServiceDescriptorProto`.
    fn service(&mut self, service: &[u8], scope: &str) -> Result<(), SchemaError> {
        let service_name = name(service)?;
        for method in whole(service)?.filter_map(|(part, raw)| if part == 2 { bytes(raw) } else { None }) {
            let type_name = |wanted| {
                let mut parts = RawFields::new(method);
                parts.find(|(part, _)| *part == wanted).and_then(|(_, raw)| text(raw)).unwrap_or_default()
            };
            let package = scope.strip_prefix('.').map_or(String::new(), |package| format!("{package}."));
            let path = format!("/{package}{service_name}/{}", name(method)?);
            self.methods.push((path, [type_name(2).to_owned(), type_name(3).to_owned()]));
        }
        Ok(())
    }

    fn finish(mut self) -> Schema {
        for (message, number, type_name) in &self.named {
            let kind = match (self.messages.get(type_name), self.enums.get(type_name)) {
                (Some(&id), _) => Kind::Message(id),
                (None, Some(&id)) => Kind::Enum(id),
                (None, None) => Kind::Unknown,
            };
            if let Some(field) = self.schema.messages[message.0].fields.get_mut(number) {
                field.kind = kind;
            }
        }
        for (path, [input, output]) in self.methods {
            if let (Some(&input), Some(&output)) = (self.messages.get(&input), self.messages.get(&output)) {
                self.schema.methods.insert(path, [input, output]);
            }
        }
        self.schema
    }
}

/// The fields of a message that must be one.
fn whole(message: &[u8]) -> Result<RawFields<'_>, SchemaError> {
    let mut fields = RawFields::new(message);
    fields.by_ref().for_each(drop);
    if fields.is_whole() { Ok(RawFields::new(message)) } else { Err(SchemaError::NotDescriptors) }
}

/// Field 1 of every descriptor.
fn name(descriptor: &[u8]) -> Result<&str, SchemaError> {
    let name = whole(descriptor)?.find(|(number, _)| *number == 1);
    name.and_then(|(_, raw)| text(raw)).ok_or(SchemaError::NotDescriptors)
}

const fn bytes(raw: Raw<'_>) -> Option<&[u8]> {
    if let Raw::Bytes(bytes) = raw { Some(bytes) } else { None }
}

fn text(raw: Raw<'_>) -> Option<&str> {
    bytes(raw).and_then(|bytes| std::str::from_utf8(bytes).ok())
}

/// A type of a schema that is kept as long as the type.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) schema: Arc<Schema>,
    pub(crate) message: MessageId,
}
