use std::{collections::HashMap, mem::MaybeUninit, os::fd::OwnedFd, sync::Arc, time::Duration};

use capture_common::{CpuCounters, MAX_SNAPLEN, RecordHeader};
use remora_packet::{LinkType, Packet};
use rustix::{
    event::{Timespec, epoll},
    io::Errno,
};

use crate::{
    CaptureError, LiveConfig, LiveStats, MIN_SNAPLEN,
    attach::Attacher,
    clock::{Clock, boottime},
    dedup::Dedup,
    diagnostics,
    kernel::{Counters, Kernel},
    merge::Merge,
    patterns::Patterns,
    watch::{Handle, Shared, Watcher},
};

/// Packets of the node's interfaces, as they pass. Dropping it detaches the programs.
pub struct LiveSource {
    reader: Reader,
    merge: Merge,
    epoll: OwnedFd,
    counters: Counters,
    watcher: Handle,
    /// Nanoseconds.
    batch_delay: u64,
    /// Nanoseconds.
    reorder_window: u64,
    stopping: bool,
    stopped: bool,
}

/// What a call of [`LiveSource::poll`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Polled {
    /// So many packets were handed on; 0 where the time was over first.
    Packets(u64),
    /// The programs are detached, and what they had captured is all handed on: so many packets by this call.
    Stopped(u64),
}

impl LiveSource {
    /// Loads the kernel programs, attaches them to every interface that matches, and keeps watching for more.
    ///
    /// Interfaces are those of the calling thread's network namespace. The object with the programs is the file
    /// `config.object`, else the one the environment variable `REMORA_EBPF_OBJECT` names, else the one compiled in.
    ///
    /// That nothing matches is no error, since it may come; that everything which matches refuses is one. Where there are
    /// so many interfaces that attaching takes more than [`crate::START_PATIENCE`], capture begins with those there are and the
    /// others follow.
    pub fn start(config: &LiveConfig) -> Result<Self, CaptureError> {
        if !(MIN_SNAPLEN..=MAX_SNAPLEN).contains(&config.snaplen) {
            return Err(CaptureError::Snaplen(config.snaplen));
        }
        let patterns = Patterns::new(&config.interfaces)?;
        let Kernel { mut ebpf, rings, counters, mut running } = Kernel::load(config)?;
        let diagnostics = diagnostics::open(&mut ebpf);

        let wait = |error: Errno| CaptureError::io("wait for ring buffers")(error.into());
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(wait)?;
        for (number, ring) in rings.iter().enumerate() {
            // Edge-triggered: a ring that has something is no news, one that a producer announces is.
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&epoll, ring, data, epoll::EventFlags::IN | epoll::EventFlags::ET).map_err(wait)?;
        }

        let shared = Arc::new(Shared::default());
        let attacher = Attacher::new(ebpf, config.attach);
        let watcher = Watcher::new(attacher, patterns, diagnostics, Arc::clone(&shared))?.spawn()?;
        running.set(0, 1, 0).map_err(CaptureError::kernel("begin to capture"))?;
        let reorder_window = nanos(config.reorder_window);
        Ok(Self {
            reader: Reader {
                clock: Clock::new(),
                dedup: config.dedup.then(|| Dedup::new(nanos(config.dedup_window))),
                links: HashMap::new(),
                generation: 0,
                shared,
                stats: LiveStats::default(),
            },
            merge: Merge::new(rings),
            epoll,
            counters,
            watcher,
            batch_delay: nanos(config.batch_delay).max(reorder_window),
            reorder_window,
            stopping: false,
            stopped: false,
        })
    }

    /// Waits up to `timeout` for packets and hands on a batch of them, in order of time.
    ///
    /// Each packet is borrowed from its ring; copy what must outlive the call. While `on_packet` runs the rings fill up,
    /// so what takes long loses packets (and counts them).
    pub fn poll(
        &mut self,
        timeout: Duration,
        mut on_packet: impl FnMut(&Packet<'_>),
    ) -> Result<Polled, CaptureError> {
        if self.stopped {
            return Ok(Polled::Stopped(0));
        }
        let deadline = boottime().saturating_add(nanos(timeout));
        loop {
            // Asked before draining: what was captured until the end is then in the rings.
            let finished = self.stopping && self.watcher.finished();
            let now = self.reader.clock.follow();
            if finished {
                self.stopped = true;
                return Ok(Polled::Stopped(self.drain(u64::MAX, &mut on_packet)));
            }
            let mut until = deadline;
            if let Some(oldest) = self.merge.oldest() {
                let delay = if self.merge.pressed() { self.reorder_window } else { self.batch_delay };
                let mut due = oldest.saturating_add(delay);
                if due <= now {
                    let packets = self.drain(now.saturating_sub(self.reorder_window), &mut on_packet);
                    if packets > 0 {
                        return Ok(Polled::Packets(packets));
                    }
                    due = now + self.reorder_window;
                }
                until = until.min(due);
            }
            if now >= deadline {
                return Ok(Polled::Packets(0));
            }
            if self.stopping {
                until = until.min(now + nanos(STOP_CHECK));
            }
            self.wait(Duration::from_nanos(until - now))?;
        }
    }

    /// Begins to detach; call [`Self::poll`] until it returns [`Polled::Stopped`], so that packets that still come are
    /// not lost. With many interfaces that takes a while: the kernel waits for each.
    pub fn begin_stop(&mut self) {
        self.stopping = true;
        self.watcher.stop();
    }

    /// Detaches, hands on what is left, and tells what became of all packets.
    pub fn stop(mut self, mut on_packet: impl FnMut(&Packet<'_>)) -> Result<LiveStats, CaptureError> {
        self.begin_stop();
        while let Polled::Packets(_) = self.poll(Duration::from_secs(1), &mut on_packet)? {}
        self.stats()
    }

    pub fn stats(&self) -> Result<LiveStats, CaptureError> {
        let values = self.counters.get(&0, 0).map_err(CaptureError::kernel("read the counters"))?;
        let mut stats = self.reader.stats.clone();
        stats.cpus = values.iter().map(|words| CpuCounters::from_words(*words)).collect();
        stats.copies_forgotten = self.reader.dedup.as_ref().map_or(0, Dedup::forgotten);
        let table = self.reader.shared.table();
        stats.attach_failures = table.attach_failures;
        stats.interfaces.clone_from(&table.attached);
        Ok(stats)
    }

    fn drain(&mut self, horizon: u64, on_packet: &mut impl FnMut(&Packet<'_>)) -> u64 {
        let before = self.reader.stats.delivered_packets;
        self.reader.refresh_links();
        let reader = &mut self.reader;
        self.merge.drain(horizon, |record| reader.read(record, on_packet));
        self.reader.stats.delivered_packets - before
    }

    fn wait(&self, timeout: Duration) -> Result<(), CaptureError> {
        let timeout = Timespec::try_from(timeout).ok();
        let mut events = [MaybeUninit::uninit(); 16];
        match epoll::wait(&self.epoll, &mut events, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(CaptureError::io("wait for packets")(error.into())),
        }
    }
}

/// How often [`LiveSource::poll`] looks whether detaching is done.
const STOP_CHECK: Duration = Duration::from_millis(2);

/// Turns records into packets.
struct Reader {
    clock: Clock,
    dedup: Option<Dedup>,
    /// A copy of the watcher's table, as of `generation`.
    links: HashMap<u32, LinkType>,
    generation: u64,
    shared: Arc<Shared>,
    stats: LiveStats,
}

impl Reader {
    fn refresh_links(&mut self) {
        let generation = self.shared.generation();
        if generation != self.generation {
            self.links.clone_from(&self.shared.table().links);
            self.generation = generation;
        }
    }

    fn read(&mut self, record: &[u8], on_packet: &mut impl FnMut(&Packet<'_>)) {
        let Some((header, data)) = RecordHeader::split(record) else {
            self.stats.foreign_records += 1;
            return;
        };
        let link = match self.links.get(&header.interface) {
            Some(link) => *link,
            None => {
                self.refresh_links();
                let Some(link) = self.links.get(&header.interface) else {
                    self.stats.foreign_records += 1;
                    return;
                };
                *link
            }
        };
        if let Some(dedup) = &mut self.dedup
            && dedup.is_copy(link, data, header.interface, header.direction(), header.time)
        {
            self.stats.copies += 1;
            return;
        }
        self.stats.delivered_packets += 1;
        self.stats.delivered_bytes += data.len() as u64;
        on_packet(&Packet {
            timestamp: self.clock.wall(header.time),
            link,
            interface: header.interface,
            length: header.length,
            data,
        });
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
