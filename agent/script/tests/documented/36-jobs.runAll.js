// helpers: jobs.runAll
jobs.runAll()
