// helpers: jobs.scheduler.stop
var status = jobs.scheduler.stop()
