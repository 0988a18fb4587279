// Print items that went wrong as YAML
//
// scripting.env: YAML_FILTER, a KFL query (default: response.status >= 400)

const query = env.YAML_FILTER ?? "response.status >= 400";
const valid = kfl.validate(query);

/** @param {Item} data */
function onItemCaptured(data) {
  if (valid && kfl.match(query, data)) console.log("---\n" + utils.json2Yaml(JSON.stringify(data)).trimEnd());
}
