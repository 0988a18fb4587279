//! `cargo xtask vary`: a capture made worse, for a look at what the agent makes of it.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use remora_packet::LinkType;
use remora_pcap::{PcapReader, PcapWriter, Resolution};
use remora_variants::{OwnedPacket, Variant};

/// Writes lossy, reordered, repeated, cut and late-joining variants of a capture; prints their paths
#[derive(Args, Debug)]
#[command(
    after_help = "The tests make the same variants in memory: no item that is not marked may differ from the intact capture's.\n\
                  Example: cargo xtask vary tests/fixtures/http1.pcap --seed 3 --out /tmp/worse"
)]
pub(crate) struct Arguments {
    /// pcap or pcapng, plain or gzip
    file: PathBuf,
    /// Folder for the variants; without it, beside the capture
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Picks the packets that are lost, moved and repeated
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Only these: loss, reorder, duplicates, snaplen, midstream, all (everything at once); or heavier loss than the six:
    /// loss-20, loss-30, loss-50 (per cent), every-2 to every-8 (one packet in so many), bursts
    #[arg(long = "variant", value_name = "NAME", value_parser = variant)]
    variants: Vec<Variant>,
}

fn variant(name: &str) -> Result<Variant, String> {
    let mut all = Variant::EACH.into_iter().chain(Variant::HEAVY);
    let names: Vec<String> = all.clone().map(|variant| variant.to_string()).collect();
    all.find(|variant| variant.to_string() == name).ok_or_else(|| format!("there are {}", names.join(", ")))
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let packets = read(&arguments.file)?;
    let name = arguments.file.file_name().and_then(|name| name.to_str()).context("the file has no name")?;
    let stem =
        [".gz", ".pcapng", ".pcap"].iter().fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
    let beside = arguments.file.parent().unwrap_or(Path::new(""));
    let folder = arguments.out.as_deref().unwrap_or(beside);
    if arguments.out.is_some() {
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    }
    let wanted = if arguments.variants.is_empty() { &Variant::EACH[..] } else { &arguments.variants };
    for variant in wanted {
        let path = folder.join(format!("{stem}.{variant}.pcap"));
        write(&path, &variant.apply(&packets, arguments.seed))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// All packets of a capture; one that breaks off gives what came before, and says so.
pub(crate) fn read(path: &Path) -> Result<Vec<OwnedPacket>> {
    let file = File::open(path).with_context(|| format!("{} can't be opened", path.display()))?;
    let mut reader = PcapReader::new(BufReader::new(file)).with_context(|| path.display().to_string())?;
    let mut packets = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(packet)) => packets.push(OwnedPacket::from(&packet)),
            Ok(None) => break,
            Err(error) if packets.is_empty() => bail!("{}: {error}", path.display()),
            Err(error) => {
                eprintln!("xtask: {}: {error}; {} packets before it", path.display(), packets.len());
                break;
            }
        }
    }
    Ok(packets)
}

pub(crate) fn write(path: &Path, packets: &[OwnedPacket]) -> Result<()> {
    let Some(link) = packets.first().map(|packet| packet.link) else {
        bail!("{}: no packets are left to write", path.display());
    };
    write_all(path, link, packets)
}

/// As [`write`], of no packets too.
pub(crate) fn write_all(path: &Path, link: LinkType, packets: &[OwnedPacket]) -> Result<()> {
    let file = File::create(path).with_context(|| format!("{} can't be written", path.display()))?;
    let mut writer = PcapWriter::new(BufWriter::new(file), link, 0, Resolution::Nanos)?;
    for packet in packets {
        writer.write(&packet.as_packet()).with_context(|| path.display().to_string())?;
    }
    writer.into_inner().flush().with_context(|| path.display().to_string())
}
