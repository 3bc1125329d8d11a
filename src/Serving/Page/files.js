// Conversations as files: JSON with every branch, to take elsewhere and back; Markdown of what is shown, to read.
import { path, read, title } from "./conversation.js";
import { save } from "./elements.js";
import { moment, text } from "./language.js";

const largest = 64 * 1024 * 1024; // bytes of a file that is imported
const format = "oellm-conversations";

const nameOf = (conversation, ending) =>
  `${(title(conversation) ?? "conversation").normalize("NFC").replace(/[^\p{L}\p{M}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "conversation"}.${ending}`;

/** Saves conversations as JSON. */
export function exportJson(conversations) {
  const name = conversations.length === 1 ? nameOf(conversations[0], "json") : "conversations.json";
  save(name, "application/json", `${JSON.stringify({ format, version: 1, conversations }, null, 2)}\n`);
}

/** Saves the branch of a conversation that is shown as Markdown. */
export function exportMarkdown(conversation) {
  const parts = [`# ${title(conversation) ?? text("newChat")}`, moment(conversation.created)];
  if (conversation.system !== "") parts.push(`## ${text("system")}`, conversation.system);
  for (const turn of path(conversation)) parts.push(`## ${text(turn.role === "user" ? "you" : "answer")}${turn.model ? ` (${turn.model})` : ""}`, turn.text);
  save(nameOf(conversation, "md"), "text/markdown;charset=utf-8", `${parts.join("\n\n")}\n`);
}

/** The conversations of a file; null when it holds none that can be read. */
export async function importJson(file) {
  if (file.size > largest) return null;
  try {
    const value = JSON.parse(await file.text());
    if (value.format !== format || value.version !== 1) return null;
    const conversations = value.conversations.map(read);
    return conversations.length === 0 || conversations.includes(null) ? null : conversations;
  } catch {
    return null;
  }
}
