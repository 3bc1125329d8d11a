// Tokens that published tokenizers need for the gold sentences, which are the same in every language.
//   node tokenizer-totals.mjs dev.tsv.gz NODE_MODULES [totals.json]
// Needs the npm packages tiktoken, @anthropic-ai/tokenizer, llama3-tokenizer-js, llama-tokenizer-js, mistral-tokenizer-js in NODE_MODULES.
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [gold, modules, output] = process.argv.slice(2);
const load = createRequire(path.join(path.resolve(modules), "package.json"));
const official = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split(" ");

const sentences = {};
for (const line of zlib.gunzipSync(fs.readFileSync(gold)).toString("utf8").split("\n")) {
  const tab = line.indexOf("\t");
  if (tab > 0) (sentences[line.slice(0, tab)] ??= []).push(line.slice(tab + 1));
}

const tokenizers = {};
const tiktoken = load("tiktoken");
for (const name of ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"]) {
  const encoding = tiktoken.get_encoding(name);
  tokenizers[name] = text => encoding.encode_ordinary(text).length;
}
const claude = load("@anthropic-ai/tokenizer").getTokenizer();
tokenizers["anthropic"] = text => claude.encode(text.normalize("NFKC"), "all").length;
const imported = async file => (await import(pathToFileURL(path.join(path.resolve(modules), file)))).default;
const llama3 = await imported("llama3-tokenizer-js/bundle/llama3-tokenizer-with-baked-data.js");
tokenizers["llama-3"] = text => llama3.encode(text, { bos: false, eos: false }).length;
const llama2 = await imported("llama-tokenizer-js/llama-tokenizer.js");
tokenizers["llama-2"] = text => llama2.encode(text, false, true).length;
const mistral = await imported("mistral-tokenizer-js/mistral-tokenizer.js");
tokenizers["mistral-7b"] = text => mistral.encode(text, false, true).length;

const all = {};
for (const [name, count] of Object.entries(tokenizers)) {
  const totals = all[name] = {};
  for (const [language, texts] of Object.entries(sentences)) totals[language] = texts.reduce((sum, text) => sum + count(text), 0);
  const values = official.map(language => totals[language]).sort((a, b) => a - b);
  const median = (values[11] + values[12]) / 2;
  console.log(`${name}\tmean ${(values.reduce((a, b) => a + b) / 24).toFixed(0)}\tmax/median ${(values[23] / median).toFixed(3)}`);
}
if (output) fs.writeFileSync(output, JSON.stringify(all, null, 1) + "\n");
