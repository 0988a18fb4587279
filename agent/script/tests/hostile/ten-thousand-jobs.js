// Ten thousand jobs
// expect: says scheduled 16 of 10000: jobs.schedule: job 16:

function onItemCaptured(data) {
  if (data.index !== 1) return;
  for (let i = 0; i < 10000; i++) {
    try {
      jobs.schedule("job " + i, "* * * * * *", () => {});
    } catch (error) {
      return console.error(`scheduled ${i} of 10000: ${error.message}`);
    }
  }
}
