// Conversations in the browser's database; where it has none, in memory, and `lasting` says so.
import { read } from "./conversation.js";

const table = "conversations";
let database = null;
const memory = new Map();

const done = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Opens the database; false where nothing outlives the tab. */
export async function open() {
  try {
    const request = indexedDB.open("oellm", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(table, { keyPath: "id" });
    database = await done(request);
    database.onversionchange = () => database.close(); // a newer page in another tab
    return true;
  } catch {
    return false;
  }
}

const rows = mode => database.transaction(table, mode).objectStore(table);

/** All conversations, the one changed last first; rows that are none are left out. */
export async function all() {
  const found = database ? await done(rows("readonly").getAll()) : [...memory.values()];
  return found.map(read).filter(conversation => conversation !== null).sort((a, b) => b.changed - a.changed);
}

/** Writes a conversation, in place of its earlier state. */
export async function put(conversation) {
  if (database) await done(rows("readwrite").put(conversation));
  else memory.set(conversation.id, structuredClone(conversation));
}

/** Deletes one conversation. */
export async function remove(id) {
  if (database) await done(rows("readwrite").delete(id));
  else memory.delete(id);
}

/** Deletes all conversations. */
export async function clear() {
  if (database) await done(rows("readwrite").clear());
  else memory.clear();
}
