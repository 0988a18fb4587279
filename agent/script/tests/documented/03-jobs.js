// automation: jobs
jobs.schedule("example-job", "0 */5 * * * *", exampleJob)
