// helpers: file.tar
var tarFile = file.tar("example/folder/here")
