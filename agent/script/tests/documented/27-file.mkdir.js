// helpers: file.mkdir
file.mkdir("example/folder/here")
