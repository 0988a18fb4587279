// helpers: env
console.log(JSON.stringify(env));
