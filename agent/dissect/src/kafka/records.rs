//! Record batches (message format 2, since Kafka 0.11) and the message sets before them (formats 0 and 1).
//!
//! <https://kafka.apache.org/documentation/#recordbatch>

use super::budget::Budget;
use super::compression::{Codec, Stop};
use super::wire::{varint, varlong};
use crate::{Fields, ParseError, Reader, Tree};

/// Offset and length, before both a batch and a message.
const PREFIX_BYTES: usize = 12;
/// Where either tells its format.
const MAGIC_AT: usize = 16;
/// From the batch's beginning to what its checksum covers.
const CHECKED_AT: usize = 21;
/// The fixed part of a batch, behind the prefix.
const BATCH_BYTES: usize = 61 - PREFIX_BYTES;
/// That of a message of format 0.
const MESSAGE_BYTES: usize = 14;

/// Attributes.
const LOG_APPEND_TIME: i16 = 8;
const TRANSACTIONAL: i16 = 16;
const CONTROL: i16 = 32;

/// Whether these could be the first bytes of records.
pub(super) fn is_plausible(bytes: &[u8]) -> bool {
    bytes.get(MAGIC_AT).is_none_or(|magic| *magic <= 2)
}

/// How many entries of lists there are in uncompressed batches. `None` where a list is longer than may be kept of one, and of
/// what can't be told without decoding it.
pub(super) fn entries(bytes: &[u8], most: usize) -> Option<usize> {
    let (mut rest, mut batches, mut entries) = (bytes, 0, 0usize);
    while rest.len() > MAGIC_AT {
        let (length, magic) = prefix(rest).ok()?;
        let batch = rest.get(..PREFIX_BYTES + length).filter(|_| magic == 2)?;
        batches += 1;
        entries += 1 + batch_entries(batch, most)?;
        rest = &rest[batch.len()..];
    }
    (batches <= most).then_some(entries)
}

fn batch_entries(batch: &[u8], most: usize) -> Option<usize> {
    let mut reader = Reader::new(batch);
    reader.skip(CHECKED_AT).ok()?;
    let codec = Codec::of(reader.i16_be().ok()?);
    // Offsets, times and the producer.
    reader.skip(34).ok()?;
    let count = usize::try_from(reader.i32_be().ok()?).ok()?;
    if codec != Codec::None || count > most {
        return None;
    }
    let mut entries = count;
    for _ in 0..count {
        let length = usize::try_from(varint(&mut reader).ok()?).ok()?;
        let mut record = reader.part(length).ok()?;
        record.skip(1).ok()?;
        varlong(&mut record).ok()?;
        varint(&mut record).ok()?;
        for _ in 0..2 {
            let length = varint(&mut record).ok()?;
            bytes(&mut record, length).ok()?;
        }
        let headers = usize::try_from(varint(&mut record).ok()?).ok().filter(|headers| *headers <= most)?;
        entries += headers;
    }
    Some(entries)
}

/// All batches and messages of a field. A broker cuts the last one where the size that was asked for ends.
pub(super) fn read(bytes: &[u8], budget: &mut Budget) -> Tree {
    read_level(bytes, budget, false)
}

fn read_level(bytes: &[u8], budget: &mut Budget, nested: bool) -> Tree {
    let (mut batches, mut messages) = (Vec::new(), Vec::new());
    let (mut batch_count, mut message_count) = (0usize, 0usize);
    let mut fields = Fields::new();
    let mut rest = bytes;
    let problem = loop {
        if rest.len() <= MAGIC_AT {
            break None;
        }
        let (length, magic) = match prefix(rest) {
            Ok(prefix) => prefix,
            Err(what) => break Some(what),
        };
        let entry = &rest[..rest.len().min(PREFIX_BYTES + length)];
        let whole = entry.len() == PREFIX_BYTES + length;
        if !whole && (magic < 2 || entry.len() < PREFIX_BYTES + BATCH_BYTES) {
            break None;
        }
        let (list, count) =
            if magic == 2 { (&mut batches, &mut batch_count) } else { (&mut messages, &mut message_count) };
        *count += 1;
        if list.len() < budget.list && budget.entry() {
            let read = if magic == 2 { batch(entry, whole, budget) } else { message(entry, budget, nested) };
            list.push(read.into());
        } else {
            budget.spend();
        }
        rest = &rest[entry.len()..];
    };
    for (name, count_name, list, count) in [
        ("recordBatch", "recordBatchCount", batches, batch_count),
        ("messageSet", "messageSetCount", messages, message_count),
    ] {
        if count > 0 {
            let shown = list.len();
            fields.push(name, list);
            fields.push_some(count_name, (shown < count).then_some(count));
        }
    }
    if let Some(what) = problem {
        fields.push("recordError", what);
    }
    if !rest.is_empty() {
        fields.push("undecodedBytes", rest.len());
    }
    fields.into()
}

/// Length behind the prefix, and format.
fn prefix(bytes: &[u8]) -> Result<(usize, u8), &'static str> {
    let mut reader = Reader::new(bytes);
    let mut read = || {
        reader.skip(8)?;
        let length = reader.i32_be()?;
        reader.skip(4)?;
        Ok::<_, ParseError>((length, reader.u8()?))
    };
    let Ok((length, magic)) = read() else { return Err("a batch ends early") };
    let least = match magic {
        0 | 1 => MESSAGE_BYTES,
        2 => BATCH_BYTES,
        _ => return Err("the format of a batch is not known"),
    };
    match usize::try_from(length) {
        Ok(length) if length >= least => Ok((length, magic)),
        _ => Err("a batch is too short"),
    }
}

/// A batch with its prefix; not `whole` where it is cut.
fn batch(bytes: &[u8], whole: bool, budget: &mut Budget) -> Fields {
    let mut fields = Fields::with_capacity(24);
    let mut reader = Reader::new(bytes);
    if let Err(error) = batch_fields(&mut reader, bytes, whole, &mut fields, budget) {
        fields.push("recordError", error.to_string());
    }
    fields
}

fn batch_fields(
    reader: &mut Reader<'_>,
    bytes: &[u8],
    whole: bool,
    fields: &mut Fields,
    budget: &mut Budget,
) -> Result<(), ParseError> {
    fields.push("baseOffset", reader.i64_be()?);
    fields.push("batchLength", reader.i32_be()?);
    fields.push("partitionLeaderEpoch", reader.i32_be()?);
    fields.push("magic", reader.i8()?);
    let crc = reader.u32_be()?;
    fields.push("crc", crc);
    if whole && crc32c::crc32c(bytes.get(CHECKED_AT..).unwrap_or_default()) != crc {
        fields.push("crcValid", false);
    }
    let attributes = reader.i16_be()?;
    let codec = push_attributes(attributes, fields);
    fields.push("isTransactional", attributes & TRANSACTIONAL != 0);
    let control = attributes & CONTROL != 0;
    fields.push("isControl", control);
    fields.push("lastOffsetDelta", reader.i32_be()?);
    fields.push("firstTimestamp", reader.i64_be()?);
    fields.push("maxTimestamp", reader.i64_be()?);
    fields.push("producerId", reader.i64_be()?);
    fields.push("producerEpoch", reader.i16_be()?);
    fields.push("baseSequence", reader.i32_be()?);
    let count = reader.i32_be()?;
    fields.push("recordCount", count);
    let mut unpacked = Vec::new();
    let mut stop = None;
    let data = if codec == Codec::None {
        reader.rest()
    } else {
        let packed = reader.rest();
        let (bytes, result) = codec.undo(packed, budget.allow(packed.len()));
        budget.decoded(bytes.len());
        stop = result.err();
        unpacked = bytes;
        unpacked.as_slice()
    };
    let mut records = Vec::new();
    let result = read_records(data, count, control, &mut records, budget);
    fields.push("record", records);
    if let Some(Stop::Full) = stop {
        budget.spend();
    } else if !whole {
        fields.push("incomplete", true);
    } else if let Some(Stop::Broken) = stop {
        fields.push("recordError", "the records can't be decompressed");
    } else {
        result?;
    }
    drop(unpacked);
    Ok(())
}

fn push_attributes(attributes: i16, fields: &mut Fields) -> Codec {
    let codec = Codec::of(attributes);
    fields.push("attributes", attributes);
    fields.push("compression", codec.name());
    fields.push(
        "timestampType",
        if attributes & LOG_APPEND_TIME == 0 { "CreateTime" } else { "LogAppendTime" },
    );
    codec
}

fn read_records(
    data: &[u8],
    count: i32,
    control: bool,
    records: &mut Vec<Tree>,
    budget: &mut Budget,
) -> Result<(), ParseError> {
    let mut reader = Reader::new(data);
    for _ in 0..count {
        if records.len() >= budget.list || !budget.entry() {
            budget.spend();
            return Ok(());
        }
        let length = varint(&mut reader)?;
        let length = usize::try_from(length).map_err(|_| reader.error("a record has a negative length"))?;
        let mut part = reader.part(length)?;
        let mut fields = Fields::with_capacity(9);
        fields.push("length", length);
        record(&mut part, control, &mut fields, budget)?;
        records.push(fields.into());
    }
    if reader.is_empty() { Ok(()) } else { Err(reader.error("bytes are left over behind the records")) }
}

fn record(
    reader: &mut Reader<'_>,
    control: bool,
    fields: &mut Fields,
    budget: &mut Budget,
) -> Result<(), ParseError> {
    fields.push("attributes", reader.i8()?);
    fields.push("timestampDelta", varlong(reader)?);
    fields.push("offsetDelta", varint(reader)?);
    let length = varint(reader)?;
    fields.push("keyLength", length);
    let key = bytes(reader, length)?;
    push_value(("key", "keyEncoding"), key, fields, budget);
    let length = varint(reader)?;
    fields.push("valueLen", length);
    let value = bytes(reader, length)?;
    push_value(("value", "valueEncoding"), value, fields, budget);
    if let (true, Some(key)) = (control, key) {
        fields.push_some("control", control_type(key));
    }
    let count = varint(reader)?;
    let mut headers = Vec::new();
    for _ in 0..count {
        let mut header = Fields::with_capacity(4);
        let length = varint(reader)?;
        header.push("headerKeyLength", length);
        push_value(("headerKey", "headerKeyEncoding"), bytes(reader, length)?, &mut header, budget);
        let length = varint(reader)?;
        header.push("headerValueLength", length);
        push_value(("value", "valueEncoding"), bytes(reader, length)?, &mut header, budget);
        if headers.len() < budget.list && budget.entry() {
            headers.push(Tree::from(header));
        } else {
            budget.spend();
        }
    }
    let shown = headers.len();
    fields.push("headers", headers);
    fields.push_some("headersCount", usize::try_from(count).ok().filter(|count| shown < *count));
    if reader.is_empty() { Ok(()) } else { Err(reader.error("bytes are left over in a record")) }
}

/// What a control record says; its key is a version and a type.
fn control_type(key: &[u8]) -> Option<&'static str> {
    let mut reader = Reader::new(key);
    reader.skip(2).ok()?;
    match reader.i16_be().ok()? {
        0 => Some("ABORT"),
        1 => Some("COMMIT"),
        2 => Some("LEADER_CHANGE"),
        3 => Some("SNAPSHOT_HEADER"),
        4 => Some("SNAPSHOT_FOOTER"),
        5 => Some("KRAFT_VERSION"),
        6 => Some("KRAFT_VOTERS"),
        _ => None,
    }
}

/// A message of an older set, with its prefix.
fn message(bytes: &[u8], budget: &mut Budget, nested: bool) -> Fields {
    let mut fields = Fields::with_capacity(14);
    if let Err(error) = message_fields(bytes, &mut fields, budget, nested) {
        fields.push("recordError", error.to_string());
    }
    fields
}

fn message_fields(
    message: &[u8],
    fields: &mut Fields,
    budget: &mut Budget,
    nested: bool,
) -> Result<(), ParseError> {
    let mut reader = Reader::new(message);
    fields.push("offset", reader.i64_be()?);
    fields.push("messageSize", reader.i32_be()?);
    let crc = reader.u32_be()?;
    fields.push("crc", crc);
    if crc32fast::hash(reader.rest()) != crc {
        fields.push("crcValid", false);
    }
    let magic = reader.i8()?;
    fields.push("magic", magic);
    let codec = push_attributes(reader.i8()?.into(), fields);
    if magic == 1 {
        fields.push("timestamp", reader.i64_be()?);
    }
    let length = reader.i32_be()?;
    fields.push("keyLength", length);
    push_value(("key", "keyEncoding"), bytes(&mut reader, length)?, fields, budget);
    let length = reader.i32_be()?;
    fields.push("valueLen", length);
    let value = bytes(&mut reader, length)?;
    match value {
        // A wrapper: its value is a compressed set, which holds no further one.
        Some(packed) if codec != Codec::None && !nested => {
            let (unpacked, result) = codec.undo(packed, budget.allow(packed.len()));
            budget.decoded(unpacked.len());
            if !unpacked.is_empty() {
                fields.push("records", read_level(&unpacked, budget, true));
            }
            match result {
                Ok(()) => {}
                Err(Stop::Full) => budget.spend(),
                Err(Stop::Broken) => fields.push("recordError", "the messages can't be decompressed"),
            }
        }
        value => push_value(("value", "valueEncoding"), value, fields, budget),
    }
    if reader.is_empty() { Ok(()) } else { Err(reader.error("bytes are left over in a message")) }
}

/// So many bytes; none of them where the length is -1, for null.
fn bytes<'a>(reader: &mut Reader<'a>, length: i32) -> Result<Option<&'a [u8]>, ParseError> {
    match usize::try_from(length) {
        Ok(length) => reader.take(length).map(Some),
        Err(_) if length == -1 => Ok(None),
        Err(_) => Err(reader.error("a length is negative")),
    }
}

/// Text where the bytes are such, else base64, which is said beside it. Its whole length is shown by its own field.
fn push_value(
    (name, encoding): (&'static str, &'static str),
    value: Option<&[u8]>,
    fields: &mut Fields,
    budget: &mut Budget,
) {
    let Some(value) = value else {
        fields.push(name, Tree::Null);
        return;
    };
    let shown = &value[..value.len().min(budget.value)];
    let cut = shown.len() < value.len();
    if cut {
        budget.spend();
    }
    match std::str::from_utf8(shown) {
        Ok(text) => fields.push(name, text.to_owned()),
        Err(error) if cut && error.error_len().is_none() => {
            fields.push(name, crate::text::lossy(&shown[..error.valid_up_to()]).into_owned());
        }
        Err(_) => {
            fields.push(name, Tree::Bytes(shown.to_vec()));
            fields.push(encoding, "base64");
        }
    }
}
