// helpers: jobs.removeAll
jobs.removeAll()
