#!/usr/bin/env node
// llama.cpp beside us on models of random weights, every family and the settings that its published models differ in: after each token of a given row, the same
// likeliest next token? Needs the npm package node-llama-cpp with its prebuilt processor binary; nothing is built or fetched here.
import {spawnSync} from "node:child_process";
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {basename, dirname, join, resolve} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const usage = `Usage: bench/peers/families.mjs [--cases NAME,... | --model FOLDER] [--types f32,...] [--tokens 2048] [--gap 0.001] [--threads 2]
Example: LLAMA_PEER=/opt/peer bench/peers/families.mjs --cases qwen3,gemma3 --tokens 512
NAME is a family, or the start of a row's name; with FOLDER, the model there is the only row. LLAMA_PEER names the folder in which 'npm install --ignore-scripts node-llama-cpp' was run; this folder when not set.
OELLM names our program; artifacts/bin/Cli/release/oellm when not set. Ends with exit code 1 where the programs differ on f32 files.`;

/** A short window and a short original context, so that a row of 2,048 tokens leaves both far behind. */
const short = 256;

const scaled = (theta, type, settings) => ({rope_theta: theta, rope_scaling: undefined, rope_parameters: {rope_theta: theta, rope_type: type, ...settings}});
const yarn = (theta, settings = {}) => scaled(theta, "yarn", {factor: 8, original_max_position_embeddings: short, beta_fast: 32, beta_slow: 1, ...settings});
const llama3 = (theta) => scaled(theta, "llama3", {factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: short});
/** Three quarters of each head of 64 turn, as in Phi-4-mini: 24 pairs. */
const longRope = (original, context, settings = {}) => ({
    ...scaled(10000, "longrope", {
        short_factor: Array.from({length: 24}, (_, i) => 1 + i / 50), long_factor: Array.from({length: 24}, (_, i) => 1 + i * i / 10),
        original_max_position_embeddings: original, partial_rotary_factor: 0.75, ...settings}),
    partial_rotary_factor: 0.75, original_max_position_embeddings: original, max_position_embeddings: context});

/** What is compared: a family as `oellm init` makes it (`words`: more of its options), with settings of its own in config.json where the row has some. */
const cases = [
    {name: "llama"},
    {name: "llama, one table for embedding and head", words: ["--tied"]},
    {name: "llama, scaling of Llama 3", settings: llama3(500000)},
    {name: "llama, linear scaling", settings: scaled(10000, "linear", {factor: 4})},
    {name: "llama, YaRN", settings: yarn(10000)},
    {name: "mistral"},
    {name: "smollm3, every fourth layer without positions"},
    {name: "qwen2"},
    {name: "qwen2, one table", words: ["--tied"]},
    {name: "qwen2, YaRN", settings: yarn(1000000)},
    {name: "qwen3"},
    {name: "qwen3, one table", words: ["--tied"]},
    {name: "qwen3, YaRN", settings: yarn(1000000)},
    {name: "gemma2, window of 256", settings: {sliding_window: short}},
    {name: "gemma3, window of 256, linear scaling of the global layers", settings: {sliding_window: short, rope_scaling: undefined, rope_parameters: {
        full_attention: {rope_theta: 1000000, rope_type: "linear", factor: 8}, sliding_attention: {rope_theta: 10000, rope_type: "default"}}}},
    {name: "olmo2"},
    {name: "olmo3, window of 256", settings: {sliding_window: short}},
    {name: "olmo3, window of 256, YaRN of the global layers", settings: {sliding_window: short, ...yarn(500000, {attention_factor: 1.2079441541679836})}},
    {name: "apertus"},
    {name: "apertus, scaling of Llama 3", settings: llama3(12000000)},
    {name: "phi3"},
    {name: "phi3, three quarters turn", settings: {partial_rotary_factor: 0.75, rope_parameters: {rope_theta: 10000, rope_type: "default", partial_rotary_factor: 0.75}}},
    {name: "phi3, three quarters turn, LongRoPE's long list", settings: longRope(1024, 4096)},
    {name: "phi3, three quarters turn, LongRoPE's short list", settings: longRope(4096, 4096, {attention_factor: 1.1902380714238083})},
    {name: "gpt2", words: ["--key-value-heads", 4]},
].map((row) => ({words: [], ...row, family: /^\w+/.exec(row.name)[0]}));

function refuse(message) {
    console.error(`families.mjs: ${message}`);
    process.exit(2);
}

function settings() {
    try {
        const {values} = parseArgs({options: {
            "cases": {type: "string"}, "model": {type: "string"}, "types": {type: "string", default: "f32"}, "tokens": {type: "string", default: "2048"}, "gap": {type: "string", default: "0.001"},
            "threads": {type: "string", default: "2"}, "theirs": {type: "string"}, "help": {type: "boolean"}}});
        if (values.help) refuse(usage);
        const whole = (name) => /^[1-9]\d*$/.test(values[name]) ? Number(values[name]) : refuse(`--${name} is '${values[name]}'; expected a whole number from 1.`);
        const gap = Number(values.gap);
        if (!(gap >= 0)) refuse(`--gap is '${values.gap}'; expected a number from 0.`);
        const chosen = values.model ? [{name: basename(resolve(values.model)), model: resolve(values.model)}] : cases.filter((row) => (values.cases ?? "").split(",").some((start) => row.name.startsWith(start)));
        if (chosen.length === 0) refuse(`--cases is '${values.cases}'; expected the start of one of: ${cases.map((row) => row.name).join("; ")}.`);
        return {chosen, types: values.types.split(","), tokens: whole("tokens"), threads: whole("threads"), gap, theirs: values.theirs};
    } catch (error) {
        return refuse(`${error.message}\n${usage}`);
    }
}

/** The peer in a process of its own; the row comes on standard input. Its cache is f32 as ours is, or its f16 would be what is measured. */
async function answerAsPeer({theirs: path, threads}) {
    let text = "";
    for await (const piece of process.stdin) text += piece;
    const rows = JSON.parse(text);
    const folder = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    const {getLlama, LlamaLogLevel} = await import(pathToFileURL(join(folder, "dist/index.js")));
    const llama = await getLlama({gpu: false, build: "never", skipDownload: true, maxThreads: threads, logLevel: LlamaLogLevel.error});
    const model = await llama.loadModel({modelPath: path, gpuLayers: 0});
    const context = await model.createContext({contextSize: rows.length + 8, batchSize: 512, threads, flashAttention: false,
        experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32"});
    const sequence = context.getSequence();
    const found = await sequence.controlledEvaluate(rows.map(({token, next, second}) =>
        [token, {generateNext: {token: true, logits: {filter: {tokens: [next, second], includeMax: true}}, options: {temperature: 0}}}]));
    const answers = rows.map(({next}, i) => {
        const {token, logits} = found[i].next;
        return JSON.stringify({next: token, ours: logits.get(next)});
    });
    process.stdout.write(answers.join("\n") + "\n", () => process.exit(0)); // only when all is written
}

const program = process.env.OELLM ?? resolve(here, "../../artifacts/bin/Cli/release/oellm");

function run(command, words, input) {
    const ran = spawnSync(command, words.map(String), {encoding: "utf8", input, maxBuffer: 1 << 28});
    if (ran.error) refuse(`${command} did not start: ${ran.error.message}`);
    return ran;
}

const lines = (text) => text.trim().split("\n").map((line) => JSON.parse(line));

/** The line that says what went wrong, and not where in a program that it was noticed. */
const complaint = (text) => (text.split("\n").find((line) => /^oellm: |error/.test(line)) ?? text).trim();

/** Writes a model of random weights as a folder, and its settings into it; null, or why there is none. */
function make({family, words, settings}, tokens, folder) {
    // Eight layers hold a whole period of local and global ones; GPT-2 shares no keys.
    const sizes = ["--layers", 8, "--width", 256, "--heads", 4, "--head-dimension", 64, "--hidden", 768, "--vocabulary-size", 4096, "--context-length", tokens + 64, "--spread", 0.1,
        ...(words.includes("--key-value-heads") ? [] : ["--key-value-heads", 2])];
    const made = run(program, ["init", "--family", family, ...sizes, ...words, "--quantize", "f32", "--out", folder, "--force"]);
    if (made.status !== 0) return complaint(made.stderr);
    if (settings) {
        const config = join(folder, "config.json");
        writeFileSync(config, JSON.stringify({...JSON.parse(readFileSync(config, "utf8")), ...settings}));
    }
    return null;
}

/** Writes the file; null, or why there is none. */
function convert(folder, type, path) {
    const converted = run(program, ["convert", "--model", folder, "--to", "gguf", "--quantize", type, "--out", path, "--force"]);
    return converted.status === 0 ? null : complaint(converted.stderr);
}

/** The correlation of two rows of numbers. */
function correlation(one, other) {
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [a, b] = [mean(one), mean(other)];
    const product = (x, xMean, y, yMean) => x.reduce((sum, value, i) => sum + (value - xMean) * (y[i] - yMean), 0);
    return product(one, a, other, b) / Math.sqrt(product(one, a, one, a) * product(other, b, other, b));
}

function compare({chosen, types, tokens, gap, threads}) {
    const peer = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    if (!existsSync(peer)) refuse(`${peer}: the peer is missing; run 'npm install --ignore-scripts node-llama-cpp' in a folder and name it in LLAMA_PEER.`);
    if (!existsSync(program)) refuse(`${program}: our program is missing; build it with 'dotnet build -c Release src/Cli', or name it in OELLM.`);
    const work = mkdtempSync(join(tmpdir(), "families-"));
    let differences = 0;
    console.log("| model | type | tokens | same likeliest token | differ within the gap | differ beyond it | largest difference of a logit | correlation of the logits |\n|---|---|---|---|---|---|---|---|");
    try {
        for (const row of chosen) for (const type of types) {
            // The folder's name becomes the model's.
            const folder = row.model ?? join(work, row.family), path = join(work, "model.gguf");
            const failed = (row.model ? null : make(row, tokens, folder)) ?? convert(folder, type, path);
            if (failed !== null) {
                differences++;
                console.log(`| ${row.name} | ${type} | - | not made: ${failed} | | | | |`);
                continue;
            }
            const said = run(program, ["bench", "logits", "--model", path, "--tokens", tokens, "--threads", threads]);
            if (said.status !== 0) refuse(`oellm bench logits on ${row.name}: ${said.stderr}`);
            const ours = lines(said.stdout);
            const answer = run(process.execPath, [fileURLToPath(import.meta.url), "--theirs", path, "--threads", threads], JSON.stringify(ours));
            if (answer.status !== 0) {
                differences++;
                console.log(`| ${row.name} | ${type} | - | llama.cpp does not read it: ${complaint(answer.stderr)} | | | | |`);
                continue;
            }
            const theirs = lines(answer.stdout);
            const same = ours.filter((one, i) => one.next === theirs[i].next).length;
            const beyond = ours.filter((one, i) => one.next !== theirs[i].next && one.gap > gap).length;
            const largest = Math.max(...ours.map((one, i) => Math.abs(one.logit - theirs[i].ours)));
            if (type === "f32") differences += beyond;
            console.log(`| ${row.name} | ${type} | ${tokens} | ${same} | ${tokens - same - beyond} | ${beyond} | ${largest.toExponential(1)} | ${
                correlation(ours.map((one) => one.logit), theirs.map((one) => one.ours)).toFixed(7)} |`);
        }
    } finally {
        rmSync(work, {recursive: true, force: true});
    }
    process.exit(differences ? 1 : 0);
}

const given = settings();
if (given.theirs) await answerAsPeer(given);
else compare(given);
