//! Lets a script's thread wait for a call.

use std::future::Future;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::Error;

/// Threads that drive the requests of all scripts: they only wait, so more would only idle.
const WORKERS: usize = 2;
/// Threads for file reads and name look-ups, which block.
const BLOCKING: usize = 16;

/// Longer than a call's own deadline by this much is waited, because the call's own error says more.
const GRACE: Duration = Duration::from_millis(500);

/// Runs the asynchronous calls of [`Vendor`](crate::Vendor) for threads that can only block. One for
/// all scripts, because kept connections end with the threads that opened them.
#[derive(Debug)]
pub struct Runner {
    // Taken out when it is dropped.
    runtime: Option<Runtime>,
}

impl Runner {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] where the system gives no threads.
    pub fn new() -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(BLOCKING)
            .thread_name("remora-vendor")
            .enable_all()
            .build()
            .map_err(|error| Error::Internal(format!("threads for requests: {error}")))?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Has the shared threads run `future` and waits for what it gives, at most `deadline` and the moment the future's own
    /// error about it takes. Whoever stops waiting drops the future. May be called on a thread that belongs to another
    /// runtime: it waits on nothing but a lock.
    ///
    /// # Errors
    ///
    /// Those of the future; [`Error::Cancelled`] as soon as `cancel` is tripped; [`Error::Stuck`] when nothing came in
    /// time; [`Error::Internal`] when the future panicked.
    pub fn run<T, F>(&self, deadline: Duration, cancel: &Cancel, future: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let Some(runtime) = &self.runtime else {
            return Err(Error::Cancelled);
        };
        let start = Instant::now();
        let (sender, receiver) = sync_channel(1);
        let reply = Reply { sender: Some(sender), bell: Arc::clone(&cancel.0) };
        let task = runtime.spawn(async move { reply.give(future.await) });
        let outcome = wait(&receiver, &cancel.0, start, deadline);
        // Without effect on one that is done.
        task.abort();
        outcome
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // Waiting for the threads is not allowed on a thread of another runtime, and requests under way are for nobody.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn wait<T>(
    receiver: &Receiver<Result<T, Error>>,
    bell: &Bell,
    start: Instant,
    deadline: Duration,
) -> Result<T, Error> {
    let mut tripped = bell.lock();
    loop {
        // Looked at with the lock held: a reply that comes now has to wait with its ring.
        match receiver.try_recv() {
            Ok(outcome) => return outcome,
            Err(TryRecvError::Disconnected) => {
                return Err(Error::Internal("the request broke inside".into()));
            }
            Err(TryRecvError::Empty) if *tripped => return Err(Error::Cancelled),
            Err(TryRecvError::Empty) => {}
        }
        let left = deadline.saturating_add(GRACE).saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(Error::Stuck(deadline));
        }
        tripped = bell.ring.wait_timeout(tripped, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Ends the waits of one script: the call under way and all later ones. Clones are the same handle.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Bell>);

impl Cancel {
    /// One that is not tripped.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on, calls with this handle give [`Error::Cancelled`]. May be called on any thread, and again.
    pub fn trip(&self) {
        *self.0.lock() = true;
        self.0.ring.notify_all();
    }
}

#[derive(Debug, Default)]
struct Bell {
    tripped: Mutex<bool>,
    ring: Condvar,
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, bool> {
        // Nothing panics while it is held, and a flag is always valid.
        self.tripped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the outcome to the waiting thread, or, dropped without one, that there is none.
struct Reply<T> {
    sender: Option<SyncSender<T>>,
    bell: Arc<Bell>,
}

impl<T> Reply<T> {
    fn give(self, outcome: T) {
        if let Some(sender) = &self.sender {
            // The one place in the channel is free; nobody may be waiting any more.
            let _ = sender.try_send(outcome);
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        self.sender = None;
        drop(self.bell.lock());
        self.bell.ring.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// Tells when it is dropped.
    struct Dropped(SyncSender<()>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    fn the_outcome_comes_back() {
        let runner = Runner::new().unwrap();
        let cancel = Cancel::new();
        assert_eq!(runner.run(LONG, &cancel, async { Ok(7) }).unwrap(), 7);
        let failed = runner.run::<(), _>(LONG, &cancel, async { Err(Error::argument("no")) });
        assert_eq!(failed.unwrap_err().to_string(), "no");
    }

    #[test]
    fn a_panic_is_an_error() {
        let runner = Runner::new().unwrap();
        let outcome = runner.run::<(), _>(LONG, &Cancel::new(), async { panic!("inside") });
        assert!(matches!(outcome, Err(Error::Internal(_))), "{outcome:?}");
    }

    #[test]
    fn a_future_that_never_ends_is_dropped_at_the_deadline() {
        let runner = Runner::new().unwrap();
        let (sender, dropped) = sync_channel(1);
        let guard = Dropped(sender);
        let outcome = runner.run::<(), _>(Duration::from_millis(10), &Cancel::new(), async move {
            let _guard = guard;
            std::future::pending().await
        });
        assert!(matches!(outcome, Err(Error::Stuck(_))), "{outcome:?}");
        dropped.recv_timeout(LONG).unwrap();
    }

    #[test]
    fn tripping_ends_the_wait_and_all_later_ones() {
        let runner = Runner::new().unwrap();
        let cancel = Cancel::new();
        let (started, begun) = sync_channel(1);
        let (sender, dropped) = sync_channel(1);
        let tripper = std::thread::spawn({
            let cancel = cancel.clone();
            move || {
                begun.recv().unwrap();
                cancel.trip();
            }
        });
        let guard = Dropped(sender);
        let outcome = runner.run::<(), _>(LONG, &cancel, async move {
            let _guard = guard;
            started.send(()).unwrap();
            std::future::pending().await
        });
        assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
        dropped.recv_timeout(LONG).unwrap();
        tripper.join().unwrap();
        let outcome = runner.run::<(), _>(LONG, &cancel, std::future::pending());
        assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
    }

    #[test]
    fn a_thread_of_another_runtime_may_wait() {
        let other = Builder::new_current_thread().enable_all().build().unwrap();
        let value = other.block_on(async {
            let runner = Runner::new().unwrap();
            runner.run(LONG, &Cancel::new(), async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Ok(1)
            })
        });
        assert_eq!(value.unwrap(), 1);
    }
}
