//! Keeps the programs on every interface that matches, as interfaces come, go and change their names.
//!
//! In a thread of its own: attaching waits for the kernel (tens of milliseconds each), and the rings must be drained
//! meanwhile. The thread inherits the network namespace of the one that starts it, and that is the one it watches.

use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
        mpsc::SyncSender,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use remora_packet::LinkType;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

use crate::{
    CaptureError,
    attach::{Attacher, Attachment, Hook},
    diagnostics::Diagnostics,
    link::link_type,
    netlink::{self, Link, LinkEvent, Netlink},
    patterns::Patterns,
};

/// An interface the programs are attached to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    pub index: u32,
    pub name: String,
    pub link: LinkType,
    pub hook: Hook,
}

/// Interfaces that are gone but remembered, for the packets still in the rings; then the memory is cleared.
const MAX_GONE: usize = 4096;

/// How long [`crate::LiveSource::start`] waits for all interfaces to be attached; the kernel takes some 50 ms for each.
pub const START_PATIENCE: Duration = Duration::from_secs(2);

/// What the reader of the rings sees of the watcher.
#[derive(Default)]
pub(crate) struct Shared {
    /// Goes up with each change of `table.links`.
    generation: AtomicU64,
    table: Mutex<Table>,
}

#[derive(Default)]
pub(crate) struct Table {
    /// Every interface that packets may come from, the recently gone included.
    pub(crate) links: HashMap<u32, LinkType>,
    pub(crate) attached: Vec<Interface>,
    pub(crate) attach_failures: u64,
}

impl Shared {
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        // The table is whole after each statement that changes it.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Watcher {
    attacher: Attacher,
    patterns: Patterns,
    netlink: Netlink,
    diagnostics: Option<Diagnostics>,
    known: HashMap<u32, Known>,
    shared: Arc<Shared>,
    stop: OwnedFd,
}

struct Known {
    name: String,
    state: State,
}

enum State {
    Attached(Attachment),
    /// Could not be attached, which was said once.
    Failed,
    /// Not asked for, or of a kind that carries no IP.
    Left,
}

/// The thread that watches, seen from the reader.
pub(crate) struct Handle {
    thread: Option<JoinHandle<()>>,
    stop: OwnedFd,
}

impl Watcher {
    pub(crate) fn new(
        attacher: Attacher,
        patterns: Patterns,
        diagnostics: Option<Diagnostics>,
        shared: Arc<Shared>,
    ) -> Result<Self, CaptureError> {
        let watch = "watch the interfaces";
        let netlink = Netlink::subscribed().map_err(CaptureError::io(watch))?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| CaptureError::io(watch)(error.into()))?;
        Ok(Self { attacher, patterns, netlink, diagnostics, known: HashMap::new(), shared, stop })
    }

    /// Starts the thread and waits until it has attached to what is there, or for [`START_PATIENCE`].
    pub(crate) fn spawn(self) -> Result<Handle, CaptureError> {
        let start = "start a thread";
        let stop = self.stop.try_clone().map_err(CaptureError::io(start))?;
        let (sender, first_pass) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("interfaces".to_owned())
            .spawn(move || self.run(&sender))
            .map_err(CaptureError::io(start))?;
        let handle = Handle { thread: Some(thread), stop };
        match first_pass.recv_timeout(START_PATIENCE) {
            Ok(result) => result?,
            Err(_) => tracing::info!("attaching to many interfaces; capture begins with the first"),
        }
        Ok(handle)
    }

    /// Attaches to what is there now and matches. Fails if something matches and nothing could be attached.
    fn first_pass(&mut self) -> Result<(), CaptureError> {
        let mut first_error = None;
        for link in netlink::links().map_err(CaptureError::io("list the interfaces"))? {
            if let Err(error) = self.present(link) {
                first_error.get_or_insert(error);
            }
        }
        match first_error {
            Some(error) if self.shared.table().attached.is_empty() => Err(error),
            None if self.shared.table().attached.is_empty() => {
                tracing::debug!("no interface matches yet");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn run(mut self, started: &SyncSender<Result<(), CaptureError>>) {
        // Nobody waits for the answer any more where it took too long; what went wrong was said.
        let _ = started.send(self.first_pass());
        loop {
            match self.wait() {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "can no longer watch the interfaces; those attached stay so");
                    let mut stop = [PollFd::new(&self.stop, PollFlags::IN)];
                    while let Err(rustix::io::Errno::INTR) = poll(&mut stop, None) {}
                    break;
                }
            }
        }
        for (index, known) in std::mem::take(&mut self.known) {
            if let State::Attached(attachment) = known.state {
                self.attacher.detach(attachment, index, &known.name);
            }
        }
        self.shared.table().attached.clear();
        self.flush_diagnostics();
    }

    /// Waits for something to happen and deals with it. Whether it is time to stop.
    fn wait(&mut self) -> io::Result<bool> {
        let mut sources =
            vec![PollFd::new(&self.stop, PollFlags::IN), PollFd::new(self.netlink.socket(), PollFlags::IN)];
        if let Some(diagnostics) = &self.diagnostics {
            sources.push(PollFd::from_borrowed_fd(diagnostics.as_fd(), PollFlags::IN));
        }
        match poll(&mut sources, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = sources.iter().map(|source| !source.revents().is_empty()).collect();
        drop(sources);
        if ready[0] {
            return Ok(true);
        }
        if ready[1] {
            match self.netlink.events()? {
                Some(events) => events.into_iter().for_each(|event| self.event(event)),
                None => self.look_again()?,
            }
        }
        self.flush_diagnostics();
        Ok(false)
    }

    fn flush_diagnostics(&mut self) {
        if let Some(diagnostics) = &mut self.diagnostics {
            diagnostics.flush();
        }
    }

    /// The kernel dropped messages, so what it would have told is found out by comparing.
    fn look_again(&mut self) -> io::Result<()> {
        tracing::info!("too many interfaces changed at once; listing them anew");
        let links = netlink::links()?;
        let gone: Vec<u32> = self
            .known
            .keys()
            .copied()
            .filter(|index| links.iter().all(|link| link.index != *index))
            .collect();
        gone.into_iter().for_each(|index| self.gone(index));
        links.into_iter().for_each(|link| self.event(LinkEvent::Present(link)));
        Ok(())
    }

    fn event(&mut self, event: LinkEvent) {
        match event {
            // What went wrong was said and counted.
            LinkEvent::Present(link) => drop(self.present(link)),
            LinkEvent::Gone { index } => self.gone(index),
        }
    }

    fn present(&mut self, link: Link) -> Result<(), CaptureError> {
        let wanted = self.patterns.matches(&link.name);
        let known = self.known.remove(&link.index);
        let failed = matches!(&known, Some(Known { state: State::Failed, .. }));
        let state = match known {
            Some(Known { state: State::Attached(attachment), name }) if wanted => {
                if name != link.name {
                    tracing::info!(interface = link.name, old_name = name, "renamed");
                    self.rename(&link);
                }
                Ok(State::Attached(attachment))
            }
            Some(Known { state: State::Attached(attachment), name }) => {
                tracing::info!(
                    interface = link.name,
                    old_name = name,
                    "renamed to a name not asked for; detaching"
                );
                self.forget(link.index);
                self.attacher.detach(attachment, link.index, &name);
                Ok(State::Left)
            }
            Some(Known { state: State::Left, name }) if name == link.name => Ok(State::Left),
            _ if wanted => self.attach(&link, failed),
            _ => Ok(State::Left),
        };
        let (state, result) = match state {
            Ok(state) => (state, Ok(())),
            Err(error) => (State::Failed, Err(error)),
        };
        self.known.insert(link.index, Known { name: link.name, state });
        result
    }

    fn attach(&mut self, link: &Link, failed_before: bool) -> Result<State, CaptureError> {
        let Some(kind) = link_type(link.arphrd) else {
            tracing::warn!(
                interface = link.name,
                arphrd = link.arphrd,
                "left out: this kind of interface carries no IP"
            );
            return Ok(State::Left);
        };
        // Before the first packet can come.
        {
            let mut table = self.shared.table();
            if table.links.len() > MAX_GONE + table.attached.len() {
                let attached: Vec<u32> = table.attached.iter().map(|interface| interface.index).collect();
                table.links.retain(|index, _| attached.contains(index));
            }
            table.links.insert(link.index, kind);
        }
        self.shared.generation.fetch_add(1, Ordering::Release);
        match self.attacher.attach(link) {
            Ok(attachment) => {
                tracing::info!(interface = link.name, index = link.index, hook = ?attachment.hook, "attached");
                let interface = Interface {
                    index: link.index,
                    name: link.name.clone(),
                    link: kind,
                    hook: attachment.hook,
                };
                self.shared.table().attached.push(interface);
                Ok(State::Attached(attachment))
            }
            Err(error) if failed_before => {
                tracing::debug!(interface = link.name, %error, "not captured, still");
                Err(error)
            }
            Err(error) => {
                tracing::warn!(interface = link.name, %error, "not captured");
                self.shared.table().attach_failures += 1;
                Err(error)
            }
        }
    }

    fn gone(&mut self, index: u32) {
        let Some(known) = self.known.remove(&index) else { return };
        if let State::Attached(attachment) = known.state {
            tracing::info!(interface = known.name, index, "gone");
            self.forget(index);
            self.attacher.detach(attachment, index, &known.name);
        }
    }

    fn rename(&self, link: &Link) {
        for interface in &mut self.shared.table().attached {
            if interface.index == link.index {
                interface.name.clone_from(&link.name);
            }
        }
    }

    fn forget(&self, index: u32) {
        self.shared.table().attached.retain(|interface| interface.index != index);
    }
}

impl Handle {
    /// Asks the thread to detach everything and end.
    pub(crate) fn stop(&self) {
        // Fails only if the counter is at its end, which wakes the thread as well.
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
    }

    pub(crate) fn finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watched the interfaces had panicked");
        }
    }
}
