//! Who this agent is, for the items it makes.

use remora_dissect::Origin;
use remora_dissect::item::Node;

use crate::config::Settings;

/// A DaemonSet passes `NODE_NAME` and `NODE_IP` through the downward API.
pub(crate) fn of(settings: &Settings, backend: &'static str, source: &'static str) -> Origin {
    let given = |setting: &String, variable: &str| {
        Some(setting.clone())
            .filter(|text| !text.is_empty())
            .or_else(|| std::env::var(variable).ok().filter(|text| !text.is_empty()))
    };
    let name = given(&settings.node_name, "NODE_NAME")
        .unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned());
    let ip = given(&settings.node_ip, "NODE_IP").unwrap_or_else(|| "127.0.0.1".to_owned());
    let host = if ip.contains(':') { format!("[{ip}]") } else { ip.clone() };
    Origin { worker: format!("{host}:{}", settings.worker_port), node: Node { ip, name }, backend, source }
}
