// Ask a language model about server errors, at most once a minute
//
// scripting.env: OPENAI_API_KEY. Another service than OpenAI's: scripting.chatgpt.baseUrl and scripting.chatgpt.model

const key = env.OPENAI_API_KEY ?? "";
if (!key) console.error("not active: OPENAI_API_KEY is missing in scripting.env");

const quietMillis = 60_000;
let asked = -Infinity;

/** @param {Item} data */
function onItemCaptured(data) {
  if (!key || !data.response || data.response.status < 500 || data.timestamp - asked < quietMillis) return;
  asked = data.timestamp;
  // Only what tells nothing of users: no query, no cookies, no bodies.
  const exchange = {
    server: data.dst.name || data.dst.ip,
    method: data.request?.method,
    path: data.request?.path,
    status: data.response.status,
    statusText: data.response.statusText,
    contentType: data.response.content.mimeType,
    milliseconds: data.elapsedTime,
    error: data.error?.msg,
  };
  const question = "What most likely went wrong in this HTTP exchange, and how bad is it? Answer in two sentences.";
  const answer = chatgpt.prompt(key, `${question}\n${JSON.stringify(exchange)}`, 200);
  const mood = chatgpt.sentiment(answer);
  const line = `${exchange.method} ${exchange.path} ${exchange.status}: ${answer} (${mood.compound})`;
  if (mood.compound < 0) console.error(line);
  else console.log(line);
}
