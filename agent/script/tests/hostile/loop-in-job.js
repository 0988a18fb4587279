// A loop without end in a job
// expect: timeouts
// expect: says (job=stuck) ended: it ran longer than the time limit

jobs.schedule("stuck", "0 0 0 1 1 *", () => { for (;;) {} });
jobs.run("stuck");
