// helpers: jobs.scheduler.start
var status = jobs.scheduler.start()
