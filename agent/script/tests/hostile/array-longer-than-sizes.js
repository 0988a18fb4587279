// An array longer than the engine has sizes for
// expect: errors or heap_overflows or timeouts or abandoned
// expect: says error:

function onItemCaptured(data) {
  if (data.index === 1) "x".repeat(2 ** 28).split("");
}
