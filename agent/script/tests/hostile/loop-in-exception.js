// A loop without end where the host asks an exception for its text
// expect: errors or timeouts or abandoned
// expect: says error:

function onItemCaptured(data) {
  if (data.index !== 1) return;
  const error = new Error("slow");
  for (const name of ["name", "message", "stack"]) {
    Object.defineProperty(error, name, { get() { for (;;) {} } });
  }
  error.toString = () => { for (;;) {} };
  throw error;
}
