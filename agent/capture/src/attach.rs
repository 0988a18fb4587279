//! Puts the programs on an interface and takes them off again.
//!
//! They go before all others and let the packet go on, so that each packet is seen as it came and nobody's decision about
//! it changes.

use std::io;

use aya::{
    Ebpf,
    programs::{
        LinkOrder, SchedClassifier, TcAttachType,
        tc::{
            NlOptions, SchedClassifierLinkId, TcAttachOptions, TcError, qdisc_add_clsact,
            qdisc_detach_program,
        },
    },
};
use capture_common::{EGRESS, INGRESS};
use rustix::io::Errno;

use crate::{
    AttachMode, CaptureError,
    error::os_error,
    kernel,
    netlink::{self, Link},
};

/// What a program hangs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hook {
    /// A tcx link, which the kernel removes when the agent ends, however it ends.
    Tcx,
    /// A filter of the interface's clsact qdisc.
    Clsact,
}

/// Filters of this priority come first; ties go to the one added last.
/// <https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/net/sched/cls_bpf.c?h=v6.1.192#n519>
const FIRST: u16 = 1;

pub(crate) struct Attacher {
    ebpf: Ebpf,
    mode: AttachMode,
}

pub(crate) struct Attachment {
    pub(crate) hook: Hook,
    links: Vec<(&'static str, SchedClassifierLinkId)>,
    /// Whether the interface had no clsact qdisc before.
    own_clsact: bool,
}

impl Attacher {
    pub(crate) fn new(ebpf: Ebpf, mode: AttachMode) -> Self {
        Self { ebpf, mode }
    }

    pub(crate) fn attach(&mut self, link: &Link) -> Result<Attachment, CaptureError> {
        match self.mode {
            AttachMode::Tcx => self.attach_by(link, Hook::Tcx),
            AttachMode::Clsact => self.attach_by(link, Hook::Clsact),
            AttachMode::Auto => match self.attach_by(link, Hook::Tcx) {
                Err(CaptureError::NoHook { .. }) => {
                    let attachment = self.attach_by(link, Hook::Clsact)?;
                    self.mode = AttachMode::Clsact;
                    Ok(attachment)
                }
                result => result,
            },
        }
    }

    fn attach_by(&mut self, link: &Link, hook: Hook) -> Result<Attachment, CaptureError> {
        let own_clsact = hook == Hook::Clsact && add_clsact(link)?;
        let mut attachment = Attachment { hook, links: Vec::with_capacity(2), own_clsact };
        // What leaves by the loopback interface comes in by it at once.
        let directions: &[_] = match link.loopback {
            true => &[(INGRESS, TcAttachType::Ingress)],
            false => &[(INGRESS, TcAttachType::Ingress), (EGRESS, TcAttachType::Egress)],
        };
        for &(name, direction) in directions {
            let program = kernel::program(&mut self.ebpf, name)?;
            match hang(program, name, link, direction, hook) {
                Ok(id) => attachment.links.push((name, id)),
                Err(error) => {
                    self.detach(attachment, link.index, &link.name);
                    return Err(error);
                }
            }
        }
        Ok(attachment)
    }

    /// Errors are only told: the interface may be gone, and with it all that hung on it.
    pub(crate) fn detach(&mut self, attachment: Attachment, index: u32, name: &str) {
        for (program, id) in attachment.links {
            let result = kernel::program(&mut self.ebpf, program)
                .map_err(|error| error.to_string())
                .and_then(|program| program.detach(id).map_err(|error| error.to_string()));
            if let Err(error) = result {
                tracing::debug!(interface = name, program, error, "could not detach");
            }
        }
        if attachment.own_clsact {
            match netlink::remove_idle_clsact(index) {
                Ok(true) => {}
                Ok(false) => tracing::info!(interface = name, "others use the clsact qdisc by now; it stays"),
                Err(error) => tracing::debug!(interface = name, %error, "could not remove the clsact qdisc"),
            }
        }
    }
}

fn hang(
    program: &mut SchedClassifier,
    name: &'static str,
    link: &Link,
    direction: TcAttachType,
    hook: Hook,
) -> Result<SchedClassifierLinkId, CaptureError> {
    let options = match hook {
        Hook::Tcx => TcAttachOptions::TcxOrder(LinkOrder::first()),
        Hook::Clsact => {
            remove_left_over(link, direction, name);
            TcAttachOptions::Netlink(NlOptions { priority: FIRST, ..NlOptions::default() })
        }
    };
    program.attach_with_options(&link.name, direction, options).map_err(|error| {
        let errno = os_error(&error).and_then(io::Error::raw_os_error).map(Errno::from_raw_os_error);
        let interface = link.name.clone();
        match (hook, errno) {
            (_, Some(Errno::PERM | Errno::ACCESS)) => {
                CaptureError::Privilege { what: "attach to an interface" }
            }
            // Kernels before 6.6 don't know the attach type; later ones may be built without it.
            (Hook::Tcx, Some(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS)) => {
                CaptureError::NoHook { interface, option: "tcx links (Linux 6.6 with CONFIG_NET_XGRESS)" }
            }
            (Hook::Clsact, Some(Errno::NOENT)) => {
                CaptureError::NoHook { interface, option: "BPF filters (CONFIG_NET_CLS_BPF)" }
            }
            _ => CaptureError::Attach { interface, error: error.into() },
        }
    })
}

/// Whether the qdisc was not there before.
fn add_clsact(link: &Link) -> Result<bool, CaptureError> {
    let Err(error) = qdisc_add_clsact(&link.name) else { return Ok(true) };
    let errno = match &error {
        TcError::NetlinkError(error) => error.raw_os_error(),
        error => os_error(error).and_then(io::Error::raw_os_error),
    };
    match errno.map(Errno::from_raw_os_error) {
        Some(Errno::EXIST) => Ok(false),
        Some(Errno::PERM | Errno::ACCESS) => Err(CaptureError::Privilege { what: "attach to an interface" }),
        Some(Errno::NOENT) => Err(CaptureError::NoHook {
            interface: link.name.clone(),
            option: "the clsact qdisc (CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_ACT)",
        }),
        _ => Err(CaptureError::Attach { interface: link.name.clone(), error: error.into() }),
    }
}

/// A filter, unlike a link, outlives an agent that was killed, and goes on filling rings that nobody reads.
fn remove_left_over(link: &Link, direction: TcAttachType, name: &str) {
    if qdisc_detach_program(&link.name, direction, name).is_ok() {
        tracing::warn!(interface = link.name, filter = name, "removed a filter left over from another run");
    }
}
