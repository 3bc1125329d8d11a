#!/usr/bin/env node
// Encoding speed on one thread, ours and theirs in turns on the same documents:
//   TOKENIZER_PEERS=FOLDER bench/peers/tokenizer-speed.mjs --tokenizer FOLDER --input FILE.jsonl [--turns 5] [--megabytes 4]
// FOLDER of TOKENIZER_PEERS holds node_modules with tokenizers, @huggingface/tokenizers and tiktoken. The peers load the tokenizer.json that we load; tiktoken
// cannot, and encodes with cl100k_base, which has more tokens. Prints megabytes of text a second (medians) and our ratio to each.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const option = (name, normal) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? normal : process.argv[at + 1];
};
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const peers = process.env.TOKENIZER_PEERS;
const tokenizerFolder = option("--tokenizer"), input = option("--input");
if (!peers || !tokenizerFolder || !input) {
  console.error("usage: TOKENIZER_PEERS=FOLDER tokenizer-speed.mjs --tokenizer FOLDER --input FILE.jsonl [--turns N] [--megabytes N]");
  process.exit(2);
}
const turns = Number(option("--turns", "5")), limit = Number(option("--megabytes", "4")) * 1e6;
const require = createRequire(join(resolve(peers), "x.js"));

// The same documents for all: the first of the file up to the limit.
const lines = [];
let bytes = 0;
for (const line of readFileSync(input, "utf8").split("\n")) {
  if (line.length === 0 || bytes >= limit) continue;
  lines.push(line);
  bytes += Buffer.byteLength(JSON.parse(line).text);
}
const texts = lines.map(line => JSON.parse(line).text);
const work = mkdtempSync(join(tmpdir(), "tokenizer-speed-"));
const part = join(work, "texts.jsonl");
writeFileSync(part, lines.join("\n") + "\n");

const rust = require("tokenizers").Tokenizer.fromFile(join(tokenizerFolder, "tokenizer.json"));
const huggingFace = require("@huggingface/tokenizers");
const script = new huggingFace.Tokenizer(JSON.parse(readFileSync(join(tokenizerFolder, "tokenizer.json"))), JSON.parse(readFileSync(join(tokenizerFolder, "tokenizer_config.json"))));
const ranks = require("tiktoken").get_encoding("cl100k_base");

const timed = async encode => {
  const start = process.hrtime.bigint();
  for (const text of texts) await encode(text);
  return bytes / Number(process.hrtime.bigint() - start) * 1e3;
};
const contenders = {
  ours: () => JSON.parse(execFileSync(process.env.OELLM ?? join(root, "artifacts/bin/Cli/release/oellm"),
    ["bench", "tokenizer", "--tokenizer", tokenizerFolder, "--input", part, "--runs", "1", "--json"], { encoding: "utf8" })).encodeMegabytesPerSecond,
  "npm tokenizers (Rust)": () => timed(text => rust.encode(text, null, { addSpecialTokens: false })),
  "@huggingface/tokenizers": () => timed(text => script.encode(text, { add_special_tokens: false })),
  "tiktoken cl100k_base": () => timed(text => ranks.encode_ordinary(text)),
};
const speeds = Object.fromEntries(Object.keys(contenders).map(name => [name, []]));
for (let turn = 0; turn < turns; turn++)
  for (const [name, run] of Object.entries(contenders)) speeds[name].push(await run());
rmSync(work, { recursive: true });

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];
console.log(`${texts.length} documents, ${(bytes / 1e6).toFixed(1)} MB, one thread, medians of ${turns} turns`);
for (const [name, values] of Object.entries(speeds))
  console.log(`${name.padEnd(26)} ${median(values).toFixed(2).padStart(8)} MB/s${name === "ours" ? "" : `   ours is ${median(speeds.ours.map((own, turn) => own / values[turn])).toFixed(1)} times as fast`}`);
