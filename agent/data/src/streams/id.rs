use std::fmt;

/// The digits a stream's number has at least.
const DIGITS: usize = 12;

/// What carries a stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StreamKind {
    Tcp,
    Udp,
    Icmp,
    Sctp,
}

impl StreamKind {
    const NAMED: [Self; 3] = [Self::Udp, Self::Icmp, Self::Sctp];

    const fn suffix(self) -> &'static str {
        match self {
            Self::Tcp => "",
            Self::Udp => "_udp",
            Self::Icmp => "_icmp",
            Self::Sctp => "_sctp",
        }
    }
}

/// Which stream: its number, and what carries it. Shown as the name of its pcap: `000000000001.pcap`,
/// `000000000002_udp.pcap`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId {
    pub number: u64,
    pub kind: StreamKind,
}

impl StreamId {
    pub const fn new(number: u64, kind: StreamKind) -> Self {
        Self { number, kind }
    }

    pub const fn tcp(number: u64) -> Self {
        Self::new(number, StreamKind::Tcp)
    }

    pub const fn udp(number: u64) -> Self {
        Self::new(number, StreamKind::Udp)
    }

    /// Understands the name of a stream as items have it, with or without `.pcap`, with or without folders before it.
    pub fn parse(name: &str) -> Option<Self> {
        let base = name.rsplit_once('/').map_or(name, |(_, base)| base);
        let stem = base.strip_suffix(".pcap").unwrap_or(base);
        let named = |kind: StreamKind| stem.strip_suffix(kind.suffix()).map(|digits| (digits, kind));
        let (digits, kind) = StreamKind::NAMED.into_iter().find_map(named).unwrap_or((stem, StreamKind::Tcp));
        let is_canonical = digits.len() == DIGITS || (digits.len() > DIGITS && !digits.starts_with('0'));
        if !is_canonical || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        Some(Self::new(digits.parse().ok()?, kind))
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$}{}.pcap", self.number, self.kind.suffix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_stream() {
        let (icmp, sctp) = (StreamId::new(3, StreamKind::Icmp), StreamId::new(4, StreamKind::Sctp));
        for id in [
            StreamId::tcp(0),
            StreamId::udp(7),
            StreamId::tcp(10u64.pow(12)),
            StreamId::udp(u64::MAX),
            icmp,
            sctp,
        ] {
            let name = id.to_string();
            assert_eq!(StreamId::parse(&name), Some(id));
            assert_eq!(StreamId::parse(name.trim_end_matches(".pcap")), Some(id));
            assert_eq!(StreamId::parse(&format!("pcaps/{name}")), Some(id));
        }
        assert_eq!(StreamId::udp(2).to_string(), "000000000002_udp.pcap");
        assert_eq!(icmp.to_string(), "000000000003_icmp.pcap");
    }

    #[test]
    fn other_names_are_no_streams() {
        for name in
            ["", "1.pcap", "000000000001.pcapng", "0000000000001.pcap", "00000000000a", "+00000000001", "x"]
        {
            assert_eq!(StreamId::parse(name), None, "{name}");
        }
        assert_eq!(StreamId::parse("99999999999999999999.pcap"), None);
    }
}
