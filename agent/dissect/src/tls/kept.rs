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
    added: Fields,
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
pub(super) struct Caps {
    pub(super) entries: usize,
    pub(super) value_bytes: usize,
}

impl Caps {
    pub(super) const fn of(limits: &Limits) -> Self {
        Self { entries: limits.list_entries, value_bytes: limits.value_bytes }
    }
}

impl From<Fields> for Kept {
    fn from(fields: Fields) -> Self {
        Self { hello: None, added: fields }
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
        Self { hello: Some(hello), added: Fields::new() }
    }

    /// Replaces the value of a name, or appends it.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Tree>) {
        self.added.set(name, value);
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
            visit(name, self.added.field(name).unwrap_or(value).value());
        }
        for (name, value) in self.added.iter() {
            if said.is_none_or(|said| said.field(name).is_none()) {
                visit(name, value.value());
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value<'_>> {
        match self.added.get(name) {
            Some(value) => Some(value),
            None => self.hello.as_ref()?.get(name),
        }
    }
}

impl item::Message for Kept {
    fn memory(&self) -> usize {
        let body = self.hello.as_ref().map_or(0, |hello| hello.body.len());
        size_of::<Self>() + body + self.added.heap()
    }
}
