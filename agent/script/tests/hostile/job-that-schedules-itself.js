// A job that schedules itself anew, and more of its kind, whenever it runs
// expect: errors
// expect: says (job=

let made = 0;
function again() {
  made++;
  jobs.schedule("again", "* * * * * *", again);
  jobs.schedule("again " + made, "* * * * * *", again);
  jobs.runAll();
}
jobs.schedule("again", "* * * * * *", again);
jobs.run("again");
