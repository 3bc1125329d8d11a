// How turns are drawn: the text as Markdown, what can be done with it, and what is known about it.
import { blocks } from "./markdown.js";
import { announce, button, copy, make } from "./elements.js";
import { moment, number, text } from "./language.js";

function drawCode(code, name) {
  const label = make("span", { textContent: name || text("code") });
  const press = button(text("copy"), () => copyFrom(press, code), { className: "small", attributes: { "aria-label": text("copyCode") } });
  return make("div", { className: "code" }, make("div", { className: "bar" }, label, press),
    make("pre", { tabIndex: 0, attributes: { role: "region", "aria-label": name || text("code") } }, make("code", { textContent: code })));
}

async function copyFrom(press, words) {
  const said = text(await copy(words) ? "copied" : "copyFailed");
  press.textContent = said;
  announce(said);
  setTimeout(() => press.textContent = text("copy"), 2000);
}

/** Draws a text into a body, keeping the elements of those blocks at its start that have not changed. */
export function drawText(body, words) {
  const next = blocks(words, drawCode), drawn = body.drawn ?? [];
  let same = 0;
  while (same < drawn.length && same < next.length && drawn[same] === next[same].source) same++;
  while (body.childElementCount > same) body.lastElementChild.remove();
  for (const block of next.slice(same)) body.append(block.draw());
  body.drawn = next.map(block => block.source);
}

/** A turn as an item of the list. `siblings` are its versions; `actions` are called with the turn. */
export function drawTurn(turn, siblings, actions) {
  const body = make("div", { className: "text", dir: "auto", lang: "" }); // unknown: the interface's language must not be claimed for it
  const item = make("li", { className: turn.role }, make("h2", { className: "hidden", textContent: text(turn.role === "user" ? "you" : "answer") }), body);
  item.dataset.turn = turn.id;
  if (turn.role === "user") body.append(make("p", { textContent: turn.text }));
  else drawText(body, turn.text);
  addNotes(item, turn);
  addTools(item, turn, siblings, actions);
  return item;
}

/** Writes what is known about a turn that has ended. */
export function addNotes(item, turn) {
  const add = (words, properties = {}) => item.append(make("p", { className: "note", textContent: words, ...properties }));
  if (turn.end === "length") add(text("cutShort"));
  if (turn.end === "stopped") add(text("stopped"));
  if (turn.end === "failed") add(text("failed", { reason: turn.error ?? "" }), { className: "note alarm" });
  if (turn.end === "stop" && turn.text === "") add(text("emptyAnswer"));
  if (turn.answerTokens === undefined) return;
  const parts = [text("counts", { answer: number(turn.answerTokens), prompt: number(turn.promptTokens ?? 0) })];
  if (turn.milliseconds > 0) {
    parts.push(text("rate", { rate: number(turn.answerTokens / turn.milliseconds * 1000, { maximumSignificantDigits: 3 }) }));
    parts.push(number(turn.milliseconds / 1000, { style: "unit", unit: "second", maximumFractionDigits: 1 }));
  }
  if (turn.contextLength > 0) {
    const used = turn.answerTokens + (turn.promptTokens ?? 0);
    parts.push(text("contextUsed", { used: number(used), length: number(turn.contextLength), share: number(used / turn.contextLength, { style: "percent" }) }));
  }
  add(parts.join(" · "), { className: "note counts", title: [turn.model, moment(turn.time)].filter(Boolean).join(" · ") });
}

/** The buttons under a turn. */
export function addTools(item, turn, siblings, actions) {
  const tools = make("div", { className: "tools" });
  const small = { className: "small" };
  if (siblings.length > 1) {
    const place = siblings.indexOf(turn);
    const step = (label, sign, by) => button(sign, () => actions.show(siblings[place + by]), { ...small, disabled: !siblings[place + by], attributes: { "aria-label": text(label), "data-step": by } });
    tools.append(step("previousVersion", "‹", -1),
      make("span", { className: "soft", textContent: text("version", { number: number(place + 1), count: number(siblings.length) }) }),
      step("nextVersion", "›", 1));
  }
  if (turn.text !== "") {
    const press = button(text("copy"), () => copyFrom(press, turn.text), small);
    tools.append(press);
  }
  if (turn.role === "user") tools.append(button(text("edit"), () => actions.edit(turn, item), small));
  else tools.append(button(text("retry"), () => actions.retry(turn), small));
  item.append(tools);
}

/** Puts a field in the place of a question, to write another version of it. */
export function drawEditor(item, turn, send, cancel) {
  const field = make("textarea", { value: turn.text, dir: "auto", rows: 3, attributes: { "aria-label": text("editLabel") } });
  field.addEventListener("keydown", event => {
    if (event.key === "Escape") {
      event.stopPropagation();
      cancel();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send(field.value);
    }
  });
  item.classList.add("editing");
  item.replaceChildren(field, make("div", { className: "row" },
    button(text("cancel"), cancel), button(text("send"), () => send(field.value), { className: "main" })));
  field.focus();
}
