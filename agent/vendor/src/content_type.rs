//! What kind of file an object is.

/// Bytes that are looked at.
pub(crate) const LOOK: usize = 512;

/// The media type of a file by its name and its first bytes.
pub(crate) fn of(name: &str, start: &[u8]) -> &'static str {
    match start {
        // pcap: microseconds and nanoseconds, both byte orders.
        [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..] => return "application/vnd.tcpdump.pcap",
        [0x0a, 0x0d, 0x0d, 0x0a, ..] => return "application/x-pcapng",
        [0x1f, 0x8b, ..] => return "application/gzip",
        [b'P', b'K', 3, 4, ..] => return "application/zip",
        _ => {}
    }
    // The end of what was looked at may be in the middle of a character.
    let text = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && start.len() == LOOK,
    };
    if !text || start.iter().any(|&byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))
    {
        return "application/octet-stream";
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if ["json", "har"].iter().any(|known| extension.eq_ignore_ascii_case(known)) {
        "application/json"
    } else {
        "text/plain; charset=utf-8"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_told_by_first_bytes_and_name() {
        let mut cut = "é".repeat(300).into_bytes();
        cut.remove(0);
        cut.insert(0, b'a');
        cut.insert(0, b'a');
        cut.truncate(LOOK);
        for (name, start, expected) in [
            ("a.pcap", &[0xd4, 0xc3, 0xb2, 0xa1, 0][..], "application/vnd.tcpdump.pcap"),
            ("a.tar.gz", &[0x1f, 0x8b, 8], "application/gzip"),
            ("a.json", b"{\"a\":1}", "application/json"),
            ("a.JSON", b"\0{}", "application/octet-stream"),
            ("a.txt", b"hello\n", "text/plain; charset=utf-8"),
            ("a", b"", "text/plain; charset=utf-8"),
            ("a.txt", b"\xff", "application/octet-stream"),
        ] {
            assert_eq!(of(name, start), expected, "{name}");
        }
        assert_eq!(of("x", &"aé".repeat(200).into_bytes()[..LOOK]), "text/plain; charset=utf-8");
    }
}
