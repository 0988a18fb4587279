// Regular expressions that look far behind and ahead, handed to a method of strings
// expect: timeouts or errors
// expect: says (hook=onItemCaptured)

function onItemCaptured(data) {
  if (data.index !== 1) return;
  const text = "ab".repeat(50000);
  for (;;) text.replace(/(?<=(a|b)*)(?=(.*)*c)x?/g, "$&$&");
}
