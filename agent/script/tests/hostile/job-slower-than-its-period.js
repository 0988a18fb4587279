// A job every second that would take a minute
// expect: timeouts
// expect: says (job=slow) ended: it ran longer than the time limit

jobs.schedule("slow", "* * * * * *", () => {
  const end = Date.now() + 60000;
  while (Date.now() < end) {}
});
jobs.run("slow");
