// The server's own OpenAI-style API.

/** What went wrong, in the server's words where it had any. */
export class ServerError extends Error {
  constructor(status, { message, code } = {}, retryAfter = null) {
    super(typeof message === "string" ? message : `HTTP ${status}`);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const keyName = "key";
let key = null;
try { key = sessionStorage.getItem(keyName); } catch { /* storage is switched off: the key lives as long as the page */ }

/** Whether a key was entered in this tab. */
export const hasKey = () => key !== null;

/** Takes a key for this tab, or forgets it (null). */
export function useKey(value) {
  key = value;
  try {
    if (value === null) sessionStorage.removeItem(keyName);
    else sessionStorage.setItem(keyName, value);
  } catch { /* as above */ }
}

async function send(path, options = {}) {
  const headers = { ...options.headers, ...(key === null ? {} : { Authorization: `Bearer ${key}` }) };
  const response = await fetch(path, { ...options, headers, credentials: "omit", redirect: "error" });
  if (response.ok) return response;
  let problem = {};
  try { problem = (await response.json()).error ?? {}; } catch { /* not the server's own answer: the status says it */ }
  throw new ServerError(response.status, problem, Number(response.headers.get("Retry-After")) || null);
}

/** The models that requests can name, each with its name and how many tokens its context holds. */
export async function models() {
  const list = await (await send("/v1/models")).json();
  return list.data.map(model => ({ name: model.id, contextLength: model.max_model_len }));
}

/** The ranges of the settings. */
export async function limits() {
  return (await fetch("/page/limits.json")).json();
}

/** The events of one streamed answer; throws what the server says went wrong. */
export async function* answer(request, signal) {
  const response = await send("/v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let parts = []; // of a line that has not ended
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new TypeError("The stream ended early.");
    const lines = value.split("\n");
    parts.push(lines.shift());
    while (lines.length > 0) {
      const line = parts.join("").replace(/\r$/, "");
      parts = [lines.shift()];
      if (!line.startsWith("data:")) continue; // an empty line, or a comment that keeps the connection open
      const data = line.slice("data:".length).trim();
      if (data === "[DONE]") return;
      const event = JSON.parse(data);
      if (event.error) throw new ServerError(response.status, event.error);
      yield event;
    }
  }
}
