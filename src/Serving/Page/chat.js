// The chat page: one conversation, kept in memory, answered by the server's own OpenAI-style API.
// Text enters the page through textContent only, so nothing a model or a user writes can become markup.

const find = id => document.getElementById(id);
const prompt = find("prompt"), send = find("send"), stop = find("stop"), list = find("messages");
const welcome = find("welcome"), main = document.querySelector("main");

const language = document.documentElement.lang;
const strings = await (await fetch(`/page/strings.${language}.json`)).json();
const fill = (name, values = {}) =>
  strings[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

let model = null;       // the id that requests name; null until the server has told it
let chat = { messages: [] }; // what the next request repeats; a new chat is a new object, so a late answer cannot enter it
let answering = null;   // AbortController of the answer that is being written

for (const element of document.querySelectorAll("[data-text]")) element.textContent = strings[element.dataset.text];
for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", strings[element.dataset.label]);
for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = strings[element.dataset.placeholder];
for (const example of strings.examples) {
  const button = document.createElement("button");
  button.type = "button";
  button.lang = example.language;
  button.textContent = example.text;
  button.addEventListener("click", () => ask(example.text));
  const item = document.createElement("li");
  item.append(button);
  find("examples").append(item);
}

find("composer").addEventListener("submit", event => {
  event.preventDefault();
  ask(prompt.value);
});
find("new").addEventListener("click", startAnew);
stop.addEventListener("click", () => answering?.abort());
prompt.addEventListener("input", showControls);
prompt.addEventListener("keydown", event => {
  // isComposing: Enter then accepts a word of an input method and must not send.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask(prompt.value);
  }
});
document.addEventListener("keydown", event => {
  if (event.key === "Escape") answering?.abort();
});

showControls();
prompt.focus();
await findModel();

async function findModel() {
  try {
    const models = await (await fetch("/v1/models")).json();
    model = models.data?.[0]?.id ?? null;
    find("model").textContent = model ?? strings.notReady;
  } catch {
    find("model").textContent = strings.unreachable;
  }
}

async function ask(text) {
  if (answering || text.trim() === "") return;
  if (model === null) await findModel();
  welcome.hidden = true;
  prompt.value = "";
  addMessage("user", strings.you, text);
  const item = addMessage("assistant", strings.model, "");
  const asked = chat;
  const messages = [...asked.messages, { role: "user", content: text }];

  answering = new AbortController();
  item.setAttribute("aria-busy", "true");
  announce(strings.answering);
  showControls();
  main.scrollTop = main.scrollHeight;
  prompt.focus();
  const answer = { text: "", finish: null, usage: null };
  const started = performance.now();
  // What was said stays in the conversation; a question without a word of answer is forgotten.
  const keep = () => {
    if (answer.text !== "") asked.messages = [...messages, { role: "assistant", content: answer.text }];
  };
  try {
    for await (const chunk of chunks({ model, messages, stream: true, stream_options: { include_usage: true } }, answering.signal)) {
      answer.text += chunk.choices?.[0]?.delta?.content ?? "";
      answer.finish = chunk.choices?.[0]?.finish_reason ?? answer.finish;
      answer.usage = chunk.usage ?? answer.usage;
      follow(() => item.querySelector(".text").textContent = answer.text);
    }
    keep();
    finish(item, answer, performance.now() - started);
  } catch (problem) {
    if (answering.signal.aborted) {
      keep();
      addNote(item, strings.stopped);
      announce(strings.stopped);
    } else {
      const reason = problem instanceof TypeError ? strings.unreachable : problem.message;
      addNote(item, fill("failed", { reason }), true);
      if (problem.code === "context_length_exceeded") addNote(item, strings.contextFull);
      announce(fill("failed", { reason }));
      if (prompt.value === "") prompt.value = text;
    }
  } finally {
    answering = null;
    item.removeAttribute("aria-busy");
    showControls();
  }
}

// The events of one streamed answer, as parsed JSON; throws what the server says went wrong.
async function* chunks(request, signal) {
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
    signal,
  });
  if (!response.ok) throw failure((await response.json()).error);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new TypeError("The stream ended early.");
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue; // an empty line, or a comment that keeps the connection open
      const data = line.slice("data: ".length);
      if (data === "[DONE]") return;
      const event = JSON.parse(data);
      if (event.error) throw failure(event.error);
      yield event;
    }
  }
}

function failure({ message, code }) {
  return Object.assign(new Error(message), { code });
}

function finish(item, answer, milliseconds) {
  if (answer.text === "") addNote(item, strings.emptyAnswer);
  if (answer.finish === "length") addNote(item, strings.cutShort);
  const tokens = answer.usage?.completion_tokens ?? 0;
  if (tokens > 0) {
    const rate = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 }).format(tokens / milliseconds * 1000);
    addNote(item, fill("tokens", { tokens, rate }));
  }
  // Screen readers get the whole answer once, instead of every token.
  announce(`${strings.answered} ${answer.text}`);
}

function addMessage(role, name, text) {
  const item = document.createElement("li");
  item.className = role;
  const who = document.createElement("span");
  who.className = "hidden";
  who.textContent = `${name}: `;
  const body = document.createElement("p");
  body.className = "text";
  body.dir = "auto";
  body.lang = ""; // unknown: the interface's language must not be claimed for it
  body.textContent = text;
  item.append(who, body);
  list.append(item);
  return item;
}

function addNote(item, text, alarm = false) {
  const note = document.createElement("p");
  note.className = alarm ? "note alarm" : "note";
  note.textContent = text;
  follow(() => item.append(note));
}

// Changes the page and keeps its end in view, unless the reader has scrolled up.
function follow(change) {
  const atEnd = main.scrollHeight - main.scrollTop - main.clientHeight < 64;
  change();
  if (atEnd) main.scrollTop = main.scrollHeight;
}

function startAnew() {
  answering?.abort();
  chat = { messages: [] };
  list.replaceChildren();
  welcome.hidden = false;
  announce("");
  prompt.focus();
}

function announce(text) {
  find("status").textContent = text;
}

function showControls() {
  send.hidden = answering !== null;
  stop.hidden = answering === null;
  send.setAttribute("aria-disabled", String(prompt.value.trim() === ""));
}
