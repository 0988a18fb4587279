// A string that doubles
// expect: errors or heap_overflows or abandoned
// expect: says error:

function onItemCaptured(data) {
  if (data.index !== 1) return;
  let text = "abc";
  for (;;) {
    text += text + data.index;
    text.charCodeAt(text.length / 2);
  }
}
