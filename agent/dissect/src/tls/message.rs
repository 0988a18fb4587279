//! Hellos as the sides of an item.

use super::cipher_suites;
use super::fingerprint::{self, Carrier, hex};
use super::hello::{ClientHello, Extension, ServerHello};
use super::names;
use crate::{Fields, Limits, Tree};

/// `whole` says that all of the message was read: only then it has fingerprints.
pub(crate) fn client_hello(
    hello: &ClientHello<'_>,
    carrier: Carrier,
    whole: bool,
    limits: &Limits,
) -> Fields {
    let cap = limits.list_entries;
    let mut fields = Fields::with_capacity(20);
    fields.push("type", "ClientHello");
    fields.push("version", names::version(hello.version));
    if !hello.versions.is_empty() {
        fields.push("versions", names::list(&hello.versions, cap, names::version));
    }
    fields.push_some("sni", hello.server_name.map(|name| text(name, limits)));
    if !hello.alpn.is_empty() {
        fields.push("alpn", hello.alpn.iter().take(cap).map(|name| text(name, limits)).collect::<Tree>());
    }
    fields.push("cipherSuites", names::list(&hello.ciphers, cap, names::cipher_suite));
    if hello.ciphers.len() > cap {
        fields.push("cipherSuiteCount", hello.ciphers.len());
    }
    let known = hello.ciphers.iter().filter_map(|suite| cipher_suites::name(*suite));
    fields.push(
        "weakCipherSuites",
        known.filter(|name| cipher_suites::is_weak(name)).take(cap).collect::<Tree>(),
    );
    let extensions: Vec<u16> = hello.extensions.iter().map(|extension| extension.number).collect();
    fields.push("extensions", names::list(&extensions, cap, names::extension));
    if extensions.len() > cap {
        fields.push("extensionCount", extensions.len());
    }
    for (name, numbers, meaning) in [
        ("groups", &hello.groups, names::group as fn(u16) -> _),
        ("keyShares", &hello.key_shares, names::group),
        ("signatureAlgorithms", &hello.signature_schemes, names::signature_scheme),
    ] {
        if !numbers.is_empty() {
            fields.push(name, names::list(numbers, cap, meaning));
        }
    }
    fields.push("sessionId", !hello.session_id.is_empty());
    let offers = |number| hello.extension_data(number).is_some();
    fields.push("sessionTicket", hello.extension_data(35).is_some_and(|ticket| !ticket.is_empty()));
    fields.push("preSharedKey", offers(41));
    fields.push("earlyData", offers(42));
    fields.push("encryptedClientHello", offers(0xfe0d) || offers(0xffce));
    fields.push_some("connectionId", connection_id(&hello.extensions));
    if whole {
        let ja3 = fingerprint::ja3(hello);
        fields.push("ja3", ja3.hash);
        fields.push("ja3String", ja3.text);
        fields.push("ja4", fingerprint::ja4(hello, carrier));
    }
    fields
}

/// What a whole or cut ServerHello says; of a HelloRetryRequest that came before it, the group it asked for.
pub(crate) fn server_hello(hello: &ServerHello<'_>, whole: bool, limits: &Limits) -> Fields {
    let mut fields = Fields::with_capacity(16);
    fields.push("type", "ServerHello");
    let version = names::version(hello.version);
    let suite = names::cipher_suite(hello.cipher);
    if whole {
        fields.push("info", format!("{version}, {}", cipher_suites::cipher(&suite)));
    }
    fields.push("version", version);
    if whole {
        fields.push("weakCipher", cipher_suites::is_weak(&suite));
        fields.push("cipherSuite", suite);
    }
    fields.push_some("alpn", hello.alpn.map(|name| text(name, limits)));
    fields.push_some("group", hello.group.map(names::group));
    fields.push_some("connectionId", connection_id(&hello.extensions));
    let extensions: Vec<u16> = hello.extensions.iter().map(|extension| extension.number).collect();
    fields.push("extensions", names::list(&extensions, limits.list_entries, names::extension));
    if whole {
        let ja3s = fingerprint::ja3s(hello);
        fields.push("ja3s", ja3s.hash);
        fields.push("ja3sString", ja3s.text);
    }
    fields
}

/// By what a side of DTLS wants to be called in records to it, hexadecimal (RFC 9146, section 3).
fn connection_id(extensions: &[Extension<'_>]) -> Option<String> {
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

/// A name of the protocol: ASCII where it is one, else hexadecimal digits.
pub(crate) fn text(bytes: &[u8], limits: &Limits) -> Tree {
    let shown = &bytes[..bytes.len().min(limits.value_bytes)];
    match std::str::from_utf8(shown) {
        Ok(text) => text.to_owned().into(),
        Err(_) => hex(shown).into(),
    }
}
