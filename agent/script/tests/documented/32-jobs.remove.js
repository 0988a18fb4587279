// helpers: jobs.remove
jobs.remove("example-job")
