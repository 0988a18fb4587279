//! Hellos as the sides of an item.

use std::borrow::Cow;

use super::cipher_suites;
use super::fingerprint::{self, Carrier, hex};
use super::hello::{ClientHello, Extensions, ServerHello};
use super::kept::Caps;
use super::names;
use crate::{Fields, Limits, Tree};

/// `whole` says that all of the message was read: only then it has fingerprints.
pub(super) fn client_hello(hello: &ClientHello<'_>, carrier: Carrier, whole: bool, caps: Caps) -> Fields {
    let cap = caps.entries;
    let text = |bytes| Tree::from(name(bytes, caps.value_bytes).into_owned());
    let mut fields = Fields::with_capacity(20);
    fields.push("type", "ClientHello");
    fields.push("version", names::version(hello.version));
    if !hello.versions.is_empty() {
        fields.push("versions", names::list(hello.versions.iter(), cap, names::version));
    }
    fields.push_some("sni", hello.server_name.map(text));
    if hello.alpn().next().is_some() {
        fields.push("alpn", hello.alpn().take(cap).map(text).collect::<Tree>());
    }
    fields.push("cipherSuites", names::list(hello.ciphers.iter(), cap, names::cipher_suite));
    let ciphers = hello.ciphers.iter().count();
    if ciphers > cap {
        fields.push("cipherSuiteCount", ciphers);
    }
    let known = hello.ciphers.iter().filter_map(cipher_suites::name);
    fields.push(
        "weakCipherSuites",
        known.filter(|name| cipher_suites::is_weak(name)).take(cap).collect::<Tree>(),
    );
    fields.push("extensions", names::list(hello.extensions.numbers(), cap, names::extension));
    let extensions = hello.extensions.iter().count();
    if extensions > cap {
        fields.push("extensionCount", extensions);
    }
    if !hello.groups.is_empty() {
        fields.push("groups", names::list(hello.groups.iter(), cap, names::group));
    }
    if hello.key_shares().next().is_some() {
        fields.push("keyShares", names::list(hello.key_shares(), cap, names::group));
    }
    if !hello.signature_schemes.is_empty() {
        let schemes = names::list(hello.signature_schemes.iter(), cap, names::signature_scheme);
        fields.push("signatureAlgorithms", schemes);
    }
    fields.push("sessionId", !hello.session_id.is_empty());
    let offers = |number| hello.extension_data(number).is_some();
    fields.push("sessionTicket", hello.extension_data(35).is_some_and(|ticket| !ticket.is_empty()));
    fields.push("preSharedKey", offers(41));
    fields.push("earlyData", offers(42));
    fields.push("encryptedClientHello", offers(0xfe0d) || offers(0xffce));
    fields.push_some("connectionId", connection_id(hello.extensions));
    if whole {
        let ja3 = fingerprint::ja3(hello);
        fields.push("ja3", ja3.hash);
        fields.push("ja3String", ja3.text);
        fields.push("ja4", fingerprint::ja4(hello, carrier));
    }
    fields
}

/// What a whole or cut ServerHello says.
pub(super) fn server_hello(hello: &ServerHello<'_>, whole: bool, caps: Caps) -> Fields {
    let mut fields = Fields::with_capacity(16);
    fields.push("type", "ServerHello");
    if whole {
        fields.push("info", info(hello));
    }
    fields.push("version", names::version(hello.version));
    if whole {
        let suite = names::cipher_suite(hello.cipher);
        fields.push("weakCipher", cipher_suites::is_weak(&suite));
        fields.push("cipherSuite", suite);
    }
    fields.push_some("alpn", hello.alpn.map(|alpn| name(alpn, caps.value_bytes).into_owned()));
    fields.push_some("group", hello.group.map(names::group));
    fields.push_some("connectionId", connection_id(hello.extensions));
    let extensions = names::list(hello.extensions.numbers(), caps.entries, names::extension);
    fields.push("extensions", extensions);
    if whole {
        let ja3s = fingerprint::ja3s(hello);
        fields.push("ja3s", ja3s.hash);
        fields.push("ja3sString", ja3s.text);
    }
    fields
}

/// What a whole ServerHello chose, for a row of a list.
pub(super) fn info(hello: &ServerHello<'_>) -> String {
    let cipher = cipher_suites::cipher(&names::cipher_suite(hello.cipher));
    format!("{}, {cipher}", names::version(hello.version))
}

/// By what a side of DTLS wants to be called in records to it, hexadecimal (RFC 9146, section 3).
fn connection_id(extensions: Extensions<'_>) -> Option<String> {
    match extensions.iter().find(|extension| extension.number == 54)?.data {
        [length, id @ ..] if usize::from(*length) == id.len() => Some(hex(id)),
        _ => None,
    }
}

pub(crate) fn alert(level: u8, description: u8) -> Fields {
    Fields::new()
        .with("level", if level == 1 { "warning" } else { "fatal" })
        .with("description", names::alert(description))
        .with("code", description)
}

/// A name of the protocol, as a value.
pub(super) fn text(bytes: &[u8], limits: &Limits) -> Tree {
    name(bytes, limits.value_bytes).into_owned().into()
}

/// A name of the protocol: ASCII where it is one, else hexadecimal digits.
pub(super) fn name(bytes: &[u8], value_bytes: usize) -> Cow<'_, str> {
    let shown = &bytes[..bytes.len().min(value_bytes)];
    match std::str::from_utf8(shown) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(hex(shown)),
    }
}
