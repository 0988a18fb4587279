// helpers: file.append
file.append("example.txt", " world");
