// helpers: file.temp
var tempFile = file.temp("bar", "example/folder/here", "json")
