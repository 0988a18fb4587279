// A loop without end at top level
// expect: load ended: it ran longer than the time limit

for (;;) {}
