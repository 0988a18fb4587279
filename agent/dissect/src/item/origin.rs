//! Where items come from: the agent that saw them, its node, and how it got the packets.

use crate::value::{Object, Value};

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

impl Object for Node {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("ip", Value::str(&self.ip));
        visit("name", Value::str(&self.name));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "ip" => Some(Value::str(&self.ip)),
            "name" => Some(Value::str(&self.name)),
            _ => None,
        }
    }
}

/// As the item's `capture` object.
impl Object for Origin {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("backend", Value::str(self.backend));
        visit("source", Value::str(self.source));
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "backend" => Some(Value::str(self.backend)),
            "source" => Some(Value::str(self.source)),
            _ => None,
        }
    }
}
