//! Argument orders that changed over the years. Scripts written for either are around, so the calls are told apart by what
//! the arguments look like. An absent argument (undefined, null) is `None`, never the text "undefined".
//!
//! `vendor.influxdb` is not here: its first order, (url, token, measurement, organization, bucket, data), has a string
//! wherever the later one, (url, token, organization, bucket, measurement, data, tags), has one, so nothing tells them
//! apart. The later one, which is the documented one, holds. No other helper changed.

use std::fmt;

use crate::{Slack, SlackBot};

/// What a call of `vendor.slack` is.
#[derive(Clone, Copy)]
pub enum SlackCall<'a> {
    /// (webhookUrl, pretext, text, color).
    Webhook(Slack<'a>),
    /// (token, channelID, pretext, text, color), the order until March 2023: what `vendor.slackBot` does now.
    Bot(SlackBot<'a>),
}

/// Tells the orders of `vendor.slack` apart: a URL as first argument is the webhook of the later one, five arguments without
/// are the earlier one. Anything else is the later one, whose missing URL then is the error.
pub fn slack<'a>(arguments: &[Option<&'a str>]) -> SlackCall<'a> {
    let at = |index: usize| argument(arguments, index).unwrap_or_default();
    let first = at(0).trim_start();
    let is_url = ["https://", "http://"].iter().any(|scheme| starts_with_ignoring_case(first, scheme));
    if !is_url && argument(arguments, 4).is_some() {
        let bot = SlackBot {
            token: at(0),
            channel: at(1),
            pretext: at(2),
            text: at(3),
            color: at(4),
            ..SlackBot::default()
        };
        return SlackCall::Bot(bot);
    }
    SlackCall::Webhook(Slack { webhook_url: at(0), pretext: at(1), text: at(2), color: at(3) })
}

/// The arguments of `vendor.s3.put` and `vendor.s3.clear`, whatever their order. An empty optional one is absent.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct S3Arguments<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// The file's path; empty for `clear`.
    pub path: &'a str,
    /// The region.
    pub region: Option<&'a str>,
    /// The public half of the keys.
    pub key_id: Option<&'a str>,
    /// The secret half of the keys.
    pub access_key: Option<&'a str>,
}

/// Shows no keys.
impl fmt::Debug for S3Arguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, path, region, .. } = self;
        f.debug_struct("S3Arguments")
            .field("bucket", bucket)
            .field("path", path)
            .field("region", region)
            .finish_non_exhaustive()
    }
}

/// Tells the orders of `vendor.s3.put` apart: (region, keyID, accessKey, bucket, path) until November 2023, (bucket, path,
/// region, keyID, accessKey) since. It is the earlier one if the first argument is a region, the third is none, and there
/// are a bucket and a path at the end.
pub fn s3_put<'a>(arguments: &[Option<&'a str>]) -> S3Arguments<'a> {
    let at = |index: usize| argument(arguments, index);
    let earlier = is_region(at(0)) && !is_region(at(2)) && at(3).is_some() && at(4).is_some();
    let [bucket, path, region, key_id, access_key] = if earlier { [3, 4, 0, 1, 2] } else { [0, 1, 2, 3, 4] };
    S3Arguments {
        bucket: at(bucket).unwrap_or_default(),
        path: at(path).unwrap_or_default(),
        region: at(region),
        key_id: at(key_id),
        access_key: at(access_key),
    }
}

/// The arguments of `vendor.s3.clear`: (region, keyID, accessKey, bucket), which never changed, so that shared credentials
/// need gaps in the middle. (bucket, region, keyID, accessKey), the order of `put` without a path, is understood as well:
/// it is that one if the second argument is a region and the first is none, or nothing stands where the bucket should.
pub fn s3_clear<'a>(arguments: &[Option<&'a str>]) -> S3Arguments<'a> {
    let at = |index: usize| argument(arguments, index);
    let like_put = is_region(at(1)) && (!is_region(at(0)) || at(3).is_none());
    let [bucket, region, key_id, access_key] = if like_put { [0, 1, 2, 3] } else { [3, 0, 1, 2] };
    S3Arguments {
        bucket: at(bucket).unwrap_or_default(),
        path: "",
        region: at(region),
        key_id: at(key_id),
        access_key: at(access_key),
    }
}

fn argument<'a>(arguments: &[Option<&'a str>], index: usize) -> Option<&'a str> {
    arguments.get(index).copied().flatten().filter(|text| !text.is_empty())
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
}

/// How all regions of AWS end, before their number.
const DIRECTIONS: &[&str] =
    &["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];

/// Whether a text has the form of all regions of AWS: `us-east-1`, `us-gov-west-1`, `ap-southeast-3`.
fn is_region(text: Option<&str>) -> bool {
    let Some(text) = text else { return false };
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    (2..=3).contains(&words.len())
        && words[0].len() == 2
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && words.last().is_some_and(|word| DIRECTIONS.contains(word))
        && matches!(number.len(), 1 | 2)
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some<const N: usize>(texts: [&str; N]) -> Vec<Option<&str>> {
        texts.into_iter().map(Some).collect()
    }

    #[test]
    fn both_orders_of_slack_are_understood() {
        let SlackCall::Webhook(slack) = slack(&some(["HTTPS://hooks/x", "pre", "text", "#f00"])) else {
            panic!("not a webhook")
        };
        assert_eq!((slack.webhook_url, slack.color), ("HTTPS://hooks/x", "#f00"));
        let SlackCall::Bot(bot) = super::slack(&some(["xoxb-1", "C1", "pre", "text", "#f00"])) else {
            panic!("not a bot")
        };
        assert_eq!(
            (bot.token, bot.channel, bot.pretext, bot.text, bot.color),
            ("xoxb-1", "C1", "pre", "text", "#f00")
        );
        for odd in [
            &some(["xoxb-1", "C1"])[..],
            &[],
            &[None, Some("a")],
            &some(["https://h", "a", "b", "c", "extra"]),
        ] {
            assert!(matches!(super::slack(odd), SlackCall::Webhook(_)), "{odd:?}");
        }
    }

    #[test]
    fn both_orders_of_s3_put_are_understood() {
        let full = S3Arguments {
            bucket: "b",
            path: "a.pcap",
            region: Some("eu-west-3"),
            key_id: Some("k"),
            access_key: Some("s"),
        };
        assert_eq!(s3_put(&some(["b", "a.pcap", "eu-west-3", "k", "s"])), full);
        assert_eq!(s3_put(&some(["eu-west-3", "k", "s", "b", "a.pcap"])), full);
        assert_eq!(
            s3_put(&some(["b", "a.pcap", "eu-west-3"])),
            S3Arguments { key_id: None, access_key: None, ..full }
        );
        assert_eq!(
            s3_put(&some(["b", "a.pcap", "eu-west-3", "", ""])),
            S3Arguments { key_id: None, access_key: None, ..full }
        );
        let shared = [Some("eu-west-3"), None, None, Some("b"), Some("a.pcap")];
        assert_eq!(s3_put(&shared), S3Arguments { key_id: None, access_key: None, ..full });
        assert_eq!(s3_put(&some(["us-east-1", "a.pcap", "eu-west-3", "k", "s"])).bucket, "us-east-1");
        assert_eq!(s3_put(&some(["b", "a.pcap", "minio", "k", "s"])).region, Some("minio"));
        assert_eq!(s3_put(&[]), S3Arguments::default());
    }

    #[test]
    fn s3_clear_takes_the_order_of_put_too() {
        let full = S3Arguments {
            bucket: "b",
            path: "",
            region: Some("us-gov-east-1"),
            key_id: Some("k"),
            access_key: Some("s"),
        };
        assert_eq!(s3_clear(&some(["us-gov-east-1", "k", "s", "b"])), full);
        assert_eq!(s3_clear(&some(["b", "us-gov-east-1", "k", "s"])), full);
        let shared = S3Arguments { key_id: None, access_key: None, ..full };
        assert_eq!(s3_clear(&[Some("us-gov-east-1"), None, None, Some("b")]), shared);
        assert_eq!(s3_clear(&some(["us-gov-east-1", "", "", "b"])), shared);
        assert_eq!(s3_clear(&some(["b", "us-gov-east-1"])), shared);
        assert_eq!(s3_clear(&some(["minio", "k", "s", "b"])).bucket, "b");
    }

    #[test]
    fn regions_are_told_from_other_texts() {
        for region in ["us-east-1", "cn-northwest-1", "us-gov-west-1", "ap-southeast-12"] {
            assert!(is_region(Some(region)), "{region}");
        }
        for other in
            ["", "my-bucket-1", "us-east", "US-EAST-1", "a.pcap", "us--1", "eu-x-y-z-1", "us-east-123"]
        {
            assert!(!is_region(Some(other)), "{other}");
        }
        assert!(!is_region(None));
    }
}
