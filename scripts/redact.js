// Hide passwords, tokens and cookies in what is shown
//
// The items themselves, other scripts and captures stay as they are.

const mark = "[redacted]";
const secret = /authorization|cookie|passw|passphrase|secret|token|api[-_]?key|session|credential|signature|private[-_]?key/i;

/** @param {Item} data */
function onItemQueried(data) {
  const shown = { ...data, request: redacted(data.request, false), response: redacted(data.response, false) };
  // Bodies of responses are in base64, which this script does not look into.
  if (shown.response?.content?.text) shown.response.content.text = mark;
  return shown;
}

/**
 * A copy without secrets; with `hide`, all of it is one.
 *
 * @param {any} value
 * @param {boolean} hide
 * @returns {any}
 */
function redacted(value, hide) {
  if (Array.isArray(value)) return value.map((one) => redacted(one, hide));
  if (typeof value === "object" && value !== null) {
    // A pair of name and value, as forms have them.
    const isSecretPair = typeof value.name === "string" && secret.test(value.name);
    const copied = Object.entries(value).map(([name, one]) => {
      return [name, redacted(one, hide || secret.test(name) || (isSecretPair && name === "value"))];
    });
    return Object.fromEntries(copied);
  }
  if (hide) return value === null ? null : mark;
  return typeof value === "string" ? redactedText(value) : value;
}

/**
 * @param {string} text
 * @returns {string}
 */
function redactedText(text) {
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.stringify(redacted(JSON.parse(text), false));
    } catch {
      return secret.test(text) ? mark : text;
    }
  }
  // Bodies in several parts, mails, logs.
  if (text.includes("\n") && secret.test(text)) return mark;
  // Queries of URLs, forms.
  return text.replace(/(^|[?&;\s])([^=?&;\s]+)=([^&;#\s]+)/g, (found, before, name) => {
    return secret.test(name) ? `${before}${name}=${mark}` : found;
  });
}
