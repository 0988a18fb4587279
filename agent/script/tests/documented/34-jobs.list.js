// helpers: jobs.list
var tags = jobs.list()
