//! What stands around each example: the documentation leaves out where its variables come from, and when it is called.

/// What is delivered once the script has loaded.
#[derive(Clone, Copy)]
pub(crate) enum Drive {
    Nothing,
    /// A captured item, after which jobs that were triggered have run.
    Jobs,
    /// Captured items answered with these statuses.
    Captured(&'static [i64]),
    /// Queried items answered with these statuses.
    Queried(&'static [i64]),
}

pub(crate) struct Case {
    /// The file without its extension.
    pub(crate) name: &'static str,
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
    pub(crate) drive: Drive,
    /// Names in `env`; all if empty.
    pub(crate) env: &'static [&'static str],
    /// The lines are ways to make a call, so each runs in a world of its own.
    pub(crate) line_by_line: bool,
}

const fn case(name: &'static str, before: &'static str, after: &'static str) -> Case {
    Case { name, before, after, drive: Drive::Nothing, env: &[], line_by_line: false }
}

impl Case {
    const fn drive(self, drive: Drive) -> Self {
        Self { drive, ..self }
    }
}

/// A value for the variable that examples push.
const DATA: &str = "var data = { requests: 3 };";
/// A file for the variable that examples upload.
const FILE: &str = "file.write('report.txt', 'hello'); var filePath = 'report.txt';";
/// A job for the examples that need one. Nothing is due by the clock.
const JOB: &str = "jobs.scheduler.stop(); jobs.schedule('example-job', '@hourly', () => console.log('ran'));";
/// Only triggered jobs run.
const NOT_BY_CLOCK: &str = "jobs.scheduler.stop();";
/// The job and what it left of `data`; the hook is what the test waits for.
const RUN_PUSH: &str =
    "jobs.runAll(); function onItemCaptured() { console.log('left:', JSON.stringify(data)) }";
const HOOK: &str = "function onItemCaptured() {}";

pub(crate) const CASES: &[Case] = &[
    case("01-hooks", "", "").drive(Drive::Captured(&[200])),
    case("02-helpers", DATA, ""),
    case(
        "03-jobs",
        "jobs.scheduler.stop(); function exampleJob() { console.log('ran') }",
        "; console.log(jobs.list()); jobs.runAll(); function onItemCaptured() {}",
    )
    .drive(Drive::Jobs),
    case("04-helpers", "", "").drive(Drive::Captured(&[200, 500])),
    case("05-console.log", "var x = 42;", ""),
    case("06-console.error", "var value = { a: 1 };", ""),
    case("07-test.pass", "", "").drive(Drive::Queried(&[200, 404])),
    case("08-test.fail", "", "").drive(Drive::Queried(&[200, 500])),
    case("09-vendor.webhook", DATA, "console.log(response);"),
    case("10-vendor.slack", "", "").drive(Drive::Captured(&[200, 500])),
    case("11-vendor.slackBot", "", "").drive(Drive::Captured(&[200, 500])),
    case("12-vendor.influxdb", "jobs.scheduler.stop(); var data = { requests: 3, path: '/a' };", RUN_PUSH)
        .drive(Drive::Jobs),
    case("13-vendor.elastic", "jobs.scheduler.stop(); var data = { requests: 3 };", RUN_PUSH)
        .drive(Drive::Jobs),
    case("14-vendor.s3.put", FILE, "console.log(location);"),
    case("15-vendor.s3.put-irsa", FILE, "console.log(location);"),
    case("16-vendor.s3.clear", "", ""),
    case("17-vendor.gcs.put", FILE, "console.log(location);"),
    case("18-vendor.gcs.clear", "", ""),
    case("19-pcap.nameResolutionHistory", "", "console.log(JSON.stringify(nameResolutionHistory));"),
    case("20-pcap.snapshot", "", "console.log(dir); console.log(snapshot);"),
    case("21-pcap.path", "", "").drive(Drive::Captured(&[200])),
    case("22-file.write", "", ""),
    case("23-file.append", "file.write('example.txt', 'hello');", ""),
    Case {
        line_by_line: true,
        ..case("24-file.move", "file.write('example.txt', 'hello'); file.mkdir('directory');", "")
    },
    case("25-file.copy", "file.write('example.txt', 'hello');", ""),
    case("26-file.delete", "file.write('hello.txt', 'hello'); file.write('example.txt', 'hello');", ""),
    case("27-file.mkdir", "", ""),
    case("28-file.mkdirTemp", "file.mkdir('example/folder/here');", "; console.log(tempDir);"),
    case("29-file.temp", "file.mkdir('example/folder/here');", "; console.log(tempFile);"),
    case(
        "30-file.tar",
        "file.mkdir('example/folder/here'); file.write('example/folder/here/a.txt', 'hello');",
        "; console.log(tarFile);",
    ),
    case(
        "31-jobs.schedule",
        NOT_BY_CLOCK,
        "; jobs.runAll(); function onJobPassed(tag) { console.log('passed:', tag) }
         function onItemCaptured() {}",
    )
    .drive(Drive::Jobs),
    case("32-jobs.remove", JOB, "; console.log(jobs.list().length);"),
    case("33-jobs.removeAll", JOB, "; console.log(jobs.list().length);"),
    case("34-jobs.list", JOB, "; console.log(JSON.stringify(tags));"),
    case("35-jobs.run", JOB, HOOK).drive(Drive::Jobs),
    case("36-jobs.runAll", JOB, HOOK).drive(Drive::Jobs),
    case("37-jobs.scheduler.isRunning", "", "; console.log(status);"),
    case("38-jobs.scheduler.start", NOT_BY_CLOCK, "; console.log(status, jobs.scheduler.isRunning());"),
    case("39-jobs.scheduler.stop", "", "; console.log(status, jobs.scheduler.isRunning());"),
    case("40-kfl.match", "", "").drive(Drive::Captured(&[200, 500])),
    case("41-kfl.validate", "", ""),
    case("42-chatgpt.prompt", "", "").drive(Drive::Captured(&[200, 500])),
    Case { env: &["SLACK_AUTH_TOKEN", "SLACK_CHANNEL_ID"], ..case("43-env", "", "") },
];
