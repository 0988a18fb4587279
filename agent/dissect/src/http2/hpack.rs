//! HPACK, the compression of header fields (RFC 7541), for an observer that may have missed the beginning.
//!
//! Indexes into the dynamic table count from its newest entry. So an entry added since the last missing byte is found
//! whether the ones before are known or not, and one that was added earlier is known to be unknown: nothing is ever
//! taken for something else.

use std::collections::VecDeque;

use super::fields::FieldList;
use super::huffman;

/// Shown in place of a name or value that refers to bytes which were not captured.
pub(super) const UNKNOWN: &[u8] = b"(unknown)";

/// The table's size before anything else is agreed on (RFC 9113, section 6.5.2).
const DEFAULT_SIZE: usize = 4_096;

/// The largest table kept. Entries of a larger one are unknown once they are pushed out here.
const MAX_SIZE: usize = 64 << 10;

/// What an entry counts for besides its texts (section 4.1).
const ENTRY_OVERHEAD: usize = 32;

/// One direction's decompression.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The newest first.
    entries: VecDeque<Entry>,
    size: usize,
    max_size: usize,
    /// Where Huffman-coded texts are decoded to: name and value.
    scratch: [Vec<u8>; 2],
}

#[derive(Debug)]
struct Entry {
    /// Name and value.
    text: Box<[u8]>,
    name: u32,
    /// Nothing of it is missing.
    known: bool,
}

/// A field as it was looked up.
#[derive(Clone, Copy)]
struct Found<'a> {
    name: &'a [u8],
    value: &'a [u8],
    known: bool,
}

impl Decoder {
    /// At the beginning of a connection.
    pub(super) fn new() -> Self {
        Self { entries: VecDeque::new(), size: 0, max_size: DEFAULT_SIZE, scratch: [Vec::new(), Vec::new()] }
    }

    /// Header blocks were lost, or came before: what was in the table counts no more, nor does its size.
    pub(super) fn forget(&mut self) {
        *self = Self { max_size: MAX_SIZE, ..Self::new() };
    }

    /// Bytes of heap held.
    pub(super) fn memory(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
            + self.size
            + self.scratch.iter().map(Vec::capacity).sum::<usize>()
    }

    /// Decodes a header block into `list`. After an error the table is not to be trusted.
    pub(super) fn decode(&mut self, mut block: &[u8], list: &mut FieldList) -> Result<(), &'static str> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut result = Ok(());
        while let Some(&first) = block.first() {
            result = self.field(first, &mut block, &mut scratch, list);
            if result.is_err() {
                break;
            }
        }
        // A long text is rare; the memory for it is not kept.
        if scratch.iter().all(|text| text.capacity() <= DEFAULT_SIZE) {
            self.scratch = scratch;
        }
        result
    }

    /// One field or size update (section 6).
    fn field(
        &mut self,
        first: u8,
        block: &mut &[u8],
        scratch: &mut [Vec<u8>; 2],
        list: &mut FieldList,
    ) -> Result<(), &'static str> {
        if first & 0x80 != 0 {
            let found = self.find(integer(block, 7)?)?;
            list.push(found.name, found.value, found.known);
            return Ok(());
        }
        if first & 0xe0 == 0x20 {
            self.max_size = integer(block, 5)?.min(MAX_SIZE);
            self.evict(0);
            return Ok(());
        }
        let indexed = first & 0x40 != 0;
        let index = integer(block, if indexed { 6 } else { 4 })?;
        let [name_scratch, value_scratch] = scratch;
        let (name, known) = match index {
            0 => (string(block, name_scratch)?, true),
            index => {
                let found = self.find(index)?;
                (found.name, found.known)
            }
        };
        let value = string(block, value_scratch)?;
        list.push(name, value, known);
        if indexed {
            let entry = Entry { text: [name, value].concat().into(), name: name.len() as u32, known };
            self.insert(entry);
        }
        Ok(())
    }

    fn find(&self, index: usize) -> Result<Found<'_>, &'static str> {
        if index == 0 {
            return Err("index 0 in a header block");
        }
        if let Some(&(name, value)) = STATIC.get(index - 1) {
            return Ok(Found { name, value, known: true });
        }
        Ok(match self.entries.get(index - 1 - STATIC.len()) {
            Some(entry) => {
                let (name, value) = entry.text.split_at(entry.name as usize);
                Found { name, value, known: entry.known }
            }
            None => Found { name: UNKNOWN, value: UNKNOWN, known: false },
        })
    }

    fn insert(&mut self, entry: Entry) {
        let size = entry.text.len() + ENTRY_OVERHEAD;
        self.evict(size);
        if size <= self.max_size {
            self.size += size;
            self.entries.push_front(entry);
        }
    }

    /// Makes room. Nobody refers to what the sender's table pushed out; here it only frees memory.
    fn evict(&mut self, room: usize) {
        while self.size + room > self.max_size {
            let Some(entry) = self.entries.pop_back() else { break };
            self.size -= entry.text.len() + ENTRY_OVERHEAD;
        }
    }
}

/// An integer in the low `bits` bits of a byte and, where they do not suffice, the bytes after it (section 5.1).
fn integer(block: &mut &[u8], bits: u8) -> Result<usize, &'static str> {
    const ENDS: &str = "a header block ends inside a field";
    let (first, mut rest) = block.split_first().ok_or(ENDS)?;
    let limit = (1usize << bits) - 1;
    let mut value = usize::from(*first) & limit;
    if value == limit {
        // Four more bytes make 2^28, beyond any length that fits a block.
        for shift in [0, 7, 14, 21, 28] {
            let (&byte, after) = rest.split_first().ok_or(ENDS)?;
            rest = after;
            if shift == 28 {
                return Err("too large a number in a header block");
            }
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    *block = rest;
    Ok(value)
}

/// A text (section 5.2).
fn string<'t, 'b: 't>(block: &mut &'b [u8], scratch: &'t mut Vec<u8>) -> Result<&'t [u8], &'static str> {
    let coded = block.first().is_some_and(|byte| byte & 0x80 != 0);
    let length = integer(block, 7)?;
    let (text, rest) = block.split_at_checked(length).ok_or("a header block ends inside a text")?;
    *block = rest;
    if !coded {
        return Ok(text);
    }
    scratch.clear();
    if huffman::decode(text, scratch) { Ok(scratch) } else { Err("invalid Huffman code in a header block") }
}

/// Appendix A.
static STATIC: [(&[u8], &[u8]); 61] = [
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    (b":status", b"200"),
    (b":status", b"204"),
    (b":status", b"206"),
    (b":status", b"304"),
    (b":status", b"400"),
    (b":status", b"404"),
    (b":status", b"500"),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
    (b"accept-language", b""),
    (b"accept-ranges", b""),
    (b"accept", b""),
    (b"access-control-allow-origin", b""),
    (b"age", b""),
    (b"allow", b""),
    (b"authorization", b""),
    (b"cache-control", b""),
    (b"content-disposition", b""),
    (b"content-encoding", b""),
    (b"content-language", b""),
    (b"content-length", b""),
    (b"content-location", b""),
    (b"content-range", b""),
    (b"content-type", b""),
    (b"cookie", b""),
    (b"date", b""),
    (b"etag", b""),
    (b"expect", b""),
    (b"expires", b""),
    (b"from", b""),
    (b"host", b""),
    (b"if-match", b""),
    (b"if-modified-since", b""),
    (b"if-none-match", b""),
    (b"if-range", b""),
    (b"if-unmodified-since", b""),
    (b"last-modified", b""),
    (b"link", b""),
    (b"location", b""),
    (b"max-forwards", b""),
    (b"proxy-authenticate", b""),
    (b"proxy-authorization", b""),
    (b"range", b""),
    (b"referer", b""),
    (b"refresh", b""),
    (b"retry-after", b""),
    (b"server", b""),
    (b"set-cookie", b""),
    (b"strict-transport-security", b""),
    (b"transfer-encoding", b""),
    (b"user-agent", b""),
    (b"vary", b""),
    (b"via", b""),
    (b"www-authenticate", b""),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::fields::Fields;

    fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<String>, &'static str> {
        let mut list = FieldList::new(100, 1 << 16);
        decoder.decode(block, &mut list)?;
        Ok(Fields::of_pairs(&list.pairs, &[])
            .map(|(name, value)| {
                format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
            })
            .collect())
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|char| char.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
    }

    /// RFC 7541, appendix C.4: three requests with Huffman code.
    const REQUESTS: [&str; 3] = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];

    #[test]
    fn the_requests_of_the_specification() {
        let mut decoder = Decoder::new();
        let [first, second, third] = REQUESTS.map(|block| decode(&mut decoder, &hex(block)).unwrap());
        let start = [":method=GET", ":scheme=http", ":path=/", ":authority=www.example.com"];
        assert_eq!(first, start);
        assert_eq!(second, [&start[..], &["cache-control=no-cache"]].concat());
        let expected = [
            ":method=GET",
            ":scheme=https",
            ":path=/index.html",
            ":authority=www.example.com",
            "custom-key=custom-value",
        ];
        assert_eq!(third, expected);
        assert_eq!(decoder.size, 164);
    }

    /// RFC 7541, appendix C.6: responses with a table of 256 bytes, so that entries are pushed out.
    #[test]
    fn the_responses_of_the_specification() {
        let mut decoder = Decoder::new();
        decoder.max_size = 256;
        let first = "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
            1718 63c7 8f0b 97c8 e9ae 82ae 43d3";
        let second = "4883 640e ffc1 c0bf";
        let first = decode(&mut decoder, &hex(first)).unwrap();
        assert_eq!(first[0], ":status=302");
        let second = decode(&mut decoder, &hex(second)).unwrap();
        assert_eq!(second[0], ":status=307");
        assert_eq!(second[1..], first[1..]);
        assert_eq!(decoder.size, 222);
    }

    #[test]
    fn what_came_before_is_unknown_and_what_comes_is_not() {
        let mut decoder = Decoder::new();
        decoder.forget();
        let second = decode(&mut decoder, &hex(REQUESTS[1])).unwrap();
        assert_eq!(second[3..], ["(unknown)=(unknown)", "cache-control=no-cache"]);
        let third = decode(&mut decoder, &hex(REQUESTS[2])).unwrap();
        assert_eq!(third[3..], ["(unknown)=(unknown)", "custom-key=custom-value"]);
        // The newest two; then a literal whose name is the third, which nobody has seen, and that entry itself.
        let block = [0xbe, 0xbf, 0x7f, 1];
        assert_eq!(decode(&mut decoder, &block), Err("a header block ends inside a field"));
        let block = [0xbe, 0xbf, 0x7f, 1, 1, b'v', 0xbe];
        let expected = ["custom-key=custom-value", "cache-control=no-cache", "(unknown)=v", "(unknown)=v"];
        assert_eq!(decode(&mut decoder, &block).unwrap(), expected);
        let mut list = FieldList::new(100, 1 << 16);
        decoder.decode(&[0xbe], &mut list).unwrap();
        assert_eq!(list.unknown, 1);
    }

    #[test]
    fn a_hostile_block_is_refused() {
        for block in [
            &[0x80][..],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x40, 0x7f, 0xff, 0xff, 0x7f],
            &[0x41, 0x81, 0x00],
            &[0x00],
            &[0x7f],
        ] {
            assert!(decode(&mut Decoder::new(), block).is_err(), "{block:?}");
        }
        // A table that is asked to be huge stays small, and so does a list that says one long field again and again.
        let mut decoder = Decoder::new();
        let mut block = vec![0x3f, 0xff, 0xff, 0xff, 0x7f];
        block.extend([0x40, 1, b'a', 0x7f, 0x81, 0x1e]);
        block.extend([b'x'; 4_000]);
        block.extend([0xbe; 60_000]);
        let mut list = FieldList::new(1_000_000, 1 << 16);
        decoder.decode(&block, &mut list).unwrap();
        assert!(list.pairs.len() <= 1 << 16 && list.cut > 50_000);
        assert!(decoder.memory() < MAX_SIZE * 2);
    }
}
