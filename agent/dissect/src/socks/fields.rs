//! The two sides of an item. All texts have at most 255 bytes, as has the list of methods: nothing is cut.

use std::net::IpAddr;

use super::message::{Host, NO_AUTHENTICATION, NO_METHOD, PASSWORD, Reply, Request, Target};
use super::names;
use crate::address;
use crate::tree::{Fields, Tree};

/// What a client said.
#[derive(Default)]
pub(super) struct Asked<'a> {
    pub(super) version: u8,
    pub(super) methods: Option<&'a [u8]>,
    /// Of the credentials of version 5.
    pub(super) user: Option<&'a [u8]>,
    pub(super) request: Option<&'a Request>,
}

/// What a server said.
#[derive(Default)]
pub(super) struct Answered<'a> {
    pub(super) version: u8,
    pub(super) method: Option<u8>,
    /// The status of the credentials.
    pub(super) verdict: Option<u8>,
    pub(super) reply: Option<&'a Reply>,
    /// The second reply to a BIND.
    pub(super) incoming: Option<&'a Reply>,
}

impl Asked<'_> {
    pub(super) fn fields(&self) -> Fields {
        let mut fields = Fields::with_capacity(9).with("version", self.version);
        let command = self.request.map(|request| request.command);
        match command {
            Some(code) => match names::command(code) {
                Some(name) => fields.push("command", name),
                None => fields.push("command", code.to_string()),
            },
            // A conversation that did not get as far.
            None => fields.push("command", "NEGOTIATE"),
        }
        if let Some(request) = self.request {
            place(&mut fields, ["host", "port", "addressType"], &request.target);
        }
        if let Some(methods) = self.methods {
            fields.push("methods", methods.iter().copied().collect::<Tree>());
        }
        if let Some(user) = self.user {
            fields.push("user", Tree::lossy(user));
            fields.push("password", "***");
        }
        // Version 4 always has one, which is empty as a rule.
        let user = self.request.and_then(|request| request.user.as_deref());
        if let Some(user @ [_, ..]) = user {
            fields.push("user", Tree::lossy(user));
        }
        fields
    }
}

impl Answered<'_> {
    pub(super) fn fields(&self) -> Fields {
        let mut fields = Fields::with_capacity(9).with("version", self.version);
        if let Some(method) = self.method {
            fields.push("method", method);
            fields.push_some("methodName", names::method(method));
        }
        let refused = self.verdict.filter(|verdict| *verdict != 0);
        match (self.reply, refused, self.method) {
            (Some(reply), ..) => {
                let is_open = self.incoming.is_none_or(Reply::is_granted);
                status(&mut fields, reply, is_open);
                bound(&mut fields, self.version, reply);
            }
            (None, Some(verdict), _) => {
                fields.push("status", verdict);
                fields.push("statusName", "authentication failed");
                fields.push("success", false);
            }
            (None, None, Some(NO_METHOD)) => {
                fields.push("status", NO_METHOD);
                fields.push("statusName", "no acceptable methods");
                fields.push("success", false);
            }
            (None, None, _) => {}
        }
        if let Some(reply) = self.incoming {
            let mut incoming = Fields::with_capacity(6);
            status(&mut incoming, reply, true);
            place(&mut incoming, ["host", "port", "addressType"], &reply.bound);
            fields.push("incoming", incoming);
        }
        fields
    }
}

fn status(fields: &mut Fields, reply: &Reply, is_open: bool) {
    fields.push("status", reply.status);
    fields.push_some("statusName", names::status(reply.status));
    fields.push("success", is_open && reply.is_granted());
}

/// Version 4 has no address there but to BIND: zeros, or anything.
fn bound(fields: &mut Fields, version: u8, reply: &Reply) {
    let is_empty = reply.bound.port == 0
        && matches!(reply.bound.host, Host::Ip(IpAddr::V4(address)) if address.is_unspecified());
    if version == 5 || !is_empty {
        place(fields, ["boundHost", "boundPort", "boundAddressType"], &reply.bound);
    }
}

fn place(fields: &mut Fields, names: [&'static str; 3], target: &Target) {
    let [host, port, kind] = names;
    match &target.host {
        Host::Ip(ip) => {
            fields.push(host, address::ip(*ip));
            fields.push(port, target.port);
            fields.push(kind, if ip.is_ipv4() { "ipv4" } else { "ipv6" });
        }
        Host::Name(name) => {
            fields.push(host, Tree::lossy(name));
            fields.push(port, target.port);
            fields.push(kind, "domain");
        }
    }
}

/// Whether the dissector reads what follows where this method was chosen.
pub(super) const fn is_followed(method: u8) -> bool {
    matches!(method, NO_AUTHENTICATION | PASSWORD)
}
