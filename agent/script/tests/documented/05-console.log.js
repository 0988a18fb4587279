// helpers: console.log
console.log("The variable x is:", x)
