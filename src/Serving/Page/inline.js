// Markdown inside a line: emphasis, code, links. One pass from left to right; marks that find no partner are text.
import { make } from "./elements.js";

const longestAddress = 2048;
const elementOf = { "**": "strong", "__": "strong", "*": "em", "_": "em", "~~": "s" };
const escapable = "\\`*_{}[]()#+-.!|<>~";
const isWord = letter => letter !== undefined && /[\p{L}\p{N}]/u.test(letter);
const isBlank = letter => letter === undefined || /\s/.test(letter);

/** The address when a link may lead there, otherwise null: only the web and mail, never a script or data. */
export function safeAddress(words) {
  try {
    const address = new URL(words);
    return ["http:", "https:", "mailto:"].includes(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}

const link = (address, children) =>
  make("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow", referrerPolicy: "no-referrer" }, ...children);

/** The nodes of a text. */
export function inline(text, inLink = false) {
  const codeEnds = runsOfTicks(text), brackets = inLink ? new Map() : pairsOfBrackets(text);
  const open = [{ mark: null, nodes: [] }]; // at most one frame for each mark
  let words = "", at = 0;
  const flush = () => {
    if (words !== "") open.at(-1).nodes.push(words), words = "";
  };
  const put = (node, next) => {
    flush();
    open.at(-1).nodes.push(node);
    at = next;
  };
  while (at < text.length) {
    const letter = text[at];
    if (letter === "\\" && escapable.includes(text[at + 1] ?? " ")) {
      words += text[at + 1];
      at += 2;
    } else if (letter === "\n") {
      put(make("br"), at + 1);
    } else if (letter === "`") {
      const { length, closing } = codeEnds.get(at) ?? { length: 1, closing: null };
      if (closing === null) words += "`".repeat(length), at += length;
      else put(make("code", { textContent: text.slice(at + length, closing).replaceAll("\n", " ").replace(/^ (.+) $/, "$1") }), closing + length);
    } else if (letter === "[" && brackets.has(at)) {
      const target = destination(text, brackets.get(at) + 1);
      const address = target && safeAddress(target.words);
      // The mark of an image is dropped: nothing is loaded from elsewhere, so an image is a link to it.
      if (address && words.endsWith("!")) words = words.slice(0, -1);
      if (address) put(link(address, inline(text.slice(at + 1, brackets.get(at)), true)), target.next);
      else words += letter, at++;
    } else if (!inLink && (letter === "h" || letter === "<") && !isWord(text[at - 1]) && bareAddress(text, at) !== null) {
      const bare = bareAddress(text, at);
      put(link(bare.address, [bare.words]), bare.next);
    } else if ("*_~".includes(letter)) {
      const mark = text[at + 1] === letter ? letter + letter : letter;
      if (!elementOf[mark]) {
        words += mark;
      } else {
        const before = text[at - 1], after = text[at + mark.length];
        const inWord = letter === "_" && isWord(before) && isWord(after);
        const place = open.findIndex(frame => frame.mark === mark);
        if (place > 0 && !isBlank(before) && !inWord) {
          flush();
          close(open, place);
        } else if (place < 0 && !isBlank(after) && !inWord) {
          flush();
          open.push({ mark, nodes: [] });
        } else words += mark;
      }
      at += mark.length;
    } else {
      words += letter;
      at++;
    }
  }
  flush();
  while (open.length > 1) abandon(open);
  return open[0].nodes;
}

/** Ends the frame at a place; frames that were opened inside it and did not end are text. */
function close(open, place) {
  while (open.length > place + 1) abandon(open);
  const { mark, nodes } = open.pop();
  open.at(-1).nodes.push(nodes.length === 0 ? mark + mark : make(elementOf[mark], {}, ...nodes));
}

function abandon(open) {
  const { mark, nodes } = open.pop(), outer = open.at(-1).nodes;
  outer.push(mark);
  for (const node of nodes) outer.push(node);
}

/** Each run of backticks under its place, with the place of the next run as long as it. */
function runsOfTicks(text) {
  const runs = [], found = new Map(), nextOfLength = new Map();
  for (let at = text.indexOf("`"); at >= 0; at = text.indexOf("`", at)) {
    const start = at;
    while (text[at] === "`") at++;
    runs.push({ start, length: at - start });
  }
  for (const { start, length } of runs.reverse()) {
    found.set(start, { length, closing: nextOfLength.get(length) ?? null });
    // A backslash takes the first tick of a run away: the rest is then asked for under the next place.
    if (length > 1) found.set(start + 1, { length: length - 1, closing: nextOfLength.get(length - 1) ?? null });
    nextOfLength.set(length, start);
  }
  return found;
}

function pairsOfBrackets(text) {
  const pairs = new Map(), open = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "[") open.push(at);
    else if (text[at] === "]" && open.length > 0) pairs.set(open.pop(), at);
  }
  return pairs;
}

/** The address in parentheses at a place, with where it ends; a title after it is passed over. */
function destination(text, at) {
  if (text[at] !== "(") return null;
  let depth = 1, end = at + 1;
  for (; end < text.length && end - at <= longestAddress && text[end] !== "\n"; end++) {
    if (text[end] === "(") depth++;
    else if (text[end] === ")" && --depth === 0) break;
  }
  if (text[end] !== ")" || depth > 0) return null;
  const words = text.slice(at + 1, end).trim().split(/\s/, 1)[0];
  return { words: words.startsWith("<") && words.endsWith(">") ? words.slice(1, -1) : words, next: end + 1 };
}

function bareAddress(text, at) {
  const angle = text[at] === "<", start = angle ? at + 1 : at;
  if (!text.startsWith("http://", start) && !text.startsWith("https://", start)) return null;
  let end = start;
  while (end < text.length && end - start < longestAddress && !isBlank(text[end]) && !"<>\"`".includes(text[end])) end++;
  if (angle && text[end] !== ">") return null;
  // A sentence's punctuation is not the address's.
  while (!angle && ".,;:!?)*_'".includes(text[end - 1])) end--;
  const address = safeAddress(text.slice(start, end));
  return address && { address, words: text.slice(start, end), next: angle ? end + 1 : end };
}
