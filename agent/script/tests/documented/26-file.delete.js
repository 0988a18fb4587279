// helpers: file.delete
file.delete("hello.txt")
