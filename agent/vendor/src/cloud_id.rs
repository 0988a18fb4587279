//! Where a deployment in Elastic Cloud is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Cloud IDs are copied by hand, and padding is what gets lost.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The address of Elasticsearch in a Cloud ID, `name:base64(host[:port]$elasticsearch[:port]$kibana)`.
pub(crate) fn decode(cloud_id: &str) -> Option<String> {
    let encoded = cloud_id.trim().rsplit(':').next()?;
    let text = String::from_utf8(LENIENT.decode(encoded).ok()?).ok()?;
    let mut parts = text.split('$');
    let (host, elasticsearch) = (parts.next()?, parts.next()?);
    let (host, port) = split_port(host);
    // A port of its own wins over the common one.
    let (elasticsearch, own) = split_port(elasticsearch);
    if host.is_empty()
        || elasticsearch.is_empty()
        || !(host.bytes().chain(elasticsearch.bytes()).all(is_name))
    {
        return None;
    }
    match own.or(port) {
        Some(port) => Some(format!("https://{elasticsearch}.{host}:{}", port.parse::<u16>().ok()?)),
        None => Some(format!("https://{elasticsearch}.{host}")),
    }
}

fn split_port(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

/// An API key for the `Authorization` header. Elasticsearch shows keys both encoded and as `id:key`.
pub(crate) fn encoded_key(key: &str) -> String {
    if key.contains(':') { STANDARD.encode(key) } else { key.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cloud_ids_are_decoded() {
        for (decoded, expected) in [
            ("us-east-1.aws.found.io$abc$def", Some("https://abc.us-east-1.aws.found.io")),
            ("us-east-1.aws.found.io$abc$", Some("https://abc.us-east-1.aws.found.io")),
            ("found.io$abc", Some("https://abc.found.io")),
            ("found.io:9243$abc$def", Some("https://abc.found.io:9243")),
            ("found.io:9243$abc:9244$def", Some("https://abc.found.io:9244")),
            ("found.io$$def", None),
            ("$abc$def", None),
            ("found.io", None),
            ("found.io/x?$abc$def", None),
            ("found.io:99999$abc$def", None),
        ] {
            let id = format!("my:name:{}", STANDARD.encode(decoded));
            assert_eq!(decode(&id).as_deref(), expected, "{decoded}");
            assert_eq!(decode(id.trim_end_matches('=')).as_deref(), expected, "{decoded}");
        }
        assert_eq!(decode("name:%%%"), None);
        assert_eq!(decode(""), None);
    }

    #[test]
    fn a_key_in_two_parts_is_encoded() {
        assert_eq!(encoded_key("id:key"), "aWQ6a2V5");
        assert_eq!(encoded_key("aWQ6a2V5"), "aWQ6a2V5");
    }
}
