//! The response to a statement that is prepared: its number, and the definitions of its parameters and columns (MySQL
//! "COM_STMT_PREPARE Response").

use super::super::names::{capability, column_type};
use super::super::packets::{self, Column};
use super::{Part, Progress, Reading};
use crate::{Fields, Limits, Reader, Tree};

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// So many definitions of parameters.
    Parameters(u16),
    AfterParameters,
    /// So many definitions of columns.
    Columns(u16),
    AfterColumns,
}

#[derive(Debug)]
pub(in crate::mysql) struct Prepared {
    pub(in crate::mysql) number: u32,
    /// How many it has.
    pub(in crate::mysql) parameters: u16,
    columns: u16,
    place: Place,
    parameter_types: Vec<Tree>,
    definitions: Vec<Column>,
    heap: usize,
}

impl Prepared {
    /// Reads the first packet, and says in `fields` what is in it.
    pub(super) fn begin(
        payload: &[u8],
        reading: &Reading<'_>,
        fields: &mut Fields,
    ) -> Result<(Self, Progress), &'static str> {
        let mut reader = Reader::new(payload);
        let read = reader.skip(1).and_then(|()| {
            Ok((
                reader.u32_le()?,
                reader.u16_le()?,
                reader.u16_le()?,
                reader.skip(1).and_then(|()| reader.u16_le()).ok(),
            ))
        });
        let Ok((number, columns, parameters, warnings)) = read else {
            return Err("not a prepared statement");
        };
        let mut prepared = Self {
            number,
            parameters,
            columns,
            place: Place::AfterColumns,
            parameter_types: Vec::new(),
            definitions: Vec::new(),
            heap: 0,
        };
        fields.push("statementId", number);
        fields.push("parameterCount", parameters);
        fields.push_some("warnings", warnings);
        // Without the definitions, where that is agreed.
        let optional = payload.len() > 12 && reading.has(capability::OPTIONAL_METADATA) == Some(true);
        if optional && reader.peek() == Some(0) {
            return Ok((prepared, Progress::Done));
        }
        prepared.place =
            if parameters > 0 { Place::Parameters(parameters) } else { prepared.behind_parameters() };
        let bare = parameters == 0 && columns == 0;
        Ok((prepared, if bare { Progress::Done } else { Progress::More }))
    }

    pub(super) const fn heap(&self) -> usize {
        self.heap
    }

    /// The definitions of its columns, where all are known.
    pub(in crate::mysql) fn columns(&self) -> Option<&[Column]> {
        Some(&*self.definitions).filter(|known| known.len() == usize::from(self.columns))
    }

    /// Takes a packet behind the first.
    pub(super) fn take(&mut self, part: &Part<'_>, reading: &Reading<'_>) -> Result<Progress, &'static str> {
        match self.place {
            Place::Parameters(left) => {
                self.parameter(part, reading.limits)?;
                self.place = if left > 1 { Place::Parameters(left - 1) } else { Place::AfterParameters };
                Ok(self.progress(reading))
            }
            Place::AfterParameters => {
                self.place = self.behind_parameters();
                match self.place {
                    Place::Columns(_) if part.is_eof() => Ok(Progress::More),
                    Place::Columns(left) => self.column(left, part, reading),
                    _ if part.is_eof() => Ok(Progress::Done),
                    _ => Err("a packet behind the end"),
                }
            }
            Place::Columns(left) => self.column(left, part, reading),
            Place::AfterColumns if part.is_eof() => Ok(Progress::Done),
            Place::AfterColumns => Err("not an end of columns"),
        }
    }

    const fn behind_parameters(&self) -> Place {
        if self.columns > 0 { Place::Columns(self.columns) } else { Place::AfterColumns }
    }

    fn parameter(&mut self, part: &Part<'_>, limits: &Limits) -> Result<(), &'static str> {
        match packets::column(part.payload, limits) {
            Ok(column) => {
                if self.parameter_types.len() < limits.list_entries {
                    self.parameter_types.push(column_type(column.kind.number).into());
                }
                Ok(())
            }
            Err(_) if part.whole => Err("not a parameter"),
            Err(_) => Ok(()),
        }
    }

    fn column(
        &mut self,
        left: u16,
        part: &Part<'_>,
        reading: &Reading<'_>,
    ) -> Result<Progress, &'static str> {
        match packets::column(part.payload, reading.limits) {
            Ok(column) => {
                if self.definitions.len() < reading.limits.list_entries {
                    self.heap += column.heap();
                    self.definitions.push(column);
                }
            }
            Err(_) if part.whole => return Err("not a column"),
            Err(_) => {}
        }
        self.place = if left > 1 { Place::Columns(left - 1) } else { Place::AfterColumns };
        Ok(self.progress(reading))
    }

    /// Whether the definitions that came are the last packet.
    fn progress(&self, reading: &Reading<'_>) -> Progress {
        let last = match self.place {
            Place::AfterParameters => self.columns == 0,
            Place::AfterColumns => true,
            _ => false,
        };
        match reading.has(capability::DEPRECATE_EOF) {
            _ if !last => Progress::More,
            Some(false) => Progress::More,
            Some(true) => Progress::Done,
            None => Progress::DoneOrEof,
        }
    }

    /// As part of the response.
    pub(super) fn tell(self, fields: &mut Fields) {
        if !self.parameter_types.is_empty() {
            fields.push("parameterTypes", Tree::List(self.parameter_types));
        }
        if !self.definitions.is_empty() {
            fields.push("columns", self.definitions.iter().map(Column::tree).collect::<Tree>());
        }
    }
}
