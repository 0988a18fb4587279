// A loop without end in the hook that is told of jobs
// expect: timeouts
// expect: says (hook=onJobPassed) ended: it ran longer than the time limit

jobs.schedule("passes", "0 0 0 1 1 *", () => {});
jobs.run("passes");

let told = 0;
function onJobPassed() {
  if (++told === 1) for (;;) {}
}
