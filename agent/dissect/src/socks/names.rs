//! Names of the numbers: RFC 1928 sections 3, 4 and 6, the SOCKS 4 memo, and IANA's list of methods.

/// A command; Tor's two resolve names without a connection.
pub(super) const fn command(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "CONNECT",
        2 => "BIND",
        3 => "UDP ASSOCIATE",
        0xf0 => "RESOLVE",
        0xf1 => "RESOLVE_PTR",
        _ => return None,
    })
}

/// A method of authentication.
pub(super) const fn method(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "none",
        1 => "GSSAPI",
        2 => "username/password",
        3 => "challenge-handshake",
        5 => "challenge-response",
        6 => "TLS",
        7 => "NDS",
        8 => "multi-authentication framework",
        9 => "JSON parameter block",
        0x80..=0xfe => "private",
        0xff => "no acceptable methods",
        _ => return None,
    })
}

/// What a server replied to a request.
pub(super) const fn status(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "succeeded",
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        90 => "request granted",
        91 => "request rejected or failed",
        92 => "identd not reachable",
        93 => "identd reports another user",
        _ => return None,
    })
}
