// The chat page: joins the conversation that is shown, the server's answers and the controls.
import { add, create, messages, path, show, title, versions } from "./conversation.js";
import { announce, button, confirmed, find, make } from "./elements.js";
import { exportJson, exportMarkdown, importJson } from "./files.js";
import { choose, language, text, use } from "./language.js";
import { Reader } from "./reader.js";
import * as server from "./server.js";
import { askKey, change, load, sampling, settings, showSettings } from "./settings.js";
import * as store from "./store.js";
import { drawEditor, drawText, drawTurn } from "./turns.js";

const prompt = find("prompt"), main = find("main"), list = find("messages"), model = find("model");

let conversations = [];  // all that are kept, the one changed last first
let chat = null;         // the one that is shown; in `conversations` from its first turn on
let limits = [];         // ranges of the settings
let contextLengths = new Map(); // tokens that the context of each model holds, by its name
let answering = null;    // { control: AbortController, chat, turn } of the answer that is being written

load();
change({});
const lasting = await store.open();
conversations = await store.all();
await use(settings().language ?? choose(navigator.languages));
chat = create(settings().system);
find("toggle").addEventListener("click", () => showConversations(find("conversations").hidden));
find("new").addEventListener("click", startAnew);
find("composer").addEventListener("submit", event => {
  event.preventDefault();
  ask();
});
find("stop").addEventListener("click", () => answering?.control.abort());
find("settings-open").addEventListener("click", openSettings);
find("forget-key").addEventListener("click", () => {
  server.useKey(null);
  find("forget-key").hidden = true;
});
find("export-markdown").addEventListener("click", () => exportMarkdown(chat));
find("export-json").addEventListener("click", () => exportJson([chat]));
find("export-all").addEventListener("click", () => exportJson(conversations));
find("import").addEventListener("click", () => find("import-file").click());
find("import-file").addEventListener("change", importFile);
find("delete-all").addEventListener("click", deleteAll);
model.addEventListener("change", () => change({ model: model.value }));
prompt.addEventListener("input", showControls);
prompt.addEventListener("keydown", event => {
  // isComposing: Enter then accepts a word of an input method and must not send.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask();
  }
});
document.addEventListener("keydown", event => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (answering) answering.control.abort();
  else if (isNarrow() && !find("conversations").hidden) showConversations(false);
});
document.addEventListener("focusin", event => {
  // On a phone the list lies over the conversation: it closes when the focus leaves it.
  if (isNarrow() && !event.target.closest("nav, header, dialog")) showConversations(false);
});
showConversations(!isNarrow() && conversations.length > 0, false);
showAll();
prompt.focus();
limits = await server.limits();
await findModels();
document.body.dataset.ready = "true";

function isNarrow() {
  return matchMedia("(max-width: 52rem)").matches;
}

function notify(words, alarm = false) {
  const notice = find("notice");
  notice.textContent = words;
  notice.hidden = words === "";
  notice.classList.toggle("alarm", alarm);
  announce(words);
}

/** Runs what asks the server; when it demands a key, asks the user for one and runs it again. */
async function withKey(action) {
  for (;;) {
    try {
      return await action();
    } catch (problem) {
      if (problem.status !== 401) throw problem;
      const key = await askKey(problem.message);
      if (key === null) throw problem;
      server.useKey(key);
    }
  }
}

async function findModels() {
  let found = [], obstacle = "notReady";
  try {
    found = await withKey(server.models);
  } catch (problem) {
    if (problem instanceof TypeError) obstacle = "unreachable";
    else obstacle = null, notify(text("failed", { reason: problem.message }), true);
  }
  contextLengths = new Map(found.map(each => [each.name, each.contextLength]));
  model.replaceChildren(...found.map(({ name }) => make("option", { value: name, textContent: name })));
  if (contextLengths.has(settings().model)) model.value = settings().model;
  if (found.length === 0 && obstacle) notify(text(obstacle), true);
  return found.length > 0;
}

async function ask() {
  const words = prompt.value;
  if (answering || words.trim() === "") return;
  prompt.value = "";
  const question = add(chat, chat.leaf, { role: "user", text: words });
  await answer(question);
}

/** Writes the answer to a question of the conversation that is shown. */
async function answer(question) {
  if (!model.value && !await findModels()) {
    await keep(chat);
    showAll();
    return;
  }
  notify("");
  const asked = chat;
  const before = path(asked);
  const turns = before.slice(0, before.findIndex(turn => turn.id === question.id) + 1);
  const turn = add(asked, question.id, { role: "assistant", text: "", model: model.value });
  const control = new AbortController();
  answering = { control, chat: asked, turn };
  await keep(asked);
  showAll();
  main.scrollTop = main.scrollHeight;
  prompt.focus();
  announce(text("answering"));
  const reader = new Reader(find("log"));
  const started = performance.now();
  const request = { model: model.value, messages: messages(asked, turns), ...sampling(limits) };
  try {
    await withKey(async () => {
      for await (const event of server.answer(request, control.signal)) {
        turn.text += event.choices?.[0]?.delta?.content ?? "";
        turn.end = event.choices?.[0]?.finish_reason ?? turn.end;
        if (event.usage) {
          turn.promptTokens = event.usage.prompt_tokens;
          turn.answerTokens = event.usage.completion_tokens;
          turn.contextLength = contextLengths.get(turn.model);
        }
        reader.follow(turn.text);
        redrawSoon(turn);
      }
    });
    turn.milliseconds = Math.round(performance.now() - started);
    turn.end ??= "stop";
    reader.finish(turn.text);
    announce(text("answerComplete"));
  } catch (problem) {
    turn.end = control.signal.aborted ? "stopped" : "failed";
    if (turn.end === "failed") turn.error = explain(problem);
    announce(turn.end === "stopped" ? text("stopped") : text("failed", { reason: turn.error }));
  }
  answering = null;
  asked.changed = Date.now();
  if (conversations.includes(asked)) await keep(asked);
  if (chat === asked) redrawTurn(turn);
  showControls();
}

function explain(problem) {
  if (!(problem instanceof server.ServerError)) return problem instanceof TypeError ? text("unreachable") : problem.message;
  const words = [problem.message];
  if (problem.code === "context_length_exceeded") words.push(text("contextFull"));
  if (problem.status === 429) words.push(text("busy"));
  return words.join(" ");
}

let drawing = false, pause = 0;

/** Draws the growing answer at most once a frame, and never for more than a fifth of the time. */
function redrawSoon(turn) {
  if (drawing) return;
  drawing = true;
  const draw = () => {
    drawing = false;
    const body = list.querySelector(`[data-turn="${turn.id}"] .text`);
    if (!body || answering?.turn !== turn) return;
    const started = performance.now();
    follow(() => drawText(body, turn.text));
    pause = 4 * (performance.now() - started);
  };
  if (pause > 16) setTimeout(draw, pause);
  else requestAnimationFrame(draw);
}

/** Changes the page and keeps its end in view, unless the reader has scrolled up. */
function follow(action) {
  const atEnd = main.scrollHeight - main.scrollTop - main.clientHeight < 64;
  action();
  if (atEnd) main.scrollTop = main.scrollHeight;
}

const actions = {
  retry: async turn => {
    if (answering) return;
    await answer(chat.turns.find(other => other.id === turn.parent));
  },
  edit: (turn, item) => {
    if (answering) return;
    drawEditor(item, turn, words => {
      if (words.trim() === "") return;
      answer(add(chat, turn.parent, { role: "user", text: words }));
    }, () => {
      redrawTurn(turn);
      list.querySelector(`[data-turn="${turn.id}"] .tools button:last-child`)?.focus();
    });
  },
  show: turn => {
    if (answering) return;
    show(chat, turn.id);
    keep(chat);
    showMessages();
    // The buttons were drawn anew: the focus stays with the version.
    list.querySelector(`[data-turn="${turn.id}"] .tools button:not(:disabled)`)?.focus();
  },
};

function drawn(turn) {
  return drawTurn(turn, versions(chat).get(turn.parent), actions);
}

function redrawTurn(turn) {
  const item = list.querySelector(`[data-turn="${turn.id}"]`);
  if (item) follow(() => item.replaceWith(drawn(turn)));
}

function showMessages() {
  const below = versions(chat);
  const turns = path(chat);
  list.replaceChildren(...turns.map(turn => {
    const item = drawTurn(turn, below.get(turn.parent), actions);
    if (answering?.turn === turn) item.setAttribute("aria-busy", "true");
    return item;
  }));
  find("welcome").hidden = turns.length > 0;
}

function showList() {
  find("no-conversations").hidden = conversations.length > 0;
  find("conversation-list").replaceChildren(...conversations.map(conversation => {
    const name = title(conversation) ?? text("newChat");
    const open = button(name, () => openConversation(conversation), { className: "open", dir: "auto", title: name });
    if (conversation === chat) open.setAttribute("aria-current", "true");
    const remove = button("×", () => removeConversation(conversation), { className: "icon", title: text("delete"), attributes: { "aria-label": text("deleteConversation", { title: name }) } });
    return make("li", {}, open, remove);
  }));
  for (const id of ["export-all", "delete-all"]) find(id).disabled = conversations.length === 0;
  for (const id of ["export-markdown", "export-json"]) find(id).disabled = chat.turns.length === 0;
}

function showControls() {
  find("send").hidden = answering !== null;
  find("stop").hidden = answering === null;
  find("send").setAttribute("aria-disabled", String(prompt.value.trim() === ""));
}

function showAll() {
  const examples = ["example1", "example2"].map(key => make("li", {}, button(text(key), () => {
    prompt.value = text(key);
    ask();
  })));
  find("examples").replaceChildren(...examples);
  showMessages();
  showList();
  showControls();
  if (!lasting && find("notice").hidden) notify(text("notKept"));
}

function showConversations(visible, focus = true) {
  find("conversations").hidden = !visible;
  find("toggle").setAttribute("aria-expanded", String(visible));
  if (focus && visible && isNarrow()) find("conversations").querySelector("button:not(:disabled)")?.focus();
}

/** Writes a conversation, and puts it before the others. */
async function keep(conversation) {
  conversations = [conversation, ...conversations.filter(other => other !== conversation)];
  try {
    await store.put(conversation);
  } catch {
    notify(text("notKept"), true);
  }
}

function startAnew() {
  answering?.control.abort();
  chat = create(settings().system);
  notify("");
  showAll();
  if (isNarrow()) showConversations(false);
  prompt.focus();
}

function openConversation(conversation) {
  if (answering && answering.chat !== conversation) answering.control.abort();
  chat = conversation;
  notify("");
  showAll();
  if (isNarrow()) showConversations(false);
  main.scrollTop = main.scrollHeight;
  prompt.focus();
}

async function removeConversation(conversation) {
  if (!await confirmed(text("deleteQuestion", { title: title(conversation) ?? text("newChat") }))) return;
  conversations = conversations.filter(other => other !== conversation);
  await store.remove(conversation.id);
  if (conversation === chat) startAnew();
  else showList();
  find("toggle").focus();
}

async function deleteAll() {
  if (!await confirmed(text("deleteAllQuestion"))) return;
  conversations = [];
  await store.clear();
  startAnew();
}

async function importFile() {
  const file = find("import-file").files[0];
  find("import-file").value = ""; // the same file may be chosen again
  const found = file ? await importJson(file) : [];
  if (found === null) return notify(text("importFailed"), true);
  for (const conversation of found) {
    // Of two states of one conversation the later one stays.
    const known = conversations.find(other => other.id === conversation.id);
    if (known && known.changed >= conversation.changed) continue;
    conversations = conversations.filter(other => other !== known);
    await keep(conversation);
    if (known && known === chat) chat = conversation;
  }
  conversations.sort((a, b) => b.changed - a.changed);
  showAll();
  notify(text("imported", { count: found.length }));
}

function openSettings() {
  find("forget-key").hidden = !server.hasKey();
  showSettings(limits, { language: language(), system: chat.turns.length > 0 ? chat.system : settings().system }, async changed => {
    change(changed);
    chat.system = changed.system;
    if (chat.turns.length > 0) await keep(chat);
    if (changed.language !== language()) await use(changed.language);
    showAll();
    find("settings-open").focus();
  });
}
