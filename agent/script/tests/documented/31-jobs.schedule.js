// helpers: jobs.schedule
function exampleJob() {
}

jobs.schedule("example-job", "*/5 * * * * *", exampleJob)
