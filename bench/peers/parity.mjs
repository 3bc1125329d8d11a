#!/usr/bin/env node
// What public tokenizers and ours need for the same sentences in every language: totals over the 1,004 gold sentences, as Markdown tables.
import {spawnSync} from "node:child_process";
import {readFileSync} from "node:fs";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";
import {gunzipSync} from "node:zlib";
import {peers} from "./tokenizer-fixtures.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const usage = `Usage: bench/peers/parity.mjs [TOKENIZER...]
Example: TOKENIZER_PEERS=/opt/peers bench/peers/parity.mjs models/europa-tokenizer-64k models/europa-tokenizer-16k
TOKENIZER_PEERS as for bench/peers/tokenizers.mjs. OELLM names our program; artifacts/bin/Cli/release/oellm when not set.`;
if (process.argv.slice(2).some((word) => word.startsWith("-"))) {
    console.error(usage);
    process.exit(2);
}

const official = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split(" ");
const data = join(root, "../shared/data/lid/dev.tsv.gz");
const sentences = new Map();
for (const line of gunzipSync(readFileSync(data)).toString("utf8").split("\n")) {
    const tab = line.indexOf("\t");
    if (tab > 0) sentences.set(line.slice(0, tab), [...(sentences.get(line.slice(0, tab)) ?? []), line.slice(tab + 1)]);
}

const tools = peers(), rows = [];
const add = (name, size, count) => rows.push({name, size, totals: Object.fromEntries([...sentences].map(([language, lines]) => [language, lines.reduce((sum, line) => sum + count(line), 0)]))});

for (const path of process.argv.slice(2)) {
    const ran = spawnSync(process.env.OELLM ?? join(root, "artifacts/bin/Cli/release/oellm"), ["tokenizer", "report", "--tokenizer", path, "--input", data, "--parallel", "--json"], {encoding: "utf8"});
    if (ran.status !== 0) throw new Error(`oellm tokenizer report ended with ${ran.status}: ${ran.stderr}`);
    const report = JSON.parse(ran.stdout);
    rows.push({name: `**${report.name}**`, size: report.vocabularySize, totals: Object.fromEntries(report.languages.filter((row) => row.texts > 0).map((row) => [row.language, row.tokens]))});
}
for (const [encoding, size] of [["r50k_base", 50257], ["cl100k_base", 100277], ["o200k_base", 200019]]) {
    const tokenizer = tools.load("tiktoken").get_encoding(encoding);
    add(`${encoding} (tiktoken)`, size, (text) => tokenizer.encode(text, [], []).length);
    tokenizer.free();
}
const claude = JSON.parse(readFileSync(join(tools.folder, "@anthropic-ai/tokenizer/claude.json"), "utf8"));
const {Tiktoken} = tools.load("tiktoken/lite"), first = new Tiktoken(claude.bpe_ranks, claude.special_tokens, claude.pat_str);
add("@anthropic-ai/tokenizer", claude.explicit_n_vocab, (text) => first.encode(text.normalize("NFKC"), [], []).length);
const module = async (file) => (await import(join(tools.folder, file))).default;
const llama3 = await module("llama3-tokenizer-js/bundle/llama3-tokenizer-with-baked-data.js");
add("Llama 3 (llama3-tokenizer-js)", llama3.vocabById.length, (text) => llama3.encode(text, {bos: false, eos: false}).length);
const llama = await module("llama-tokenizer-js/llama-tokenizer.js");
add("Llama 2 (llama-tokenizer-js)", 32000, (text) => llama.encode(text, false, true).length);
const mistral = await module("mistral-tokenizer-js/mistral-tokenizer.js");
add("Mistral (mistral-tokenizer-js)", 32000, (text) => mistral.encode(text, false, true).length);

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => { const all = sorted(values), middle = all.length >> 1; return all.length % 2 ? all[middle] : (all[middle - 1] + all[middle]) / 2; };
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
console.log("| tokenizer | vocabulary | mean tokens, 24 languages | most over median | whose | parity against English, mean | worst parity, all languages | whose |\n|---|---:|---:|---:|---|---:|---:|---|");
for (const {name, size, totals} of rows) {
    const own = official.map((language) => totals[language]), worst = official[own.indexOf(Math.max(...own))];
    const all = Object.entries(totals), last = all.reduce((most, each) => (each[1] > most[1] ? each : most));
    console.log(`| ${name} | ${size} | ${mean(own).toFixed(0)} | ${(Math.max(...own) / median(own)).toFixed(3)} | ${worst} | ${(mean(own) / totals.en).toFixed(3)} | ${(last[1] / totals.en).toFixed(3)} | ${last[0]} |`);
}
const others = [...sentences.keys()].filter((language) => !official.includes(language)).sort();
console.log(`\n| language | ${rows.map((row) => row.name).join(" | ")} |\n|---|${rows.map(() => "---:|").join("")}`);
for (const language of [...official, ...others]) console.log(`| ${language} | ${rows.map(({totals}) => `${totals[language]} (${(totals[language] / totals.en).toFixed(2)})`).join(" | ")} |`);
