// A gigabyte for the console
// expect: console_suppressed
// expect: says more characters)
// expect: says lines dropped: more than 50 in a second

let told = 0;
function onItemCaptured() {
  const long = "x".repeat(4 << 20);
  const end = Date.now() + 60;
  while (told < 256 && Date.now() < end) told += console.log(long, told) === undefined;
}

// Keeps on a second later, when the console says what it has dropped.
jobs.schedule("more", "* * * * * *", () => console.log("x"));
