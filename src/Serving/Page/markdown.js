// Markdown's blocks, as nodes of the document. Every line is looked at once per level of nesting, and the levels are bounded;
// what is no Markdown, HTML above all, is text.
import { inline } from "./inline.js";
import { make } from "./elements.js";

const deepest = 8; // levels of lists and quotations; what is deeper is text

/** Divides a text into blocks: `source` says whether a block has changed since it was drawn, `draw` makes its element. */
export function blocks(text, drawCode, depth = 0) {
  const lines = text.split("\n"), found = [];
  let at = 0;
  while (at < lines.length) {
    const start = at;
    const read = blank(lines[at]) ? null
      : fence(lines, at, drawCode) ?? heading(lines, at) ?? rule(lines, at) ?? table(lines, at)
      ?? (depth < deepest ? quotation(lines, at, drawCode, depth) ?? list(lines, at, drawCode, depth) : null)
      ?? paragraph(lines, at, depth);
    at = read?.next ?? at + 1;
    if (read) found.push({ source: lines.slice(start, at).join("\n"), draw: read.draw });
  }
  return found;
}

const blank = line => line.trim() === "";
const indent = line => line.length - line.trimStart().length;
const drawAll = (text, drawCode, depth) => blocks(text, drawCode, depth).map(block => block.draw());

function fenceMark(line) {
  const words = line.trimStart(), mark = words[0];
  if (mark !== "`" && mark !== "~") return null;
  let length = 0;
  while (words[length] === mark) length++;
  const information = words.slice(length).trim();
  return length < 3 || (mark === "`" && information.includes("`")) ? null : { mark, length, information };
}

function fence(lines, at, drawCode) {
  const opening = fenceMark(lines[at]);
  if (!opening) return null;
  const margin = indent(lines[at]), code = [];
  let next = at + 1;
  for (; next < lines.length; next++) {
    const mark = fenceMark(lines[next]);
    if (mark && mark.mark === opening.mark && mark.length >= opening.length && mark.information === "") break;
    code.push(lines[next].slice(Math.min(margin, indent(lines[next]))));
  }
  return { next: Math.min(next + 1, lines.length), draw: () => drawCode(code.join("\n"), opening.information.split(/\s/, 1)[0]) };
}

function headingLevel(line) {
  let level = 0;
  while (line[level] === "#") level++;
  return level >= 1 && level <= 6 && (line.length === level || line[level] === " ") ? level : null;
}

function heading(lines, at) {
  const level = headingLevel(lines[at]);
  // The page has the levels 1 and 2 for itself.
  return level && { next: at + 1, draw: () => make(`h${Math.min(level + 2, 6)}`, {}, ...inline(lines[at].slice(level).trim())) };
}

function isRule(line) {
  const marks = line.replaceAll(" ", "").trim(), mark = marks[0];
  return marks.length >= 3 && (mark === "-" || mark === "*" || mark === "_") && marks === mark.repeat(marks.length);
}

const rule = (lines, at) => isRule(lines[at]) ? { next: at + 1, draw: () => make("hr") } : null;

function cells(line) {
  const row = line.trim(), found = [];
  let cell = "";
  for (let i = row[0] === "|" ? 1 : 0; i < row.length; i++) {
    if (row[i] === "\\" && row[i + 1] === "|") cell += row[++i];
    else if (row[i] === "|") found.push(cell.trim()), cell = "";
    else cell += row[i];
  }
  if (cell.trim() !== "" || found.length === 0) found.push(cell.trim());
  return found;
}

const isDivider = cell => cell !== "" && cell.replaceAll("-", "").replace(/^:/, "").replace(/:$/, "") === "" && cell.includes("-");

function table(lines, at) {
  if (!lines[at].includes("|") || !lines[at + 1]?.includes("-")) return null;
  const head = cells(lines[at]), dividers = cells(lines[at + 1]);
  if (head.length !== dividers.length || !dividers.every(isDivider)) return null;
  let next = at + 2;
  while (next < lines.length && lines[next].includes("|") && !blank(lines[next])) next++;
  const rows = lines.slice(at + 2, next);
  const side = dividers.map(cell => cell.endsWith(":") ? (cell.startsWith(":") ? "middle" : "end") : "start");
  const row = (name, texts, attributes) => make("tr", {}, ...head.map((_, column) =>
    make(name, { className: side[column], attributes }, ...inline(texts[column] ?? ""))));
  return {
    next,
    draw: () => make("div", { className: "table", tabIndex: 0, attributes: { role: "group" } }, make("table", {},
      make("thead", {}, row("th", head, { scope: "col" })),
      make("tbody", {}, ...rows.map(line => row("td", cells(line)))))),
  };
}

const isQuotation = line => line.trimStart()[0] === ">";

function quotation(lines, at, drawCode, depth) {
  if (!isQuotation(lines[at])) return null;
  const inner = [];
  let next = at;
  while (next < lines.length && isQuotation(lines[next])) inner.push(lines[next++].trimStart().slice(1).replace(/^ /, ""));
  return { next, draw: () => make("blockquote", {}, ...drawAll(inner.join("\n"), drawCode, depth + 1)) };
}

/** What begins an item of a list: its kind, its number and where its text starts; null where none begins. */
function itemMark(line) {
  const margin = indent(line);
  let end = margin, order = null;
  if ("-*+".includes(line[end] ?? " ")) end++;
  else {
    while (end - margin < 9 && line[end] >= "0" && line[end] <= "9") end++;
    if (end === margin || (line[end] !== "." && line[end] !== ")")) return null;
    order = Number(line.slice(margin, end++));
  }
  if (end < line.length && line[end] !== " " && line[end] !== "\t") return null;
  const kind = order === null ? line[margin] : line[end - 1];
  return isRule(line) ? null : { margin, kind, order, content: Math.min(end + 1, line.length) };
}

function list(lines, at, drawCode, depth) {
  const first = itemMark(lines[at]);
  if (!first) return null;
  const items = [];
  let next = at, current = first;
  for (; next < lines.length; next++) {
    const line = lines[next];
    if (blank(line)) {
      // A list goes on after an empty line only with an item or with text that belongs to one.
      const after = lines[next + 1];
      if (after === undefined || blank(after) || (indent(after) < first.margin + 2 && itemMark(after)?.kind !== first.kind)) break;
      items.at(-1).push("");
      continue;
    }
    const mark = itemMark(line);
    if (mark && mark.margin < first.margin + 2) {
      if (mark.kind !== first.kind) break;
      current = mark;
      items.push([line.slice(mark.content)]);
    } else if (indent(line) >= 2) items.at(-1).push(line.slice(Math.min(indent(line), current.content)));
    else if (begins(line) || blank(lines[next - 1])) break;
    else items.at(-1).push(line);
  }
  const name = first.order === null ? "ul" : "ol";
  return {
    next,
    draw: () => make(name, first.order === null ? {} : { start: first.order }, ...items.map(item => {
      const parts = drawAll(item.join("\n"), drawCode, depth + 1);
      // One paragraph is the item itself.
      return make("li", {}, ...(parts[0]?.localName === "p" ? [...parts[0].childNodes, ...parts.slice(1)] : parts));
    })),
  };
}

const begins = line => fenceMark(line) || headingLevel(line) || isRule(line) || isQuotation(line);

function paragraph(lines, at, depth) {
  let next = at + 1;
  while (next < lines.length && !blank(lines[next]) && (depth >= deepest || !interrupts(lines, next))) next++;
  return { next, draw: () => make("p", {}, ...inline(lines.slice(at, next).join("\n").trim())) };
}

function interrupts(lines, at) {
  const mark = itemMark(lines[at]);
  // A year at the start of a line is no list.
  return begins(lines[at]) || (mark && (mark.order === null || mark.order === 1)) || table(lines, at);
}
