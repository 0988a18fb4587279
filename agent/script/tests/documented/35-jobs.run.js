// helpers: jobs.run
jobs.run("example-job")
