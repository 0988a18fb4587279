//! Every setting: key, type, default, meaning. The one place to add one.

use std::collections::BTreeMap;

use remora_dissect::{Limits, Options};
use remora_jobs::Tz;
use remora_metrics::Caps;
use remora_script::HostConfig;
use serde_json::Value;

use super::setting::{Bytes, Setting, Zone};

/// What a key gave.
pub(super) enum Applied {
    Yes,
    /// No setting has this key.
    Unknown,
    /// The setting wants another kind of value; says which.
    Expected(&'static str),
}

macro_rules! settings {
    ($($key:literal $field:ident: $kind:ty = $default:expr, $doc:literal;)+) => {
        /// Typed settings, filled from defaults, the config file, `--set` and `--env`, in this order.
        #[derive(Clone, Debug)]
        pub(crate) struct Settings {
            $(#[doc = $doc] pub(crate) $field: $kind,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                let limits = Limits::default();
                let _ = &limits;
                Self { $($field: { let default: fn(&Limits) -> $kind = $default; default(&limits) },)+ }
            }
        }

        impl Settings {
            pub(super) const KEYS: &'static [&'static str] = &[$($key),+];

            pub(super) fn apply(&mut self, key: &str, value: &Value) -> Applied {
                match key {
                    $($key => match <$kind as Setting>::read(value) {
                        Some(read) => {
                            self.$field = read;
                            Applied::Yes
                        }
                        None => Applied::Expected(<$kind as Setting>::EXPECTED),
                    },)+
                    _ => Applied::Unknown,
                }
            }

            /// Calls `visit` with each key, its value and its meaning.
            pub(crate) fn each(&self, visit: &mut dyn FnMut(&'static str, String, &'static str)) {
                $(visit($key, self.$field.show(), $doc);)+
            }
        }
    };
}

settings! {
    "scripting.source" script_source: String = |_| String::new(),
        "Script file or folder, beside those of --script.";
    "scripting.sources" script_sources: Vec<String> = |_| Vec::new(),
        "More script files or folders.";
    "scripting.env" script_env: BTreeMap<String, String> = |_| BTreeMap::new(),
        "Variables for scripts: a property of env each, and a global of the same name.";
    "scripting.watchScripts" script_watch: bool = |_| true,
        "Load script files anew when they change, while capturing live.";
    "scripting.limits.helperSeconds" script_helper_seconds: u64 = |_| HostConfig::HELPER_DEADLINE.as_secs(),
        "Seconds a helper may wait for somebody else, such as a web server; then it throws. Not counted as time of the call.";
    "scripting.limits.helpersPerCallSeconds" script_helpers_per_call: u64 = |_| HostConfig::HELPERS_PER_CALL.as_secs(),
        "Seconds all helpers of one call may wait together.";
    "scripting.limits.finishSeconds" script_finish_seconds: u64 = |_| 10,
        "Seconds scripts have for what is queued when capture is ended, or a replay interrupted; then running calls are ended.";
    "scripting.limits.jobsPerScript" script_jobs: usize = |_| HostConfig::JOBS_PER_SCRIPT,
        "Jobs one script may have; more are refused.";
    "scripting.limits.jobs" jobs: usize = |_| HostConfig::JOBS,
        "Jobs all scripts may have together; more are refused.";
    "scripting.limits.responseBytes" script_response_bytes: Bytes = |_| Bytes(4 << 20),
        "Bytes of an answer that a helper reads; a longer one is an error.";
    "scripting.limits.queries" script_queries: usize = |_| 256,
        "Compiled KFL queries kept; beyond, the one not used for longest is compiled again.";
    "scripting.limits.metricFamilies" metric_families: usize = |_| Caps::default().families,
        "Metrics of scripts, by name; more are refused.";
    "scripting.limits.metricSeries" metric_series: usize = |_| Caps::default().series,
        "Label combinations of one metric; more are refused.";
    "scripting.limits.metricBytes" metric_bytes: Bytes = |_| Bytes(Caps::default().bytes),
        "Bytes all metrics of scripts may take; more are refused.";
    "scripting.limits.metricLabels" metric_labels: usize = |_| Caps::default().labels,
        "Labels of one metric; more are refused.";
    "scripting.limits.metricName" metric_name: usize = |_| Caps::default().name,
        "Bytes of a metric's or label's name; longer ones are refused.";
    "scripting.limits.metricLabelValue" metric_label_value: usize = |_| Caps::default().label_value,
        "Bytes of a label's value; longer ones are refused.";
    "scripting.limits.metricHelp" metric_help: usize = |_| Caps::default().help,
        "Bytes of a metric's help; longer ones are refused.";
    "scripting.jobs.zone" script_zone: Zone = |_| Zone(Tz::UTC),
        "Time zone of jobs whose cron text names none, such as Europe/Berlin.";
    "scripting.chatgpt.baseUrl" chatgpt_url: String = |_| remora_vendor::Config::default().chatgpt_base_url,
        "Where chat/completions is, for chatgpt.prompt.";
    "scripting.chatgpt.model" chatgpt_model: String = |_| remora_vendor::Config::default().chatgpt_model,
        "Model that answers chatgpt.prompt.";
    "scripting.chatgpt.timeoutSeconds" chatgpt_seconds: u64 = |_| 30,
        "Seconds chatgpt.prompt may take; scripting.limits.helperSeconds holds too.";
    "scripting.vendor.slackUrl" slack_url: String = |_| remora_vendor::Config::default().slack_base_url,
        "Where the methods of Slack's Web API are, for vendor.slackBot.";
    "scripting.vendor.s3Endpoint" s3_endpoint: String = |_| String::new(),
        "An S3-compatible service for vendor.s3, as scheme, host and port [default: Amazon's].";
    "scripting.vendor.gcsEndpoint" gcs_endpoint: String = |_| String::new(),
        "A Cloud Storage emulator for vendor.gcs, as scheme, host and port [default: Google's].";
    "scripting.vendor.caFile" vendor_ca_file: String = |_| String::new(),
        "PEM file of certificates that helpers trust besides those of the system.";
    "data.dir" data_dir: String = |_| String::new(),
        "Folder for the files of scripts and the pcaps of streams [default: a temporary one, removed at the end].";
    "data.scriptBytes" data_script_bytes: Bytes = |_| Bytes(1 << 30),
        "Bytes that files of scripts may take in the data folder; more is refused.";
    "data.writeBytes" data_write_bytes: Bytes = |_| Bytes(64 << 20),
        "Bytes of one file.write or file.append.";
    "tap.pcap.enabled" pcap_enabled: String = |_| "auto".to_owned(),
        "Whether every stream is written to a pcap of its own, for pcap.path and pcap.snapshot: true, false, or auto, which means when a script speaks of pcap.";
    "tap.misc.pcapTTL" pcap_ttl_seconds: u64 = |_| 3600,
        "Seconds a stream's pcap is kept after its last packet.";
    "tap.storageLimit" pcap_total: Bytes = |_| Bytes(500 << 20),
        "Bytes of all streams' pcaps together; beyond, finished and idle ones are removed first.";
    "tap.pcap.streamBytes" pcap_stream: Bytes = |_| Bytes(64 << 20),
        "Bytes of one stream's pcap; later packets of the stream are left out.";
    "tap.pcap.openFiles" pcap_open_files: usize = |_| 64,
        "Pcaps of streams open at once; others are closed and opened again when needed.";
    "tap.pcap.bufferBytes" pcap_buffer: Bytes = |_| Bytes(32 << 20),
        "Bytes of packets that wait to be written to streams' pcaps.";
    "tap.customMacros" custom_macros: BTreeMap<String, String> =
        |_| [("https".to_owned(), "tls and (http or http2)".to_owned())].into(),
        "KFL macros of your own: a name each, and the query it stands for.";
    "tap.metrics.enabled" metrics_enabled: bool = |_| true,
        "Serve metrics for Prometheus while capturing live.";
    "tap.metrics.host" metrics_host: String = |_| remora_metrics::DEFAULT_HOST.to_owned(),
        "Address of the metrics endpoint. One that others can reach needs a token, or tap.metrics.open.";
    "tap.metrics.port" metrics_port: u32 = |_| remora_metrics::DEFAULT_PORT.into(),
        "Port of the metrics endpoint.";
    "tap.metrics.token" metrics_token: String = |_| String::new(),
        "Bearer token that a scraper must bring.";
    "tap.metrics.open" metrics_open: bool = |_| false,
        "Let the metrics endpoint be reached by others without a token.";
    "scripting.limits.callMillis" script_call_millis: u64 = |_| HostConfig::CALL_LIMIT.as_millis() as u64,
        "Milliseconds a hook call may take before it is ended.";
    "scripting.limits.heap" script_heap: Bytes = |_| Bytes(HostConfig::HEAP_LIMIT),
        "Heap of one script; a call that needs more is ended.";
    "scripting.limits.heapOverdraft" script_heap_overdraft: Bytes = |_| Bytes(HostConfig::HEAP_OVERDRAFT),
        "Heap beyond the limit that a call may take until it has ended; a script that takes more at one go is abandoned.";
    "scripting.limits.queueEvents" script_queue_events: usize = |_| HostConfig::QUEUE_EVENTS,
        "Packets and items that may wait for one script. Live capture sheds beyond, a replay waits.";
    "scripting.limits.queueBytes" script_queue_bytes: Bytes = |_| Bytes(HostConfig::QUEUE_BYTES),
        "Bytes of items that may wait for one script. Live capture sheds beyond, a replay waits.";
    "scripting.limits.consoleLine" script_console_line: Bytes = |_| Bytes(HostConfig::CONSOLE_LINE_BYTES),
        "Bytes of one console line; the rest is cut off.";
    "scripting.limits.consoleLinesPerSecond" script_console_rate: u32 = |_| 0,
        "Console lines a script may write per second; more are dropped and counted. 0 sets no limit.";
    "tap.capture.snaplen" capture_snaplen: u32 = |_| remora_capture::MAX_SNAPLEN,
        "Bytes of each packet that live capture copies; the rest is counted, not kept.";
    "tap.capture.ringSize" capture_ring_bytes: Bytes = |_| Bytes(0),
        "Size of each processor's ring buffer between kernel and agent, a power of two; what does not fit is counted. 0: 16Mi, less on machines of more than 32 processors.";
    "tap.misc.detectDuplicates" capture_dedup: bool = |_| true,
        "Keep one copy of a packet that passes several interfaces of the node.";
    "node.name" node_name: String = |_| String::new(),
        "Name of this node in items [default: NODE_NAME, else the host name].";
    "node.ip" node_ip: String = |_| String::new(),
        "Address of this node in items [default: NODE_IP, else 127.0.0.1].";
    "tap.proxy.worker.srvPort" worker_port: u32 = |_| 48_999,
        "Port in the `worker` field of items.";
    "output.queueItems" output_queue_items: usize = |_| 10_000,
        "Items that may wait to be printed; live capture sheds beyond. A replay waits, with 16 MiB at most.";
    "output.queueBytes" output_queue_bytes: Bytes = |_| Bytes(64 << 20),
        "Bytes of items that may wait to be printed; live capture sheds beyond.";
    "dissect.conversations" conversations: bool = |_| Options::default().conversations,
        "Make an item of each TCP and UDP conversation when it is over: packets, bytes, duration, retransmissions.";
    "dissect.connectionErrors" connection_errors: bool = |_| Options::default().connection_errors,
        "Make an item of each TCP connection that is refused, reset, or gets no answer.";
    "dissect.totalBytes" total_bytes: Bytes = |limits| Bytes(limits.total_bytes),
        "Heap of all streams together (reassembly, unfinished messages). Beyond it the streams idle for longest are let go.";
    "dissect.streams" streams: usize = |limits| limits.streams,
        "TCP and UDP conversations tracked at once. Beyond it the one idle for longest is let go.";
    "dissect.streamIdleSeconds" stream_idle_seconds: u32 = |limits| limits.stream_idle_seconds,
        "Seconds without a packet after which a stream is let go.";
    "dissect.datagramIdleSeconds" datagram_idle_seconds: u32 = |limits| limits.datagram_idle_seconds,
        "Seconds without a packet after which a UDP conversation is let go.";
    "dissect.reorderBytes" reorder_bytes: Bytes = |limits| Bytes(limits.reorder_bytes),
        "Bytes per direction that wait for a hole to fill. Beyond it the hole is skipped.";
    "dissect.reorderSegments" reorder_segments: usize = |limits| limits.reorder_segments,
        "Segments per direction that wait for a hole to fill. Beyond it the hole is skipped.";
    "dissect.holeWaitMillis" hole_wait_millis: u32 = |limits| limits.hole_wait_millis,
        "Milliseconds a hole may stay open. After it the hole is skipped.";
    "dissect.pendingBytes" pending_bytes: Bytes = |limits| Bytes(limits.pending_bytes),
        "Bytes of an unfinished message head per direction. Beyond it the message is given up.";
    "dissect.fragmentBytes" fragment_bytes: Bytes = |limits| Bytes(limits.fragment_bytes),
        "IP fragments kept for reassembly. Beyond it the oldest datagram is dropped.";
    "dissect.fragmentSeconds" fragment_seconds: u32 = |limits| limits.fragment_seconds,
        "Seconds a datagram may stay incomplete. After it its fragments are dropped.";
    "dissect.decodeDepth" decode_depth: u8 = |limits| limits.decode_depth,
        "Headers peeled off one packet. Beyond it the packet is counted and left.";
    "dissect.httpBodyBytes" http_body_bytes: Bytes = |limits| Bytes(limits.http_body_bytes),
        "Body bytes kept per HTTP message. Beyond it the rest counts in the size but is not kept.";
    "dissect.messageBytes" message_bytes: Bytes = |limits| Bytes(limits.message_bytes),
        "Bytes kept of one length-prefixed message. Beyond it the rest is counted, and the item says so.";
    "dissect.valueBytes" value_bytes: Bytes = |limits| Bytes(limits.value_bytes),
        "Bytes kept of one value inside a message. Beyond it the value is cut.";
    "dissect.listEntries" list_entries: usize = |limits| limits.list_entries,
        "Entries kept of one list inside a message. Beyond it the rest is counted.";
    "dissect.nesting" nesting: usize = |limits| limits.nesting,
        "How deep values inside a message may nest. Beyond it they are shown as bytes.";
    "dissect.waitingRequests" waiting_requests: usize = |limits| limits.waiting_requests,
        "Requests of one conversation that wait for a response. Beyond it the oldest comes out without one.";
    "dissect.answerSeconds" answer_seconds: u32 = |limits| limits.answer_seconds,
        "Seconds a request in a datagram waits for its answer. After it, it comes out without one.";
    "dissect.decodedBytes" decoded_bytes: Bytes = |limits| Bytes(limits.decoded_bytes),
        "Bytes a compressed body may decode to. Beyond it decoding stops.";
    "dissect.decodeRatio" decode_ratio: usize = |limits| limits.decode_ratio,
        "How many times its compressed size a body may decode to, once past 64 KiB. Beyond it decoding stops.";
    "dissect.httpPipelined" http_pipelined: usize = |limits| limits.http_pipelined,
        "Requests of one connection that wait for a response. Beyond it the oldest comes out without one.";
    "dissect.httpHeaders" http_headers: usize = |limits| limits.http_headers,
        "Header fields per HTTP message. Beyond it an HTTP/1 message is not taken for HTTP; of an HTTP/2 one the rest is not kept.";
    "dissect.tlsSessions" tls_sessions: usize = |limits| limits.tls_sessions,
        "TLS sessions whose secrets are kept. A key log with more is an error; those inside captures are left out beyond it.";
    "dissect.tlsKeyLogs" tls_key_logs: Vec<String> = |_| Vec::new(),
        "Key logs (NSS format, as SSLKEYLOGFILE makes it) by whose secrets TLS is decrypted, beside those of --tls-keylog; read at the start.";
    "dissect.protobufDescriptors" protobuf_descriptors: Vec<String> = |_| Vec::new(),
        "Descriptor files (protoc --descriptor_set_out --include_imports) with the names of gRPC's messages and their fields.";
}

impl Settings {
    pub(crate) fn metric_caps(&self) -> Caps {
        Caps {
            families: self.metric_families,
            series: self.metric_series,
            bytes: self.metric_bytes.0,
            labels: self.metric_labels,
            name: self.metric_name,
            label_value: self.metric_label_value,
            help: self.metric_help,
        }
    }

    pub(crate) fn options(&self) -> Options {
        Options { conversations: self.conversations, connection_errors: self.connection_errors }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            total_bytes: self.total_bytes.0,
            streams: self.streams,
            stream_idle_seconds: self.stream_idle_seconds,
            datagram_idle_seconds: self.datagram_idle_seconds,
            reorder_bytes: self.reorder_bytes.0,
            reorder_segments: self.reorder_segments,
            hole_wait_millis: self.hole_wait_millis,
            pending_bytes: self.pending_bytes.0,
            fragment_bytes: self.fragment_bytes.0,
            fragment_seconds: self.fragment_seconds,
            decode_depth: self.decode_depth,
            http_body_bytes: self.http_body_bytes.0,
            message_bytes: self.message_bytes.0,
            value_bytes: self.value_bytes.0,
            list_entries: self.list_entries,
            nesting: self.nesting,
            waiting_requests: self.waiting_requests,
            answer_seconds: self.answer_seconds,
            decoded_bytes: self.decoded_bytes.0,
            decode_ratio: self.decode_ratio,
            http_pipelined: self.http_pipelined,
            http_headers: self.http_headers,
            tls_sessions: self.tls_sessions,
            // Read from the files of `tls_key_logs` by whoever makes the engine.
            tls_secrets: None,
            // Read from the files of `protobuf_descriptors` by whoever makes the engine.
            protobuf_schema: None,
        }
    }
}
