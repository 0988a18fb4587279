//! What the dissection stage saw and what it lost, by reason.

/// Declares [`Counters`] with the name each field has in metrics and summaries.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $field:ident,)+) => {
        /// Running totals; plain numbers, since one thread owns a dissection engine.
        #[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $field: u64,)+
        }

        impl Counters {
            /// Every counter's name with its description and value, in the order of declaration.
            pub fn each(&self, visit: &mut dyn FnMut(&'static str, &'static str, u64)) {
                $(visit(stringify!($field), concat!($($doc),+), self.$field);)+
            }
        }
    };
}

counters! {
    /// Packets taken in.
    packets,
    /// Captured bytes taken in, with link-layer headers.
    bytes,
    /// Packets of which the capture kept fewer bytes than the wire carried.
    truncated_packets,
    /// Packets whose headers contradict themselves or end early.
    malformed_packets,
    /// Packets of a link layer, network or transport protocol that is not decoded.
    unknown_packets,
    /// Packets whose headers nest deeper than the cap.
    too_deep_packets,
    /// TCP segments.
    tcp_packets,
    /// UDP datagrams.
    udp_packets,
    /// ICMP and ICMPv6 messages.
    icmp_packets,
    /// SCTP packets.
    sctp_packets,
    /// IP fragments taken in.
    fragments,
    /// Fragments dropped: cap, deadline, or overlap with other bytes.
    dropped_fragments,
    /// TCP and UDP conversations begun.
    streams,
    /// Streams let go because there were too many or they held too much.
    evicted_streams,
    /// TCP streams let go after a long silence.
    idle_streams,
    /// Streams that never became a known protocol.
    unknown_streams,
    /// TCP segments that arrived ahead of a hole.
    reordered_segments,
    /// TCP payload bytes seen before.
    duplicate_bytes,
    /// TCP payload bytes that contradict others at the same place that still wait for a hole; the first are kept.
    conflicting_bytes,
    /// Holes given up on.
    gaps,
    /// TCP payload bytes that never came.
    missing_bytes,
    /// Holes given up on because the reorder cap was reached.
    reorder_overflows,
    /// Unfinished message heads dropped because they outgrew the cap.
    pending_overflows,
    /// Bytes that no dissector could make sense of.
    undissected_bytes,
    /// HTTP bodies of which only the beginning was kept.
    cut_bodies,
    /// Lines of secrets inside captures that say nothing.
    bad_tls_secrets,
    /// Secrets of TLS sessions that were not kept because there were too many.
    dropped_tls_secrets,
    /// TLS records of known sessions that could not be decrypted.
    undecrypted_records,
    /// Items made.
    items,
    /// Exchanges of which no item was made because their sender asked for it.
    ignored_items,
    /// Items that came out without their other half.
    unpaired_items,
    /// Items with bytes missing.
    items_with_gaps,
    /// Items that came out because a dissector gave up.
    failed_items,
}
