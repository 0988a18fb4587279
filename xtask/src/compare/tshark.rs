//! What tshark finds. It is asked for PDML, its whole tree as XML: the rows of `-T fields` mix the messages of a packet.

use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::layer::{Field, Layer};
use super::protocols;
use super::{Message, Place};
use crate::process::{self, say};

/// The layers that say who talks to whom.
const CARRIERS: [&str; 5] = ["ip", "ipv6", "tcp", "udp", "sctp"];

/// tshark, and what it is asked for.
pub(super) struct Tshark {
    /// Of the layers in [`protocols`] those that this version knows: a filter with another would be refused.
    layers: Vec<&'static str>,
    decode_as: Vec<String>,
}

impl Tshark {
    pub(super) fn new(decode_as: Vec<String>) -> Result<Self> {
        let known = process::output(Command::new("tshark").args(["-G", "protocols"]))?;
        Ok(Self { layers: layers(&known), decode_as })
    }

    /// The messages tshark finds in a capture. Of one that breaks off, those before; tshark's complaint goes to stderr.
    pub(super) fn messages(&self, file: &Path) -> Result<Vec<Message>> {
        let mut command = Command::new("tshark");
        command.arg("-r").arg(file).args(["-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-T", "pdml"]);
        command.args(["-Y", &self.layers.join(" or ")]);
        command.args(["-J", &[&CARRIERS[..], &self.layers].concat().join(" ")]);
        for rule in &self.decode_as {
            command.args(["-d", rule]);
        }
        let line = process::line(&command);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{line}` can't be started"))?;
        let mut stderr = child.stderr.take().context("a child has no stderr")?;
        let complaints = thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).into_owned())
        });
        let stdout = child.stdout.take().context("a child has no stdout")?;
        let found = read(BufReader::new(stdout));
        let status = child.wait()?;
        let complaints = match complaints.join() {
            Ok(text) => text?,
            Err(_) => bail!("reading the messages of `{line}` panicked"),
        };
        // 2 is for a capture that can't be read to its end; what is wrong with the question is no matter of the capture.
        match status.code() {
            Some(0) => {}
            Some(2) => say!("tshark: {}", complaints.trim().lines().last().unwrap_or_default()),
            _ => bail!("`{line}` failed ({status}): {}", complaints.trim()),
        }
        found.with_context(|| format!("what `{line}` prints can't be read"))
    }
}

/// Those of our layers that are in the output of `tshark -G protocols`: lines of name, short name and filter name.
fn layers(known: &str) -> Vec<&'static str> {
    let known: Vec<&str> = known.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    protocols::all()
        .flat_map(|mapping| mapping.layers.iter().copied())
        .filter(|layer| known.contains(layer))
        .collect()
}

/// The messages in a PDML text; what a text that breaks off has before its end.
fn read(pdml: impl BufRead) -> Result<Vec<Message>> {
    let mut reader = Reader::from_reader(pdml);
    reader.config_mut().check_end_names = false;
    let (mut messages, mut buffer) = (Vec::new(), Vec::new());
    let mut packet = Packet::default();
    loop {
        match reader.read_event_into(&mut buffer)? {
            Event::Start(tag) => packet.open(&tag, true),
            Event::Empty(tag) => packet.open(&tag, false),
            Event::End(tag) if tag.name().as_ref() == b"packet" => {
                messages.extend(packet.layers.drain(..).flat_map(|layer| said(&layer, packet.time)));
            }
            Event::End(_) => packet.close(),
            Event::Eof => return Ok(messages),
            _ => {}
        }
        buffer.clear();
    }
}

/// The messages in a layer.
fn said(layer: &Layer, time: i64) -> Vec<Message> {
    let mapping = protocols::all().find(|mapping| mapping.layers.contains(&layer.name.as_str()));
    let keys = mapping.map(|mapping| (mapping.protocol, (mapping.theirs)(layer)));
    let messages = keys.into_iter().flat_map(|(protocol, keys)| {
        let message = move |key| Message { protocol, time, from: layer.from, to: layer.to, key };
        keys.into_iter().map(message)
    });
    messages.collect()
}

/// The packet being read.
struct Packet {
    time: i64,
    from: Place,
    to: Place,
    /// Open elements below the packet: the layer is at 1.
    depth: usize,
    layers: Vec<Layer>,
}

impl Default for Packet {
    fn default() -> Self {
        let nowhere = (IpAddr::from([0, 0, 0, 0]), 0);
        Self { time: 0, from: nowhere, to: nowhere, depth: 0, layers: Vec::new() }
    }
}

impl Packet {
    fn open(&mut self, tag: &BytesStart<'_>, stays_open: bool) {
        match tag.name().as_ref() {
            b"packet" => *self = Self::default(),
            b"proto" | b"field" => {
                if self.depth == 0 {
                    let name = attribute(tag, b"name");
                    self.layers.push(Layer { name, from: self.from, to: self.to, fields: Vec::new() });
                } else {
                    self.field(tag);
                }
                self.depth += usize::from(stays_open);
            }
            _ => {}
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn field(&mut self, tag: &BytesStart<'_>) {
        let (name, show) = (attribute(tag, b"name"), attribute(tag, b"show"));
        let Some(layer) = self.layers.last_mut() else { return };
        match (layer.name.as_str(), name.as_str()) {
            ("geninfo", "timestamp") => self.time = nanos(&attribute(tag, b"value")).unwrap_or(0),
            // Of tunnels, the innermost: a new header forgets the ports of the one outside.
            ("ip", "ip.src") | ("ipv6", "ipv6.src") if self.depth == 1 => self.from = (address(&show), 0),
            ("ip", "ip.dst") | ("ipv6", "ipv6.dst") if self.depth == 1 => self.to = (address(&show), 0),
            ("tcp" | "udp" | "sctp", _) if name.ends_with(".srcport") => {
                self.from.1 = show.parse().unwrap_or(0)
            }
            ("tcp" | "udp" | "sctp", _) if name.ends_with(".dstport") => {
                self.to.1 = show.parse().unwrap_or(0)
            }
            _ => {}
        }
        layer.to = self.to;
        layer.from = self.from;
        if !CARRIERS[..4].contains(&layer.name.as_str()) {
            layer.fields.push(Field { depth: self.depth - 1, name, show, line: attribute(tag, b"showname") });
        }
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

/// `1795296264.374541000`
fn nanos(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.')?;
    let fraction: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction)
}

/// Empty where it is not there. tshark prints bytes that are no UTF-8 as they are.
fn attribute(tag: &BytesStart<'_>, name: &[u8]) -> String {
    let mut attributes = tag.attributes();
    let value = attributes
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.as_ref() == name)
        .map(|found| found.value);
    let Some(value) = value else { return String::new() };
    let text = String::from_utf8_lossy(&value);
    quick_xml::escape::unescape(&text).map_or_else(|_| text.to_string(), |text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PDML: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<!-- a comment -->
<pdml version="0">
<packet>
  <proto name="geninfo"><field name="timestamp" show="Nov 21" value="1795296264.374541000"/></proto>
  <proto name="ip"><field name="ip.src" show="192.0.2.9"/><field name="ip.dst" show="192.0.2.8"/></proto>
  <proto name="udp"><field name="udp.srcport" show="5"/><field name="udp.dstport" show="6"/></proto>
  <proto name="ipv6"><field name="ipv6.src" show="2001:db8::1"/><field name="ipv6.dst" show="2001:db8::2"/></proto>
  <proto name="tcp"><field name="tcp.srcport" show="4000"/><field name="tcp.dstport" show="80"/></proto>
  <proto name="http">
    <field name="" show="GET /a?b=1&amp;c=&quot; HTTP/1.1\r\n">
      <field name="http.request.method" showname="Request Method: GET" show="GET"/>
      <field name="http.request.uri" show="/a?b=1&amp;c=2"/>
    </field>
  </proto>
  <proto name="http"><field name=""><field name="http.request.method" show="PUT"/><field name="http.request.uri" show="/x"/></field></proto>
</packet>
<packet><proto name="geninfo"></proto><proto name="dns"></proto></packet>
"#;

    #[test]
    fn each_layer_is_a_message_of_the_innermost_endpoints() {
        let messages = read(PDML.as_bytes()).unwrap();
        let keys: Vec<_> = messages.iter().map(|message| message.key.as_str()).collect();
        assert_eq!(keys, ["GET /a?b=1&c=2", "PUT /x"]);
        let Message { protocol, time, from, to, .. } = messages[0].clone();
        assert_eq!((protocol, time), ("http1", 1_795_296_264_374_541_000));
        assert_eq!(
            (from, to),
            (("2001:db8::1".parse().unwrap(), 4_000), ("2001:db8::2".parse().unwrap(), 80))
        );
    }

    #[test]
    fn a_text_that_breaks_off_counts_as_far_as_it_goes() {
        let cut = PDML.find("<packet><proto name=\"geninfo\"></proto>").unwrap() + 20;
        assert_eq!(read(&PDML.as_bytes()[..cut]).map_or(2, |messages| messages.len()), 2);
        assert!(read(&b""[..]).unwrap().is_empty());
    }

    #[test]
    fn only_layers_that_tshark_knows_are_asked_for() {
        let known = "Domain Name System\tDNS\tdns\tT\tT\tT\nEthernet\tEthernet\teth\nHypertext\tHTTP\thttp\n";
        assert_eq!(layers(known), ["http", "dns"]);
    }

    #[test]
    fn times_have_nine_digits() {
        assert_eq!(nanos("1.5"), Some(1_500_000_000));
        assert_eq!(nanos("x"), None);
    }
}
