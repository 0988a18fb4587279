//! Where items come from: the agent that saw them, its node, and how it got the packets.

use crate::value::{Object, Table, Value};

/// Where items come from: this agent and its node. Shared by all items of an agent.
#[derive(Debug)]
pub struct Origin {
    /// The agent's own address, `ip:port`.
    pub worker: String,
    pub node: Node,
    /// How packets were obtained, `capture.backend` of the item: `ebpf`, `pcap`.
    pub backend: &'static str,
    /// `capture.source`.
    pub source: &'static str,
}

#[derive(Debug)]
pub struct Node {
    pub ip: String,
    pub name: String,
}

const NODE: Table<Node> =
    Table(&[("ip", |node| Some(Value::str(&node.ip))), ("name", |node| Some(Value::str(&node.name)))]);

impl Object for Node {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        NODE.each(self, visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        NODE.get(self, name)
    }
}

const CAPTURE: Table<Origin> = Table(&[
    ("backend", |origin| Some(Value::str(origin.backend))),
    ("source", |origin| Some(Value::str(origin.source))),
]);

/// As the item's `capture` object.
impl Object for Origin {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        CAPTURE.each(self, visit);
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        CAPTURE.get(self, name)
    }
}
