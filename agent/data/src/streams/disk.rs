//! The files themselves. All of it runs on a thread of its own: making a file can take a disk milliseconds.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use cap_std::fs::{Dir, OpenOptions};
use remora_packet::LinkType;
use remora_pcap::{FILE_HEADER_BYTES, Resolution, file_header};

use super::id::StreamId;
use super::order::Order;
use super::store::SNAPLEN;

/// One stream's file, by the slot that the stream has in the store.
struct DiskFile {
    id: StreamId,
    link: LinkType,
    /// Bytes of the file: always up to the end of a record, 0 before the file header is written.
    written: u64,
    file: Option<File>,
    /// Why the last write failed, until somebody is told.
    failed: Option<io::Error>,
}

pub(super) struct Disk {
    dir: Arc<Dir>,
    max_open: usize,
    files: Vec<Option<DiskFile>>,
    /// Those whose file is open, by its last use.
    open: Order,
    /// How often a file was begun anew because it was gone or shorter than what had been written.
    pub(super) restarted: u64,
}

impl Disk {
    pub(super) fn new(dir: Arc<Dir>, max_open: usize) -> Self {
        Self { dir, max_open: max_open.max(1), files: Vec::new(), open: Order::new(), restarted: 0 }
    }

    pub(super) fn open_files(&self) -> usize {
        self.open.len()
    }

    /// Appends whole records; without any, sees to it that the file exists. Where that fails, the file stays as it was.
    pub(super) fn write(&mut self, slot: u32, id: StreamId, link: LinkType, records: &[u8]) -> bool {
        let at = slot as usize;
        if self.files.len() <= at {
            self.files.resize_with(at + 1, || None);
        }
        let fresh = || DiskFile { id, link, written: 0, file: None, failed: None };
        let written = self.files[at].get_or_insert_with(fresh).written;
        if records.is_empty() && written > 0 {
            return true;
        }
        let result = self.open(slot).and_then(|()| match &mut self.files[at] {
            Some(file) => file.append(records),
            None => Ok(()),
        });
        let is_done = result.is_ok();
        if let Some(file) = &mut self.files[at] {
            file.failed = result.err();
        }
        is_done
    }

    /// How many bytes of the file are written, or why its last packets are not.
    pub(super) fn written(&mut self, slot: u32) -> io::Result<u64> {
        match self.files.get_mut(slot as usize) {
            Some(Some(file)) => file.failed.take().map_or(Ok(file.written), Err),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// What went wrong last.
    pub(super) fn failure(&self, slot: u32) -> Option<&io::Error> {
        self.files.get(slot as usize)?.as_ref()?.failed.as_ref()
    }

    /// Opens a stream's file if it is closed, and for that closes the one longest unused where there are too many.
    fn open(&mut self, slot: u32) -> io::Result<()> {
        if !self.open.contains(slot) {
            while self.open.len() >= self.max_open
                && let Some(unused) = self.open.first()
            {
                self.close(unused);
            }
            if let Some(file) = &mut self.files[slot as usize] {
                self.restarted += u64::from(file.open(&self.dir)?);
            }
        }
        self.open.touch(slot);
        Ok(())
    }

    pub(super) fn close(&mut self, slot: u32) {
        self.open.remove(slot);
        if let Some(Some(file)) = self.files.get_mut(slot as usize) {
            file.file = None;
        }
    }

    pub(super) fn remove(&mut self, slot: u32) -> io::Result<()> {
        let Some(file) = self.forget(slot) else { return Ok(()) };
        match self.dir.remove_file(file.id.to_string()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Gives the file of a stream that is forgotten another place.
    pub(super) fn detach(&mut self, slot: u32, to: &Dir, path: &str) -> io::Result<()> {
        let file = self.forget(slot).ok_or(io::ErrorKind::NotFound)?;
        self.dir.rename(file.id.to_string(), to, path)
    }

    fn forget(&mut self, slot: u32) -> Option<DiskFile> {
        self.open.remove(slot);
        self.files.get_mut(slot as usize)?.take()
    }
}

impl DiskFile {
    /// Makes the file ready to be written to; whether it has to begin anew.
    fn open(&mut self, dir: &Dir) -> io::Result<bool> {
        let name = self.id.to_string();
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let mut anew = false;
        let file = match dir.open_with(&name, if self.written == 0 { options.create(true) } else { &options })
        {
            Ok(file) => file.into_std(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.written > 0 => {
                dir.open_with(&name, options.create(true))?.into_std()
            }
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        if length < self.written {
            anew = true;
            self.written = 0;
        }
        if length > self.written {
            file.set_len(self.written)?;
        }
        self.file = Some(file);
        Ok(anew)
    }

    fn append(&mut self, records: &[u8]) -> io::Result<()> {
        let Some(file) = &self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let mut end = self.written;
        let mut result = Ok(());
        if end == 0 {
            result = file.write_all_at(&file_header(self.link, SNAPLEN, Resolution::Nanos), 0);
            end = FILE_HEADER_BYTES as u64;
        }
        result = result.and_then(|()| file.write_all_at(records, end));
        match result {
            Ok(()) => self.written = end + records.len() as u64,
            // The next attempt writes at the same place; until then the file ends with a whole record.
            Err(_) => drop(file.set_len(self.written)),
        }
        result
    }
}
