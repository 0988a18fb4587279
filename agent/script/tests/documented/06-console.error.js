// helpers: console.error
console.error("Something is not right and the value is:", value)
