//! An agent without a part of the world says so where a script asks for it.

use remora_script::Services;

use crate::ATTEMPT;
use crate::common::{config, try_start_in};

#[test]
fn what_the_agent_lacks_is_an_error_that_says_so() {
    let network = "not available, the agent was started without network helpers";
    let disk = "not available, the agent has no data directory (data.dir)";
    let calls = [
        ("vendor.webhook", "'GET', 'http://localhost/'", network),
        ("vendor.webhookForm", "'GET', 'http://localhost/'", network),
        ("vendor.slack", "'http://localhost/'", network),
        ("vendor.slackBot", "'xoxb-1', 'C1'", network),
        ("vendor.influxdb", "'http://localhost/', '', 'o', 'b', 'm', { a: 1 }", network),
        ("vendor.elastic", "'http://localhost/', 'i', {}", network),
        ("vendor.s3.clear", "'eu-west-3', 'id', 'key', 'bucket'", network),
        ("vendor.gcs.clear", "'bucket'", network),
        ("chatgpt.prompt", "'', 'Well?'", network),
        ("vendor.s3.put", "'bucket', 'path'", disk),
        ("vendor.gcs.put", "'bucket', 'path'", disk),
        ("pcap.path", "'000000025258.pcap'", disk),
        ("pcap.snapshot", "", disk),
        ("file.write", "'a', 'x'", disk),
        ("file.append", "'a', 'x'", disk),
        ("file.move", "'a', 'b'", disk),
        ("file.copy", "'a', 'b'", disk),
        ("file.delete", "'a'", disk),
        ("file.mkdir", "'a'", disk),
        ("file.mkdirTemp", "", disk),
        ("file.temp", "", disk),
        ("file.tar", "'a'", disk),
    ];
    let code: String = calls
        .iter()
        .map(|(helper, arguments, _)| format!("console.log(attempt(() => {helper}({arguments})));\n"))
        .collect();
    let code = format!("{ATTEMPT}{code}");
    let running = try_start_in(config(), Services::default(), &[("test.js", &code)]).ok().unwrap();
    let expected: Vec<_> =
        calls.iter().map(|(helper, _, reason)| format!("true {helper}: {reason}")).collect();
    assert_eq!(running.lines(), expected);
}

#[test]
fn what_needs_no_world_works_without_one() {
    let code = "console.log(JSON.stringify(pcap.nameResolutionHistory()), JSON.stringify(utils.nodeName()),
                    kfl.match('a == 1', { a: 1 }), utils.json2Yaml('1').trim(), jobs.list().length);
                prometheus.metric('a', '', 2, 1);";
    let running = try_start_in(config(), Services::default(), &[("test.js", code)]).ok().unwrap();
    assert_eq!(running.lines(), [r#"{} "" true 1 0"#]);
}
