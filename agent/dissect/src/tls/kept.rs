//! What a side of a handshake said, kept as it came: its fields are made out when they are asked for.

use std::sync::OnceLock;

use super::fingerprint::Carrier;
use super::hello::{ClientHello, ServerHello};
use super::{message, names};
use crate::{Fields, Limits, Object, Tree, Value, item};

/// What is said first, and what is added to it: by later messages, by what carries the handshake.
#[derive(Debug)]
pub(crate) struct Kept {
    /// None where there are only fields.
    hello: Option<Hello>,
    /// The value of what is added later has its place here and is null.
    added: Fields,
    later: Option<Later>,
}

/// Makes the value of a field of the bytes it was in.
pub(crate) type Make = fn(&[u8], Caps) -> Tree;

/// An added field whose value is made when it is asked for.
#[derive(Debug)]
struct Later {
    name: &'static str,
    body: Box<[u8]>,
    caps: Caps,
    make: Make,
    made: OnceLock<Tree>,
}

impl Later {
    fn value(&self) -> Value<'_> {
        self.made.get_or_init(|| (self.make)(&self.body, self.caps)).value()
    }

    fn memory(&self) -> usize {
        self.body.len() + self.made.get().map_or(0, Tree::heap)
    }
}

#[derive(Debug)]
struct Hello {
    body: Box<[u8]>,
    form: Form,
    /// All of it was read: only then it has fingerprints.
    whole: bool,
    caps: Caps,
    fields: OnceLock<Fields>,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Client(Carrier),
    /// Of SSL 2.0, with the length of its record and its type before it.
    ClientV2(Carrier),
    Server,
}

/// How much of lists and of values is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) entries: usize,
    pub(crate) value_bytes: usize,
}

impl Caps {
    pub(crate) const fn of(limits: &Limits) -> Self {
        Self { entries: limits.list_entries, value_bytes: limits.value_bytes }
    }
}

impl From<Fields> for Kept {
    fn from(fields: Fields) -> Self {
        Self { hello: None, added: fields, later: None }
    }
}

impl Kept {
    /// `hello` was read from `body`, `whole` says whether to its end.
    pub(super) fn client(
        hello: &ClientHello<'_>,
        body: &[u8],
        carrier: Carrier,
        whole: bool,
        limits: &Limits,
    ) -> Self {
        let form = if hello.is_v2 { Form::ClientV2(carrier) } else { Form::Client(carrier) };
        Self::new(form, body, whole, limits)
    }

    pub(super) fn server(body: &[u8], whole: bool, limits: &Limits) -> Self {
        Self::new(Form::Server, body, whole, limits)
    }

    fn new(form: Form, body: &[u8], whole: bool, limits: &Limits) -> Self {
        let hello = Hello { body: body.into(), form, whole, caps: Caps::of(limits), fields: OnceLock::new() };
        Self { hello: Some(hello), added: Fields::new(), later: None }
    }

    /// Replaces the value of a name, or appends it.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Tree>) {
        self.later.take_if(|later| later.name == name);
        self.added.set(name, value);
    }

    /// The same for a value that is made of bytes when it is asked for. There is one such value.
    pub(super) fn set_later(&mut self, name: &'static str, body: &[u8], limits: &Limits, make: Make) {
        self.added.set(name, Tree::Null);
        let caps = Caps::of(limits);
        self.later = Some(Later { name, body: body.into(), caps, make, made: OnceLock::new() });
    }

    /// Appends fields that it does not have.
    pub(super) fn append(&mut self, fields: Fields) {
        if self.added.is_empty() { self.added = fields } else { self.added.append(fields) }
    }

    fn added<'a>(&'a self, name: &str, value: &'a Tree) -> Value<'a> {
        match &self.later {
            Some(later) if later.name == name => later.value(),
            _ => value.value(),
        }
    }

    /// The name of the cipher suite that a whole ServerHello chose.
    pub(super) fn cipher_suite(&self) -> Option<std::borrow::Cow<'static, str>> {
        let hello = self.hello.as_ref().filter(|hello| hello.whole)?;
        match hello.form {
            Form::Server => Some(names::cipher_suite(ServerHello::parse(&hello.body).0.cipher)),
            Form::Client(_) | Form::ClientV2(_) => None,
        }
    }
}

impl Hello {
    fn client(&self) -> Option<(ClientHello<'_>, Carrier)> {
        match self.form {
            Form::Client(carrier) => {
                Some((ClientHello::parse(&self.body, carrier == Carrier::Dtls).0, carrier))
            }
            Form::ClientV2(carrier) => {
                Some((ClientHello::parse_v2(self.body.get(3..).unwrap_or_default()).0, carrier))
            }
            Form::Server => None,
        }
    }

    fn fields(&self) -> &Fields {
        self.fields.get_or_init(|| match self.client() {
            Some((hello, carrier)) => message::client_hello(&hello, carrier, self.whole, self.caps),
            None => message::server_hello(&ServerHello::parse(&self.body).0, self.whole, self.caps),
        })
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match (name, self.form) {
            // These are of every row of a list, or looked for in vain by it.
            ("type", Form::Server) => Some(Value::str("ServerHello")),
            ("type", _) => Some(Value::str("ClientHello")),
            ("sni", Form::Client(_)) => {
                let (hello, _) = self.client()?;
                Some(Value::Str(message::name(hello.server_name?, self.caps.value_bytes)))
            }
            ("info", Form::Server) if self.whole => {
                Some(Value::text(message::info(&ServerHello::parse(&self.body).0)))
            }
            ("sni" | "info" | "alert", _) => None,
            _ => self.fields().get(name),
        }
    }
}

impl Object for Kept {
    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        let said = self.hello.as_ref().map(Hello::fields);
        for (name, value) in said.into_iter().flat_map(Fields::iter) {
            visit(
                name,
                self.added.field(name).map_or_else(|| value.value(), |added| self.added(name, added)),
            );
        }
        for (name, value) in self.added.iter() {
            if said.is_none_or(|said| said.field(name).is_none()) {
                visit(name, self.added(name, value));
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match self.added.field(name) {
            Some(value) => Some(self.added(name, value)),
            None => self.hello.as_ref()?.get(name),
        }
    }
}

impl item::Message for Kept {
    fn memory(&self) -> usize {
        let body = self.hello.as_ref().map_or(0, |hello| hello.body.len());
        let later = self.later.as_ref().map_or(0, Later::memory);
        size_of::<Self>() + body + later + self.added.heap()
    }
}
