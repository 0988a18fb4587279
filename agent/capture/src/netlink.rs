//! The few rtnetlink messages needed: which interfaces there are, which come and go, and which filters one has.
//!
//! <https://man7.org/linux/man-pages/man7/rtnetlink.7.html>

use std::{io, mem::MaybeUninit, os::fd::OwnedFd};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, netlink::SocketAddrNetlink, recv,
        send, socket_with, sockopt,
    },
};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTM_DELQDISC: u16 = 37;
const RTM_NEWTFILTER: u16 = 44;
const RTM_GETTFILTER: u16 = 46;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const RTMGRP_LINK: u32 = 1;
const IFLA_IFNAME: u16 = 3;
const IFF_LOOPBACK: u32 = 8;
const AF_UNSPEC: u8 = 0;

/// `TC_H_CLSACT`: the qdisc that holds filters for both directions.
const CLSACT: u32 = 0xffff_0000;
const CLSACT_PARENT: u32 = 0xffff_fff1;
/// The parents of its ingress and egress filters.
const CLSACT_FILTERS: [u32; 2] = [0xffff_fff2, 0xffff_fff3];

const HEADER: usize = 16;
/// What the kernel sends at once at most: `NLMSG_GOODSIZE` is a page, dumps use up to 32 KiB.
const RECEIVE: usize = 64 << 10;

/// What the kernel told of an interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum LinkEvent {
    /// It is there; also told when anything about it changes, its name for one.
    Present(Link),
    Gone {
        index: u32,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// Its `ARPHRD_` number.
    pub(crate) arphrd: u16,
    pub(crate) loopback: bool,
}

pub(crate) struct Netlink {
    socket: OwnedFd,
    buffer: Box<[u8]>,
}

impl Netlink {
    /// A socket that hears of interfaces coming and going in the thread's network namespace.
    pub(crate) fn subscribed() -> io::Result<Self> {
        let netlink = Self::open(RTMGRP_LINK)?;
        rustix::io::ioctl_fionbio(&netlink.socket, true)?;
        // A node that starts hundreds of pods at once sends more than fits the default; what is lost costs a new dump.
        let _ = sockopt::set_socket_recv_buffer_size(&netlink.socket, 1 << 20);
        Ok(netlink)
    }

    fn open(groups: u32) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, groups))?;
        Ok(Self { socket, buffer: vec![0; RECEIVE].into_boxed_slice() })
    }

    pub(crate) fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// What was told since last asked; `None` where the kernel had to drop some of it, and only a dump helps.
    pub(crate) fn events(&mut self) -> io::Result<Option<Vec<LinkEvent>>> {
        let mut events = Vec::new();
        loop {
            match recv(&self.socket, &mut *self.buffer, RecvFlags::empty()) {
                Ok((length, _)) => {
                    for (kind, payload) in messages(&self.buffer[..length]) {
                        events.extend(link_event(kind, payload));
                    }
                }
                Err(Errno::AGAIN) => return Ok(Some(events)),
                Err(Errno::INTR) => {}
                Err(Errno::NOBUFS) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// All interfaces of the thread's network namespace.
pub(crate) fn links() -> io::Result<Vec<Link>> {
    let mut links = Vec::new();
    let body = [AF_UNSPEC; 16];
    exchange(RTM_GETLINK, NLM_F_DUMP, &body, |kind, payload| {
        if let Some(LinkEvent::Present(link)) = link_event(kind, payload) {
            links.push(link);
        }
    })?;
    Ok(links)
}

/// Removes the clsact qdisc of an interface, if no filter is left in it. Whether it did.
pub(crate) fn remove_idle_clsact(interface: u32) -> io::Result<bool> {
    for parent in CLSACT_FILTERS {
        let mut filters = 0;
        exchange(RTM_GETTFILTER, NLM_F_DUMP, &tcmsg(interface, 0, parent), |kind, _| {
            filters += u32::from(kind == RTM_NEWTFILTER);
        })?;
        if filters > 0 {
            return Ok(false);
        }
    }
    exchange(RTM_DELQDISC, NLM_F_ACK, &tcmsg(interface, CLSACT, CLSACT_PARENT), |_, _| {})?;
    Ok(true)
}

/// `struct tcmsg`: family and padding, interface, handle, parent, info.
fn tcmsg(interface: u32, handle: u32, parent: u32) -> [u8; 20] {
    let mut message = [0; 20];
    message[4..8].copy_from_slice(&interface.to_ne_bytes());
    message[8..12].copy_from_slice(&handle.to_ne_bytes());
    message[12..16].copy_from_slice(&parent.to_ne_bytes());
    message
}

/// Sends a request and hands on what is answered, until the kernel says that was all.
fn exchange(kind: u16, flags: u16, body: &[u8], mut on_message: impl FnMut(u16, &[u8])) -> io::Result<()> {
    let netlink = Netlink::open(0)?;
    let mut request = Vec::with_capacity(HEADER + body.len());
    request.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    request.extend(kind.to_ne_bytes());
    request.extend((NLM_F_REQUEST | flags).to_ne_bytes());
    request.extend(1u32.to_ne_bytes());
    request.extend(0u32.to_ne_bytes());
    request.extend(body);
    send(&netlink.socket, &request, SendFlags::empty())?;
    let mut buffer = vec![MaybeUninit::uninit(); RECEIVE];
    loop {
        let ((answer, _), _) = match recv(&netlink.socket, &mut *buffer, RecvFlags::empty()) {
            Ok(received) => received,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        for (kind, payload) in messages(answer) {
            match kind {
                NLMSG_DONE => return Ok(()),
                NLMSG_ERROR => {
                    return match payload.first_chunk().map(|code| i32::from_ne_bytes(*code)) {
                        Some(0) => Ok(()),
                        Some(code) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
                        None => Err(io::ErrorKind::InvalidData.into()),
                    };
                }
                _ => on_message(kind, payload),
            }
        }
    }
}

/// The messages of a datagram, as type and payload; ends where one is broken.
fn messages(mut datagram: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (header, _) = datagram.split_first_chunk::<HEADER>()?;
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        let payload = datagram.get(HEADER..length)?;
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some((kind, payload))
    })
}

fn link_event(kind: u16, payload: &[u8]) -> Option<LinkEvent> {
    // `struct ifinfomsg`: family, padding, ARPHRD type, index, flags, change mask; attributes follow.
    let (info, attributes) = payload.split_first_chunk::<16>()?;
    // A port that leaves its bridge is told as gone too, in the bridge's family; the interface is still there.
    if info[0] != AF_UNSPEC {
        return None;
    }
    let index = u32::from_ne_bytes([info[4], info[5], info[6], info[7]]);
    match kind {
        RTM_DELLINK => Some(LinkEvent::Gone { index }),
        RTM_NEWLINK => {
            let name = attribute(attributes, IFLA_IFNAME)?;
            let name = String::from_utf8_lossy(name.strip_suffix(&[0]).unwrap_or(name)).into_owned();
            let flags = u32::from_ne_bytes([info[8], info[9], info[10], info[11]]);
            let arphrd = u16::from_ne_bytes([info[2], info[3]]);
            Some(LinkEvent::Present(Link { index, name, arphrd, loopback: flags & IFF_LOOPBACK != 0 }))
        }
        _ => None,
    }
}

fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (header, _) = attributes.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let value = attributes.get(4..length)?;
        if u16::from_ne_bytes([header[2], header[3]]) == wanted {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link_message(kind: u16, family: u8, name: &[u8]) -> Vec<u8> {
        let mut body = vec![family, 0];
        body.extend(1u16.to_ne_bytes());
        body.extend(7u32.to_ne_bytes());
        body.extend(IFF_LOOPBACK.to_ne_bytes());
        body.extend([0; 4]);
        body.extend([8, 0, 13, 0, 0, 0, 0, 0]);
        body.extend((4 + name.len() as u16).to_ne_bytes());
        body.extend(IFLA_IFNAME.to_ne_bytes());
        body.extend(name);
        body.resize(body.len().next_multiple_of(4), 0);
        let mut message = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend([0; 10]);
        message.extend(body);
        message
    }

    fn events(datagram: &[u8]) -> Vec<LinkEvent> {
        messages(datagram).filter_map(|(kind, payload)| link_event(kind, payload)).collect()
    }

    #[test]
    fn links_come_and_go() {
        let mut datagram = link_message(RTM_NEWLINK, AF_UNSPEC, b"veth1\0");
        datagram.extend(link_message(RTM_DELLINK, AF_UNSPEC, b"veth1\0"));
        let link = Link { index: 7, name: "veth1".into(), arphrd: 1, loopback: true };
        assert_eq!(events(&datagram), [LinkEvent::Present(link), LinkEvent::Gone { index: 7 }]);
    }

    #[test]
    fn leaving_a_bridge_is_not_going() {
        const AF_BRIDGE: u8 = 7;
        assert_eq!(events(&link_message(RTM_DELLINK, AF_BRIDGE, b"veth1\0")), []);
    }

    #[test]
    fn broken_messages_end_the_datagram() {
        let message = link_message(RTM_NEWLINK, AF_UNSPEC, b"veth1\0");
        for length in 0..message.len() {
            assert_eq!(events(&message[..length]), [], "{length} bytes");
        }
        let mut long = message.clone();
        long[0] = 255;
        assert_eq!(events(&long), []);
    }

    #[test]
    fn the_loopback_interface_is_listed() {
        let links = links().unwrap();
        assert!(
            links.iter().any(|link| link.loopback && link.name == "lo" && link.arphrd == 772),
            "{links:?}"
        );
    }
}
