// helpers: file.write
file.write("example.txt", "hello");
