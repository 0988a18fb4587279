//! Whether documents are what they should be, without making anything of them.

use super::elements::*;
use crate::limits::ValueLimits;
use crate::read::Reader;

/// Entries that all documents of one message together keep, in lists of the cap's length.
pub(super) const LISTS: usize = 10;

/// Goes through documents as [`super::bson::Decoder`] does. `None` stands for all that is to be told of them otherwise: an
/// error, and whatever a cap may take away. Values are taken to be shorter than their cap.
pub(super) struct Scan {
    limits: ValueLimits,
    /// Entries that may still come.
    entries: usize,
}

impl Scan {
    pub(super) const fn new(limits: ValueLimits) -> Self {
        Self { limits, entries: limits.list_entries.saturating_mul(LISTS) }
    }

    pub(super) fn entry(&mut self) -> Option<()> {
        self.entries = self.entries.checked_sub(1)?;
        Some(())
    }

    /// `element` is given the type and the name of each element of the document itself, and a reader before its value.
    pub(super) fn document<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        depth: usize,
        element: &mut impl FnMut(u8, &'a [u8], &Reader<'a>) -> Option<()>,
    ) -> Option<()> {
        let mut elements = Elements::of(reader).ok()?;
        let mut count = 0;
        while let Some((kind, name)) = elements.next().ok()? {
            count += 1;
            self.entry()?;
            element(kind, name, &elements.reader)?;
            self.value(kind, &mut elements.reader, depth)?;
        }
        elements.finish(reader).ok()?;
        (count <= self.limits.list_entries).then_some(())
    }

    fn value(&mut self, kind: u8, reader: &mut Reader<'_>, depth: usize) -> Option<()> {
        match kind {
            DOCUMENT | ARRAY => {
                (depth + 1 < self.limits.nesting).then_some(())?;
                self.document(reader, depth + 1, &mut |_, _, _| Some(()))
            }
            SCOPED_CODE => {
                let end = reader.position() + length_of(reader).ok()?;
                reader.skip(4).ok()?;
                string(reader).ok()?;
                self.value(DOCUMENT, reader, depth)?;
                (reader.position() == end).then_some(())
            }
            kind => skip(kind, reader).ok(),
        }
    }
}
