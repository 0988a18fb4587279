//! Reads a message body by a static description of its fields.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::budget::Budget;
use super::field::{Field, Type, width};
use super::survey::Survey;
use super::{errors, records, wire};
use crate::{Fields, ParseError, Reader, Tree};

/// How a body is encoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    pub(super) version: i16,
    /// With compact lengths and tagged fields.
    pub(super) flexible: bool,
}

/// What was read of a body.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) fields: Fields,
    /// The first code that is not 0.
    pub(super) error_code: i16,
    /// Something of it was left out: beyond a cap, or not there.
    pub(super) cut: bool,
    /// Why it can't be what it is taken for. Missing bytes at its end are no reason.
    pub(super) problem: Option<ParseError>,
    /// Bytes of the message behind it. Readers pass over them, and some senders do put something there.
    pub(super) left_over: usize,
}

/// Reads a body; `reader` has of its message, which is `total` bytes long, what is there.
pub(super) fn read(
    fields: &'static [Field],
    encoding: Encoding,
    reader: Reader<'_>,
    total: usize,
    budget: Budget,
) -> Body {
    run(fields, encoding, reader, total, budget, true)
}

/// Whether a body can be what it is taken for; nothing is kept.
pub(super) fn check(
    fields: &'static [Field],
    encoding: Encoding,
    reader: Reader<'_>,
    total: usize,
) -> Option<ParseError> {
    let body = run(fields, encoding, reader, total, Budget::NONE, false);
    let left_over = ParseError { offset: total - body.left_over, what: "bytes are left over" };
    body.problem.or((body.left_over > 0).then_some(left_over))
}

/// Goes through a body whose bytes are all there, and no more than one value may have. `None` where it has a problem, or
/// lists that are cut.
pub(super) fn survey(
    fields: &'static [Field],
    encoding: Encoding,
    reader: Reader<'_>,
    total: usize,
    budget: Budget,
) -> Option<Survey> {
    let mut decoder = Decoder::new(encoding, reader, total, budget, false);
    decoder.fields(fields, &mut Fields::new()).ok()?;
    let exact = decoder.reader.position() == total;
    let survey = Survey { error_code: decoder.error_code, exact, ..decoder.survey };
    (!survey.cut && budget.allows(survey.entries)).then_some(survey)
}

fn run(
    fields: &'static [Field],
    encoding: Encoding,
    reader: Reader<'_>,
    total: usize,
    budget: Budget,
    keep: bool,
) -> Body {
    let mut decoder = Decoder::new(encoding, reader, total, budget, keep);
    let whole = !decoder.cut;
    let mut out = Fields::new();
    let result = decoder.fields(fields, &mut out);
    let left_over = if result.is_ok() { total.saturating_sub(decoder.reader.position()) } else { 0 };
    let problem = result.err().filter(|error| whole || !error.is_early());
    Body {
        fields: out,
        error_code: decoder.error_code,
        cut: decoder.cut || decoder.budget.is_spent(),
        problem,
        left_over,
    }
}

struct Decoder<'a> {
    reader: Reader<'a>,
    total: usize,
    encoding: Encoding,
    budget: Budget,
    keep: bool,
    error_code: i16,
    cut: bool,
    survey: Survey,
    /// The fields are those of a topic.
    of_topic: bool,
}

impl<'a> Decoder<'a> {
    fn new(encoding: Encoding, reader: Reader<'a>, total: usize, budget: Budget, keep: bool) -> Self {
        let cut = reader.whole().len() < total;
        let survey = Survey::default();
        Self { reader, total, encoding, budget, keep, error_code: 0, cut, survey, of_topic: false }
    }

    /// On an error `out` has what came before it.
    fn fields(&mut self, fields: &'static [Field], out: &mut Fields) -> Result<(), ParseError> {
        for field in fields {
            if field.tag.is_none() && field.is_in(self.encoding.version) {
                self.field(field, out)?;
            }
        }
        if self.encoding.flexible { self.tagged(fields, out) } else { Ok(()) }
    }

    fn tagged(&mut self, fields: &'static [Field], out: &mut Fields) -> Result<(), ParseError> {
        let count = wire::uvarint(&mut self.reader)?;
        for _ in 0..count {
            let tag = wire::uvarint(&mut self.reader)?;
            let length = wire::uvarint(&mut self.reader)? as usize;
            self.fits(length)?;
            let known =
                fields.iter().find(|field| field.tag == Some(tag) && field.is_in(self.encoding.version));
            let Some(field) = known else {
                self.reader.skip(length)?;
                continue;
            };
            let end = self.reader.position() + length;
            self.field(field, out)?;
            if self.reader.position() != end {
                return Err(self.reader.error("a tagged field has the wrong length"));
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'static Field, out: &mut Fields) -> Result<(), ParseError> {
        let reader = &mut self.reader;
        let value = match field.shape {
            Type::Bool => match reader.u8()? {
                0 => false.into(),
                1 => true.into(),
                _ => return Err(reader.error("a flag is neither 0 nor 1")),
            },
            Type::Int8 => reader.i8()?.into(),
            Type::Int16 => reader.i16_be()?.into(),
            Type::Int32 => reader.i32_be()?.into(),
            Type::Int64 => reader.i64_be()?.into(),
            Type::Acks => {
                let acks = reader.i16_be()?;
                self.survey.acks = Some(acks);
                acks.into()
            }
            Type::Uuid => self.uuid(field)?,
            Type::ErrorCode => return self.error_code(field, out),
            Type::Text => return self.text_field(field, out),
            Type::Records => return self.records(field, out),
            Type::Texts => {
                let most = self.budget.value;
                return self.list(field, false, out, |decoder, index, list| {
                    let text = decoder.text(false)?;
                    if let (true, Some(text)) = (field.topics, text) {
                        decoder.survey.topics.plain(index, decoder.reader.position(), text);
                    }
                    let shown = text.map(|text| text[..text.floor_char_boundary(most)].to_owned());
                    decoder.add(shown, list);
                    Ok(())
                });
            }
            Type::Int32s => {
                return self.list(field, false, out, |decoder, _, list| {
                    let number = decoder.reader.i32_be()?;
                    decoder.add(number, list);
                    Ok(())
                });
            }
            Type::Int64s => {
                return self.list(field, false, out, |decoder, _, list| {
                    let number = decoder.reader.i64_be()?;
                    decoder.add(number, list);
                    Ok(())
                });
            }
            Type::List(fields) => return self.groups(field, fields, false, out),
            Type::Counted(name, fields) => {
                let mut inner = Fields::new();
                let result = self.groups(&field.named(name), fields, true, &mut inner);
                if self.keep {
                    out.push(field.name, inner);
                }
                return result;
            }
            Type::Group(fields) => {
                let mut group = Fields::new();
                let of_topic = std::mem::take(&mut self.of_topic);
                let result = self.fields(fields, &mut group);
                self.of_topic = of_topic;
                if self.keep {
                    out.push(field.name, group);
                }
                return result;
            }
        };
        if self.keep {
            out.push(field.name, value);
        }
        Ok(())
    }

    /// Nothing is longer than what is left of the message.
    fn fits(&self, length: usize) -> Result<(), ParseError> {
        if length > self.total.saturating_sub(self.reader.position()) {
            return Err(self.reader.error("a length goes beyond the message"));
        }
        Ok(())
    }

    /// A length; `None` is null.
    fn length(&mut self, field_nullable: bool, wide: bool) -> Result<Option<usize>, ParseError> {
        let start = self.reader;
        let length = if self.encoding.flexible {
            wire::uvarint(&mut self.reader)?.checked_sub(1).map(|length| length as usize)
        } else {
            let length = if wide { self.reader.i32_be()? } else { self.reader.i16_be()?.into() };
            match usize::try_from(length) {
                Ok(length) => Some(length),
                Err(_) if length == -1 => None,
                Err(_) => return Err(start.error("a length is negative")),
            }
        };
        match length {
            Some(length) => self.fits(length)?,
            None if !field_nullable => return Err(start.error("something is null that may not be")),
            None => {}
        }
        Ok(length)
    }

    /// Entries of a list, each of which takes a byte or more.
    fn count(&mut self, field: &Field) -> Result<Option<usize>, ParseError> {
        self.length(field.is_nullable(self.encoding.version), true)
    }

    fn text(&mut self, nullable: bool) -> Result<Option<&'a str>, ParseError> {
        let Some(length) = self.length(nullable, false)? else { return Ok(None) };
        let start = self.reader;
        let bytes = self.reader.take(length)?;
        std::str::from_utf8(bytes).map(Some).map_err(|_| start.error("a text is not UTF-8"))
    }

    fn add(&self, value: impl Into<Tree>, list: &mut Vec<Tree>) {
        if self.keep {
            list.push(value.into());
        }
    }

    fn text_field(&mut self, field: &'static Field, out: &mut Fields) -> Result<(), ParseError> {
        let (keep, most) = (self.keep, self.budget.value);
        let text = self.text(field.is_nullable(self.encoding.version))?;
        if self.of_topic {
            self.survey.topics.text(field, self.reader.position(), text);
        }
        if keep {
            let cut = text.filter(|text| text.len() > most).map(str::len);
            out.push(field.name, text.map(|text| text[..text.floor_char_boundary(most)].to_owned()));
            if let Some(length) = cut {
                out.push(format!("{}Length", field.name), length);
                self.cut = true;
            }
        }
        Ok(())
    }

    fn error_code(&mut self, field: &'static Field, out: &mut Fields) -> Result<(), ParseError> {
        let code = self.reader.i16_be()?;
        if self.error_code == 0 {
            self.error_code = code;
        }
        if self.keep {
            out.push(field.name, code);
            if code != 0 {
                out.push_some("errorName", errors::name(code));
            }
        }
        Ok(())
    }

    fn uuid(&mut self, field: &Field) -> Result<Tree, ParseError> {
        let start = self.reader;
        let bytes: [u8; 16] = self.reader.array()?;
        if self.of_topic {
            self.survey.topics.id(field, bytes);
        }
        if !self.keep {
            return Ok(Tree::Null);
        }
        let mut parts = start;
        Ok(Fields::with_capacity(7)
            .with("timeLow", parts.u32_be()?)
            .with("timeMid", parts.u16_be()?)
            .with("timeHiAndVersion", parts.u16_be()?)
            .with("clockSeq", parts.u16_be()?)
            .with("nodePart1", parts.u16_be()?)
            .with("nodePart22", parts.u32_be()?)
            .with("text", URL_SAFE_NO_PAD.encode(bytes))
            .into())
    }

    fn groups(
        &mut self,
        field: &Field,
        fields: &'static [Field],
        counted: bool,
        out: &mut Fields,
    ) -> Result<(), ParseError> {
        let width = if self.keep || field.topics { None } else { width(fields, self.encoding.version) };
        self.list(field, counted, out, |decoder, index, list| {
            if let Some(width) = width {
                decoder.reader.skip(width)?;
                return if decoder.encoding.flexible {
                    decoder.tagged(fields, &mut Fields::new())
                } else {
                    Ok(())
                };
            }
            let mut group = Fields::with_capacity(if decoder.keep { fields.len() } else { 0 });
            decoder.of_topic = field.topics;
            let result = decoder.fields(fields, &mut group);
            if field.topics {
                decoder.survey.topics.end(index);
            }
            if decoder.keep {
                list.push(group.into());
            }
            result
        })
    }

    fn list(
        &mut self,
        field: &Field,
        counted: bool,
        out: &mut Fields,
        mut entry: impl FnMut(&mut Self, usize, &mut Vec<Tree>) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        let keep = self.keep;
        let Some(count) = self.count(field)? else {
            if keep {
                out.push(field.name, Tree::Null);
            }
            return Ok(());
        };
        self.survey.entries = self.survey.entries.saturating_add(count);
        self.survey.cut |= count > self.budget.list;
        if field.topics {
            self.survey.topics.begin(field.name, count);
        }
        let of_topic = std::mem::take(&mut self.of_topic);
        let (mut list, mut kept) = (Vec::new(), 0);
        let mut result = Ok(());
        for index in 0..count {
            self.keep = keep && kept < self.budget.list && self.budget.entry();
            if self.keep {
                result = entry(self, index, &mut list);
                kept += 1;
            } else {
                let mut unkept = Vec::new();
                result = entry(self, index, &mut unkept);
            }
            if result.is_err() {
                break;
            }
        }
        self.keep = keep;
        self.of_topic = of_topic;
        if keep {
            let cut = list.len() < count;
            if counted {
                out.push("length", count);
            }
            out.push(field.name, list);
            if cut && !counted {
                out.push(format!("{}Count", field.name), count);
            }
            self.cut |= cut;
        }
        result
    }

    fn records(&mut self, field: &'static Field, out: &mut Fields) -> Result<(), ParseError> {
        let start = self.reader;
        let length = self.length(field.is_nullable(self.encoding.version), true)?;
        let Some(length) = length else {
            if self.keep {
                out.push(field.name, Tree::Null);
            }
            return Ok(());
        };
        let here = self.reader.take(length.min(self.reader.remaining()))?;
        if !records::is_plausible(here) {
            return Err(start.error("these are no records"));
        }
        if self.keep {
            out.push(field.name, records::read(here, &mut self.budget));
        } else if !self.survey.perhaps_cut {
            match records::entries(here, self.budget.list) {
                Some(entries) => self.survey.entries = self.survey.entries.saturating_add(entries),
                None => self.survey.perhaps_cut = true,
            }
        }
        // An early end where some are not there.
        self.reader.skip(length - here.len())
    }
}
