//! The JSON form of items, which most outputs ask for whole: what is the same in all of them is copied in runs, and what is
//! not is written where it goes. A test holds it to what the fields say one by one.

use std::cell::RefCell;
use std::io::Write as _;
use std::net::IpAddr;

use super::conversation::NAME;
use super::{Endpoint, Filter, Item, Message, Summary};
use crate::address;
use crate::json::{is_plain, write_bool, write_float, write_int, write_object, write_str};
use crate::protocol::Protocol;

/// Protocols whose form is kept: all there are, and some of tests.
const PROTOCOLS_PRINTED: usize = 64;

pub(super) fn item(item: &Item, out: &mut Vec<u8>) {
    let (draft, worker) = (&item.draft, item.origin.worker.as_str());
    let mut stem = String::with_capacity(NAME);
    item.stream.push_stem(&mut stem);
    out.extend_from_slice(b"{\"id\":");
    write_str(worker, out);
    // The text goes on behind the worker's name.
    out.pop();
    out.push(b'/');
    out.extend_from_slice(stem.as_bytes());
    out.extend_from_slice(b".pcap-");
    write_int(item.index.into(), out);
    out.extend_from_slice(b"\",\"index\":");
    write_int(item.index.into(), out);
    out.extend_from_slice(b",\"stream\":\"");
    out.extend_from_slice(stem.as_bytes());
    out.extend_from_slice(b".pcap\",\"worker\":");
    write_str(worker, out);
    out.extend_from_slice(b",\"node\":");
    write_object(&item.origin.node, out);
    out.extend_from_slice(b",\"protocol\":");
    protocol(draft.protocol, out);
    out.extend_from_slice(b",\"base\":");
    summary(&item.summary(), out);
    out.extend_from_slice(b",\"tls\":");
    write_bool(draft.tls, out);
    out.extend_from_slice(b",\"src\":");
    endpoint(&item.src, out);
    out.extend_from_slice(b",\"dst\":");
    endpoint(&item.dst, out);
    out.extend_from_slice(b",\"namespace\":\"\",\"outgoing\":false,\"timestamp\":");
    write_int(draft.timestamp.millis(), out);
    // Writing to a Vec cannot fail.
    let _ = write!(out, ",\"startTime\":\"{}\",\"request\":", draft.timestamp);
    message(draft.request.as_deref(), out);
    out.extend_from_slice(b",\"response\":");
    message(draft.response.as_deref(), out);
    let sizes = [draft.request_size, draft.response_size, draft.request_size + draft.response_size];
    for (name, size) in [",\"requestSize\":", ",\"responseSize\":", ",\"size\":"].into_iter().zip(sizes) {
        out.extend_from_slice(name.as_bytes());
        write_int(i64::try_from(size).unwrap_or(i64::MAX), out);
    }
    out.extend_from_slice(b",\"elapsedTime\":");
    write_float(item.elapsed_millis(), out);
    out.extend_from_slice(b",\"passed\":");
    write_bool(item.passed(), out);
    out.extend_from_slice(b",\"failed\":");
    write_bool(item.failed(), out);
    out.extend_from_slice(b",\"error\":");
    match draft.error.as_deref() {
        Some(error) => write_object(error, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"gap\":");
    match draft.gap.is_none() {
        true => out.extend_from_slice(b"null"),
        false => write_object(&draft.gap, out),
    }
    out.extend_from_slice(b",\"entryFile\":\"");
    out.extend_from_slice(stem.as_bytes());
    out.extend_from_slice(b"_pcap-");
    write_int(item.index.into(), out);
    out.extend_from_slice(b"_entry.json\",\"record\":\"\",\"event\":null,\"capture\":");
    write_object(item.origin.as_ref(), out);
    out.extend_from_slice(b",\"duplicate\":\"\"}");
}

/// A protocol, and its JSON form.
type Printed = (&'static Protocol, Box<[u8]>);

thread_local! {
    /// What this thread printed of protocols: it does not change.
    static PROTOCOLS: RefCell<Vec<Printed>> = const { RefCell::new(Vec::new()) };
}

fn protocol(protocol: &'static Protocol, out: &mut Vec<u8>) {
    PROTOCOLS.with_borrow_mut(|printed| {
        if let Some((_, text)) = printed.iter().find(|(known, _)| std::ptr::eq(*known, protocol)) {
            return out.extend_from_slice(text);
        }
        let start = out.len();
        write_object(protocol, out);
        // One that is not a static has a new place each time, so the number is capped.
        if printed.len() < PROTOCOLS_PRINTED {
            printed.push((protocol, out[start..].into()));
        }
    });
}

fn message(message: Option<&dyn Message>, out: &mut Vec<u8>) {
    match message {
        Some(message) => write_object(message, out),
        None => out.extend_from_slice(b"null"),
    }
}

pub(super) fn endpoint(end: &Endpoint, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"ip\":\"");
    match end.ip {
        IpAddr::V4(ip) => address::write_ipv4(ip, out),
        // Writing to a Vec cannot fail.
        IpAddr::V6(ip) => drop(write!(out, "{ip}")),
    }
    out.extend_from_slice(b"\",\"port\":\"");
    write_int(end.port.into(), out);
    out.extend_from_slice(
        b"\",\"name\":\"\",\"namespace\":\"\",\"pod\":null,\"endpointSlice\":null,\"service\":null}",
    );
}

pub(super) fn summary(summary: &Summary<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"method\":");
    write_str(&summary.method, out);
    out.extend_from_slice(b",\"methodQuery\":");
    query(&summary.method_filter, &summary.method, out);
    out.extend_from_slice(b",\"summary\":");
    write_str(&summary.summary, out);
    out.extend_from_slice(b",\"summaryQuery\":");
    query(&summary.summary_filter, &summary.summary, out);
    out.extend_from_slice(b",\"status\":");
    write_int(summary.status, out);
    out.extend_from_slice(b",\"statusQuery\":");
    match &summary.status_filter {
        Filter::None => out.extend_from_slice(b"\"\""),
        Filter::Field(field) => {
            write_str(field, out);
            out.pop();
            out.extend_from_slice(b" == ");
            write_int(summary.status, out);
            out.push(b'"');
        }
        Filter::Query(query) => write_str(query, out),
    }
    out.push(b'}');
}

/// A query for a text: a string with a string in it.
fn query(filter: &Filter<'_>, text: &str, out: &mut Vec<u8>) {
    match filter {
        Filter::None => out.extend_from_slice(b"\"\""),
        Filter::Query(query) => write_str(query, out),
        Filter::Field(field) if is_plain(text) => {
            write_str(field, out);
            out.pop();
            out.extend_from_slice(b" == \\\"");
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"\\\"\"");
        }
        Filter::Field(_) => write_str(&filter.text_query(text), out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::write_fields;
    use crate::value::Object;

    fn both(object: &dyn Object) -> [String; 2] {
        let (mut whole, mut fields) = (Vec::new(), Vec::new());
        write_object(object, &mut whole);
        write_fields(|visit| object.each(visit), &mut fields);
        [whole, fields].map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn ends_and_rows_print_as_their_fields() {
        for ip in ["0.0.0.0", "192.0.2.255", "2001:db8::1", "::ffff:192.0.2.1"] {
            let [whole, fields] = both(&Endpoint { ip: ip.parse().unwrap(), port: 65_535 });
            assert_eq!(whole, fields);
        }
        let long = "x".repeat(40);
        for text in ["", "GET", "a \"b\" \\ c\n", "é", long.as_str()] {
            let filters = [Filter::None, Filter::Field("request.method"), Filter::Query(text.into())];
            for filter in &filters {
                let summary = Summary {
                    method: text.into(),
                    method_filter: filter.clone(),
                    summary: text.into(),
                    summary_filter: filter.clone(),
                    status: -7,
                    status_filter: filter.clone(),
                };
                let [whole, fields] = both(&summary);
                assert_eq!(whole, fields);
            }
        }
    }
}
