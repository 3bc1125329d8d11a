// A conversation is a tree of turns: an edited question and a repeated answer are branches beside the earlier ones, and
// nothing is lost. `leaf` is the last turn of the branch that is shown.

const roles = ["user", "assistant"];

/** A name that no other turn or conversation has. */
export const newId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");

/** An empty conversation. */
export const create = system => ({ id: newId(), created: Date.now(), changed: Date.now(), system, leaf: null, turns: [] });

/** Adds a turn below another and shows its branch. */
export function add(conversation, parent, turn) {
  const added = { id: newId(), parent, time: Date.now(), ...turn };
  conversation.turns.push(added);
  conversation.leaf = added.id;
  conversation.changed = added.time;
  return added;
}

/** The turns that are shown, first to last. */
export function path(conversation) {
  const byId = new Map(conversation.turns.map(turn => [turn.id, turn]));
  const turns = [];
  for (let turn = byId.get(conversation.leaf); turn; turn = byId.get(turn.parent)) turns.push(turn);
  return turns.reverse();
}

/** The versions of every place in the tree: lists of turns, under the turn they follow (null for the first). */
export function versions(conversation) {
  const below = new Map();
  for (const turn of conversation.turns) {
    if (below.has(turn.parent)) below.get(turn.parent).push(turn);
    else below.set(turn.parent, [turn]);
  }
  return below;
}

/** Shows the newest branch that goes through a turn. */
export function show(conversation, id) {
  const below = versions(conversation);
  let leaf = id;
  while (below.has(leaf)) leaf = below.get(leaf).at(-1).id;
  conversation.leaf = leaf;
}

/** The first words of the first question, or null. */
export function title(conversation) {
  const words = conversation.turns.find(turn => turn.role === "user")?.text.slice(0, 400).trim().replace(/\s+/g, " ") ?? "";
  const letters = [...words];
  return words === "" ? null : letters.length > 60 ? `${letters.slice(0, 59).join("")}…` : words;
}

/** What a request repeats of the branch that ends with a turn. Unanswered tries are not repeated. */
export function messages(conversation, turns) {
  const system = conversation.system.trim() === "" ? [] : [{ role: "system", content: conversation.system }];
  return [...system, ...turns.filter(turn => turn.text !== "").map(turn => ({ role: turn.role, content: turn.text }))];
}

const isText = value => typeof value === "string";
const isCount = value => Number.isFinite(value) && value >= 0;

/** A conversation from the database or a file, with nothing in it but what this page wrote; null when it is none.
 *  A parent stands before its children, so that no circle can be made. */
export function read(value) {
  if (!value || !isText(value.id) || value.id.length > 64 || !isCount(value.created) || !isCount(value.changed) || !Array.isArray(value.turns)) return null;
  const known = new Set([null]), turns = [];
  for (const turn of value.turns) {
    if (!turn || !isText(turn.id) || known.has(turn.id) || !known.has(turn.parent) || !roles.includes(turn.role) || !isText(turn.text) || !isCount(turn.time)) return null;
    known.add(turn.id);
    const kept = { id: turn.id, parent: turn.parent, time: turn.time, role: turn.role, text: turn.text };
    for (const name of ["model", "end", "error"]) if (isText(turn[name])) kept[name] = turn[name];
    for (const name of ["promptTokens", "answerTokens", "contextLength", "milliseconds"]) if (isCount(turn[name])) kept[name] = turn[name];
    turns.push(kept);
  }
  const leaf = known.has(value.leaf) ? value.leaf : turns.at(-1)?.id ?? null;
  return { id: value.id, created: value.created, changed: value.changed, system: isText(value.system) ? value.system : "", leaf, turns };
}
