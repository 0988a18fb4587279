// helpers: jobs.scheduler.isRunning
var status = jobs.scheduler.isRunning()
