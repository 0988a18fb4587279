//! What the disk's thread has to do, and the thread.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use cap_std::fs::Dir;
use remora_packet::LinkType;

use super::FOLDER;
use super::disk::Disk;
use super::id::StreamId;
use super::store::Store;

/// What a job counts for in memory besides its records.
pub(super) const JOB_BYTES: usize = 128;

/// In the order they are given, so that a slot may be used again at once after `Remove` or `Detach`.
pub(super) enum Job {
    /// Appends `records`, and `close`s the file. The answer is how long the file then is.
    Write {
        slot: u32,
        id: StreamId,
        link: LinkType,
        records: Vec<u8>,
        packets: u64,
        close: bool,
        answer: Option<Sender<io::Result<u64>>>,
    },
    Remove {
        slot: u32,
        answer: Option<Sender<io::Result<()>>>,
    },
    Detach {
        slot: u32,
        to: Arc<Dir>,
        path: String,
        answer: Sender<io::Result<()>>,
    },
}

impl Job {
    pub(super) fn bytes(&self) -> usize {
        JOB_BYTES + if let Self::Write { records, .. } = self { records.capacity() } else { 0 }
    }
}

/// What the packet thread, script threads and the disk's thread share.
pub(super) struct Shared {
    store: Mutex<Store>,
    /// There is a job, or there will be no more.
    work: Condvar,
    /// A job is done.
    room: Condvar,
}

pub(super) struct Queue {
    pub(super) jobs: VecDeque<Job>,
    /// Memory of the jobs waiting and of the one at work.
    pub(super) bytes: usize,
    pub(super) is_closed: bool,
    /// The thread waits for work: it has to be woken.
    is_idle: bool,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { jobs: VecDeque::new(), bytes: 0, is_closed: false, is_idle: false }
    }

    pub(super) fn push(&mut self, job: Job) {
        self.bytes += job.bytes();
        self.jobs.push_back(job);
    }
}

impl Shared {
    pub(super) fn new(store: Store) -> Self {
        Self { store: Mutex::new(store), work: Condvar::new(), room: Condvar::new() }
    }

    /// Does something with the store and wakes the disk's thread if that gave it work.
    #[inline]
    pub(super) fn with<T>(&self, run: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.lock();
        let result = run(&mut store);
        self.wake(&mut store);
        result
    }

    /// [`Self::with`] for the packet thread, which waits where it is to wait for the disk.
    #[inline]
    pub(super) fn with_room(&self, run: impl FnOnce(&mut Store)) {
        let mut store = self.lock();
        run(&mut store);
        self.wake(&mut store);
        if store.must_wait() {
            drop(self.room.wait_while(store, |store| store.must_wait()));
        }
    }

    fn wake(&self, store: &mut Store) {
        if store.queue.is_idle && !store.queue.jobs.is_empty() {
            store.queue.is_idle = false;
            self.work.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn close(&self) {
        self.lock().queue.is_closed = true;
        self.work.notify_one();
    }

    /// The disk's thread: works until the queue is closed and empty.
    pub(super) fn run(&self, mut disk: Disk) {
        let mut told = false;
        while let Some(job) = self.next() {
            let mut done = Done { bytes: job.bytes(), ..Done::default() };
            let answer = match job {
                Job::Write { slot, id, link, records, packets, close, answer } => {
                    if !disk.write(slot, id, link, &records) {
                        (done.write_errors, done.packets_lost) = (1, packets);
                        if !told && let Some(error) = disk.failure(slot) {
                            told = true;
                            tracing::error!(
                                stream = %id, %error,
                                "cannot write a stream's pcap in {FOLDER}/; its packets are lost, further errors are \
                                 only counted"
                            );
                        }
                    }
                    if close {
                        disk.close(slot);
                    }
                    done.spare = records;
                    answer.map(|to| Answer::Written(to, disk.written(slot)))
                }
                Job::Remove { slot, answer } => {
                    let result = disk.remove(slot);
                    done.remove_errors = u64::from(result.is_err());
                    answer.map(|to| Answer::Done(to, result))
                }
                Job::Detach { slot, to, path, answer } => {
                    Some(Answer::Done(answer, disk.detach(slot, &to, &path)))
                }
            };
            (done.restarted, done.open_files) = (disk.restarted, disk.open_files() as u64);
            self.lock().done(done);
            self.room.notify_all();
            // Who asked may have gone.
            match answer {
                Some(Answer::Written(to, result)) => drop(to.send(result)),
                Some(Answer::Done(to, result)) => drop(to.send(result)),
                None => {}
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut store = self.lock();
        loop {
            if let Some(job) = store.queue.jobs.pop_front() {
                return Some(job);
            }
            if store.queue.is_closed {
                return None;
            }
            store.queue.is_idle = true;
            store = self.work.wait(store).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What became of a job.
#[derive(Default)]
pub(super) struct Done {
    pub(super) bytes: usize,
    pub(super) packets_lost: u64,
    pub(super) write_errors: u64,
    pub(super) remove_errors: u64,
    pub(super) restarted: u64,
    pub(super) open_files: u64,
    /// A buffer to use again.
    pub(super) spare: Vec<u8>,
}

/// Given once the counters are up to date.
enum Answer {
    Written(Sender<io::Result<u64>>, io::Result<u64>),
    Done(Sender<io::Result<()>>, io::Result<()>),
}
