//! Captures of other people's HTTP/2, where the folder with them lies beside the repository: nothing panics, and what comes
//! out is plausible.

mod golden_support;

use golden_support::{Public, replay};
use remora_dissect::{Limits, json};

/// (capture, items, items without an error)
const CAPTURES: [(&str, usize, usize); 16] = [
    ("OISF+suricata-verify/tests/dns-over-http2-limit/input.pcap", 1, 1),
    ("OISF+suricata-verify/tests/http2-authority-mismatch/authority_and_host_2.pcap", 1, 1),
    ("OISF+suricata-verify/tests/http2-continuation/input.pcap", 1, 0),
    ("OISF+suricata-verify/tests/http2-deflate-case/input.pcap", 2, 2),
    ("OISF+suricata-verify/tests/http2-deflate/http2_deflate.pcap", 2, 2),
    ("OISF+suricata-verify/tests/http2-long-frame/input.pcap", 2, 1),
    ("OISF+suricata-verify/tests/http2-userinfo-authority/http2_userinfo_in_authority_1.pcap", 1, 1),
    ("OISF+suricata-verify/tests/http2-bugfixes/input.pcap", 4, 4),
    ("deepflowio+deepflow/agent/resources/test/flow_generator/http/grpc-segmented.pcap", 1, 0),
    ("deepflowio+deepflow/agent/resources/test/flow_generator/http/grpc-server-stream.pcap", 1, 0),
    ("deepflowio+deepflow/agent/resources/test/flow_generator/http/grpc-service-name.pcap", 1, 1),
    ("deepflowio+deepflow/agent/resources/test/flow_generator/http/grpc-unary.pcap", 1, 0),
    ("deepflowio+deepflow/agent/resources/test/flow_generator/http/http2-multi.pcap", 2, 0),
    ("ntop+nDPI/tests/cfgs/default/pcap/http2.pcapng", 1, 1),
    ("arkime+arkime/tests/pcap/ssh2.pcap", 0, 0),
    ("arkime+arkime/tests/pcap/tls-alpn-h2.pcap", 0, 0),
];

#[test]
fn public_captures_give_what_is_in_them() {
    let Some(public) = Public::open() else { return };
    let mut failures = Vec::new();
    for (capture, items, good) in CAPTURES {
        let mut replay = replay(&public.folder.join(capture), Limits::default());
        replay.items.retain(|item| item.draft.protocol.name == "http");
        let mut lines = Vec::new();
        for item in &replay.items {
            let mut out = Vec::new();
            json::write_object(item, &mut out);
            let summary = item.summary();
            lines.push(format!(
                "  {} {} {} {} {:?}",
                item.draft.protocol.abbr, summary.method, summary.summary, summary.status, item.draft.error
            ));
        }
        let found =
            (replay.items.len(), replay.items.iter().filter(|item| item.draft.error.is_none()).count());
        if found != (items, good) {
            failures.push(format!("{capture}: {found:?}\n{}", lines.join("\n")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
