//! The reading side of a `BPF_MAP_TYPE_RINGBUF`.
//!
//! The library's own reader tells the kernel after every record that it was read, and can't look at a record without
//! taking it. Merging the rings of many CPUs needs the look, and a batch needs to tell the kernel only once.
//!
//! The layout is `struct bpf_ringbuf`: a page with the consumer's position, a page with the producer's, then the data,
//! mapped twice in a row so that a record never wraps.
//! <https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/kernel/bpf/ringbuf.c?h=v6.1.192#n34>

use std::{
    ffi::c_void,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    ptr::{self, NonNull},
    slice,
    sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence},
};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// `BPF_RINGBUF_BUSY_BIT`: the producer has not finished the record.
const BUSY: u32 = 1 << 31;
/// `BPF_RINGBUF_DISCARD_BIT`: the producer gave the record up.
const DISCARDED: u32 = 1 << 30;
/// `BPF_RINGBUF_HDR_SZ`: length and page offset stand before each record.
const RECORD_HEADER: usize = 8;

pub(crate) struct Ring {
    /// The map, to be polled.
    map: OwnedFd,
    consumer: Mapping,
    producer: Mapping,
    /// Where the data begins in `producer`.
    data: usize,
    mask: usize,
    /// Where the next record begins; counts up for ever, as the kernel's positions do.
    position: usize,
    /// What the kernel was last told of `position`.
    published: usize,
    /// The producer's position when last asked.
    produced: usize,
}

impl Ring {
    /// Maps the ring `map` of `bytes` bytes, which must be the map's `max_entries`.
    pub(crate) fn new(map: OwnedFd, bytes: usize, page: usize) -> io::Result<Self> {
        assert!(bytes.is_power_of_two() && page.is_power_of_two() && bytes >= page);
        let consumer = Mapping::new(map.as_fd(), page, ProtFlags::READ | ProtFlags::WRITE, 0)?;
        let producer = Mapping::new(map.as_fd(), page + 2 * bytes, ProtFlags::READ, page as u64)?;
        let mut ring = Self {
            map,
            consumer,
            producer,
            data: page,
            mask: bytes - 1,
            position: 0,
            published: 0,
            produced: 0,
        };
        ring.position = ring.consumer.position().load(Ordering::Acquire);
        ring.published = ring.position;
        ring.produced = ring.position;
        Ok(ring)
    }

    pub(crate) fn size(&self) -> usize {
        self.mask + 1
    }

    /// Bytes written that were not yet taken, record headers included.
    pub(crate) fn filled(&self) -> usize {
        self.producer.position().load(Ordering::Acquire).wrapping_sub(self.position)
    }

    /// The next record; `None` where there is none, or its producer is still at it.
    pub(crate) fn peek(&mut self) -> Option<&[u8]> {
        loop {
            if self.position == self.produced {
                // Pairs with the kernel's release of the position, which comes after the record's header is set to busy.
                self.produced = self.producer.position().load(Ordering::Acquire);
                if self.position == self.produced {
                    return None;
                }
            }
            let header = self.header();
            if header & BUSY != 0 {
                return None;
            }
            let length = (header & !DISCARDED) as usize;
            if header & DISCARDED == 0 {
                let start = self.data + (self.position & self.mask) + RECORD_HEADER;
                assert!(length <= self.mask);
                // SAFETY: the record lies within the doubled data pages (`length` is below the ring's size), its busy bit
                // was seen clear with acquire order, and the kernel does not reuse the space before `publish`, which
                // needs the ring mutably and thus outlives this borrow.
                return Some(unsafe { slice::from_raw_parts(self.producer.byte(start), length) });
            }
            self.step(length);
        }
    }

    /// As [`Self::peek`], and where there is nothing, makes sure that what comes wakes the reader.
    ///
    /// A producer wakes it only if its record is the first the reader has not given back, so everything gone past must be
    /// given back first, discarded records too.
    pub(crate) fn peek_or_arm(&mut self) -> Option<&[u8]> {
        if self.peek().is_none() {
            self.publish();
            // The producer either sees the position or has its record seen below.
            fence(Ordering::SeqCst);
        }
        self.peek()
    }

    /// Goes past the record that [`Self::peek`] returned.
    pub(crate) fn advance(&mut self) {
        if self.position != self.produced {
            let length = (self.header() & !DISCARDED) as usize;
            self.step(length);
        }
    }

    /// Gives what was gone past back to the kernel.
    pub(crate) fn publish(&mut self) {
        if self.position != self.published {
            self.published = self.position;
            // Release: what was read from the records happens before the kernel writes over them.
            self.consumer.position().store(self.position, Ordering::Release);
        }
    }

    /// As [`Self::publish`], once an eighth of the ring has been gone past.
    pub(crate) fn publish_some(&mut self) {
        if self.position.wrapping_sub(self.published) > self.mask >> 3 {
            self.publish();
        }
    }

    fn step(&mut self, length: usize) {
        self.position = self.position.wrapping_add((RECORD_HEADER + length).next_multiple_of(8));
    }

    fn header(&self) -> u32 {
        let at = self.data + (self.position & self.mask);
        // SAFETY: records begin at multiples of 8 within the data pages; the kernel writes the word atomically.
        let word = unsafe { &*self.producer.byte(at).cast::<AtomicU32>() };
        // Pairs with the kernel's exchange that clears the busy bit after the record is written.
        word.load(Ordering::Acquire)
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

struct Mapping {
    start: NonNull<c_void>,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone, and shared memory is reached through atomics or as said at each place.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(fd: BorrowedFd<'_>, length: usize, access: ProtFlags, offset: u64) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice changes no memory in use.
        let start = unsafe { mmap(ptr::null_mut(), length, access, MapFlags::SHARED, fd, offset) }?;
        let start = NonNull::new(start).ok_or_else(|| io::Error::other("the kernel mapped address zero"))?;
        Ok(Self { start, length })
    }

    /// The position at the start of a consumer's or producer's page.
    fn position(&self) -> &AtomicUsize {
        // SAFETY: the first word of the page is an `unsigned long` that both sides access atomically.
        unsafe { self.start.cast::<AtomicUsize>().as_ref() }
    }

    fn byte(&self, at: usize) -> *const u8 {
        assert!(at < self.length);
        // SAFETY: `at` is within the mapping.
        unsafe { self.start.cast::<u8>().as_ptr().add(at) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `start` and `length` are what `mmap` gave, and no reference into the mapping outlives its owner.
        // A failure would leave the mapping until the process ends, which harms nothing.
        let _ = unsafe { munmap(self.start.as_ptr(), self.length) };
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{fs::File, os::unix::fs::FileExt};

    use rustix::fs::{MemfdFlags, memfd_create};

    use super::*;

    const PAGE: usize = 4096;
    const SIZE: usize = PAGE;

    /// The kernel's side of a ring, in a file that is mapped as the kernel's memory would be.
    pub(crate) struct Producer {
        memory: File,
        position: usize,
    }

    pub(crate) fn ring() -> (Producer, Ring) {
        let memory = File::from(memfd_create("ring", MemfdFlags::CLOEXEC).unwrap());
        memory.set_len((2 * PAGE + 2 * SIZE) as u64).unwrap();
        let ring = Ring::new(memory.try_clone().unwrap().into(), SIZE, PAGE).unwrap();
        (Producer { memory, position: 0 }, ring)
    }

    impl Producer {
        /// Both copies of the data pages show the same memory.
        fn store(&self, at: usize, bytes: &[u8]) {
            for (number, byte) in bytes.iter().enumerate() {
                let place = (at + number) % SIZE;
                for copy in [0, SIZE] {
                    self.memory.write_all_at(&[*byte], (2 * PAGE + copy + place) as u64).unwrap();
                }
            }
        }

        /// Writes a record with these flags; where it begins.
        pub(crate) fn record(&mut self, bytes: &[u8], flags: u32) -> usize {
            let start = self.position;
            self.store(start, &(bytes.len() as u32 | flags).to_ne_bytes());
            self.store(start + RECORD_HEADER, bytes);
            self.position += (RECORD_HEADER + bytes.len()).next_multiple_of(8);
            self.memory.write_all_at(&self.position.to_ne_bytes(), PAGE as u64).unwrap();
            start
        }

        fn commit(&self, start: usize, length: usize) {
            self.store(start, &(length as u32).to_ne_bytes());
        }

        fn given_back(&self) -> usize {
            let mut position = [0; size_of::<usize>()];
            self.memory.read_exact_at(&mut position, 0).unwrap();
            usize::from_ne_bytes(position)
        }
    }

    #[test]
    fn records_come_in_order_and_wrap() {
        let (mut producer, mut ring) = ring();
        assert!(ring.peek().is_none());
        // 13 bytes take 24: 4096 is no multiple, so that some record wraps.
        for number in 0..1000u32 {
            let mut bytes = [7; 13];
            bytes[..4].copy_from_slice(&number.to_ne_bytes());
            producer.record(&bytes, 0);
            assert_eq!(ring.peek().unwrap(), bytes);
            assert_eq!(ring.peek().unwrap(), bytes, "looking takes nothing");
            ring.advance();
            assert!(ring.peek().is_none());
            ring.publish();
            assert_eq!(producer.given_back(), producer.position);
        }
    }

    #[test]
    fn nothing_is_given_back_before_it_is_published() {
        let (mut producer, mut ring) = ring();
        for _ in 0..10 {
            producer.record(b"record", 0);
        }
        assert_eq!(ring.filled(), 160);
        for _ in 0..10 {
            ring.peek().unwrap();
            ring.advance();
        }
        assert_eq!((producer.given_back(), ring.filled()), (0, 0));
        ring.publish_some();
        assert_eq!(producer.given_back(), 0, "less than an eighth of the ring");
        ring.publish();
        assert_eq!(producer.given_back(), 160);
    }

    #[test]
    fn a_busy_record_holds_back_what_follows() {
        let (mut producer, mut ring) = ring();
        let busy = producer.record(b"first", BUSY);
        producer.record(b"second", 0);
        assert!(ring.peek().is_none());
        producer.commit(busy, 5);
        assert_eq!(ring.peek().unwrap(), b"first");
        ring.advance();
        assert_eq!(ring.peek().unwrap(), b"second");
    }

    #[test]
    fn discarded_records_are_skipped_and_given_back_before_waiting() {
        let (mut producer, mut ring) = ring();
        producer.record(b"given up", DISCARDED);
        assert!(ring.peek_or_arm().is_none());
        assert_eq!(producer.given_back(), 16, "else the next record would wake nobody");
        producer.record(b"given up", DISCARDED);
        producer.record(b"kept", 0);
        assert_eq!(ring.peek_or_arm().unwrap(), b"kept");
    }
}
