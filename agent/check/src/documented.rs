//! The scripting API as documented, whether or not this version has all of it.

use crate::surface::{Namespace, Surface};

impl Surface {
    /// All hooks and helpers of the documented scripting API. A host that has fewer builds its own table.
    #[must_use]
    pub fn documented() -> Self {
        let console = Namespace::new()
            .function("log", ..)
            .function("error", ..)
            .function("clear", ..=0)
            .synonym("debug", "log")
            .synonym("dir", "log")
            .synonym("info", "log")
            .synonym("table", "log")
            .synonym("trace", "log")
            .synonym("warn", "error");
        let test = Namespace::new().function("pass", 1..=1).function("fail", 1..=1);
        let s3 = Namespace::new().function("put", 2..=5).function("clear", 4..=4);
        let gcs = Namespace::new().function("put", 2..=3).function("clear", 1..=2);
        let vendor = Namespace::new()
            .function("webhook", 2..=4)
            .function("webhookForm", 2..=3)
            .function("slack", 1..=5)
            .function("slackBot", 5..=7)
            .function("influxdb", 6..=7)
            .function("elastic", 3..=9)
            .object("s3", s3.synonym("upload", "put"))
            .object("gcs", gcs.synonym("upload", "put"))
            .synonym("elasticsearch", "elastic");
        let pcap = Namespace::new()
            .function("nameResolutionHistory", ..=0)
            .function("snapshot", ..=2)
            .function("path", 1..=2);
        let file = Namespace::new()
            .function("write", 2..=2)
            .function("append", 2..=2)
            .function("move", 2..=2)
            .function("copy", 2..=2)
            .function("delete", 1..=1)
            .function("mkdir", 1..=1)
            .function("mkdirTemp", ..=2)
            .function("temp", ..=3)
            .function("tar", 1..=1)
            .synonym("remove", "delete")
            .synonym("rename", "move")
            .synonym("rm", "delete")
            .synonym("unlink", "delete");
        let scheduler = Namespace::new()
            .function("isRunning", ..=0)
            .function("start", ..=0)
            .function("stop", ..=0)
            .synonym("pause", "stop")
            .synonym("resume", "start");
        let jobs = Namespace::new()
            .function("schedule", 3..)
            .function("remove", 1..=1)
            .function("removeAll", ..=0)
            .function("list", ..=0)
            .function("run", 1..=1)
            .function("runAll", ..=0)
            .object("scheduler", scheduler)
            .synonym("add", "schedule")
            .synonym("delete", "remove");
        let wrapper = Namespace::new()
            .function("joinMaps", 2..=2)
            .function("buildHAR", 1..=1)
            .function("pcapSnapshot", ..=4)
            .function("kflPcapS3", 2..=2);
        Self::new()
            .hook("onPacketCaptured", 1)
            .hook("onItemCaptured", 1)
            .hook("onItemQueried", 2)
            .hook("onJobPassed", 3)
            .hook("onJobFailed", 4)
            .future_hook("onHubAction", 2)
            .future_hook("onPodEvent", 2)
            .object("console", console)
            .object("test", test)
            .object("vendor", vendor)
            .object("pcap", pcap)
            .object("file", file)
            .object("jobs", jobs)
            .object("kfl", Namespace::new().function("match", 2..=2).function("validate", 1..=2))
            .object("chatgpt", Namespace::new().function("prompt", 2..=3).function("sentiment", 1..=1))
            .object("utils", Namespace::new().function("nodeName", ..=0).function("json2Yaml", 1..=1))
            .object("wrapper", wrapper)
            .object("prometheus", Namespace::new().function("metric", 4..=5).function("vector", 4..=5))
            .object("env", Namespace::open())
    }
}
