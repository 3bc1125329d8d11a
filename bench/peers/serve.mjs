#!/usr/bin/env node
// Many streams at once beside llama.cpp on one GGUF file, in turns: our server over HTTP, and llama.cpp's library with as many sequences in one context.
// node-llama-cpp brings no server: theirs has neither HTTP nor JSON to do, ours has. Needs its prebuilt processor binary; nothing is built or fetched here.
import {spawnSync} from "node:child_process";
import {existsSync} from "node:fs";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const usage = `Usage: bench/peers/serve.mjs --model FILE.gguf [--streams 1,4,16,64] [--prompt-tokens 256] [--new-tokens 64] [--threads 2] [--turns 3] [--batch 512]
Example: LLAMA_PEER=/opt/peer bench/peers/serve.mjs --model model-q8_0.gguf --streams 16 --turns 5
LLAMA_PEER names the folder in which 'npm install --ignore-scripts node-llama-cpp' was run; this folder when not set.
OELLM names our program; artifacts/bin/Cli/release/oellm when not set. --batch is llama.cpp's most tokens of a step.`;

function refuse(message) {
    console.error(`serve.mjs: ${message}`);
    process.exit(2);
}

function settings() {
    try {
        const {values} = parseArgs({options: {
            "model": {type: "string"}, "streams": {type: "string", default: "1,4,16,64"}, "prompt-tokens": {type: "string", default: "256"}, "new-tokens": {type: "string", default: "64"},
            "threads": {type: "string", default: "2"}, "turns": {type: "string", default: "3"}, "batch": {type: "string", default: "512"}, "theirs": {type: "boolean", default: false}, "help": {type: "boolean"}}});
        if (values.help || !values.model) refuse(usage);
        const positive = (name, text) => /^[1-9]\d*$/.test(text) ? Number(text) : refuse(`--${name} is '${text}'; expected a whole number from 1.`);
        const number = (name) => positive(name, values[name]);
        return {model: resolve(values.model), streams: values.streams.split(",").map((text) => positive("streams", text)), promptTokens: number("prompt-tokens"), newTokens: number("new-tokens"),
            threads: number("threads"), turns: number("turns"), batch: number("batch"), theirs: values.theirs};
    } catch (error) {
        return refuse(`${error.message}\n${usage}`);
    }
}

const ordered = (values) => [...values].sort((a, b) => a - b);
const median = (values) => {
    const sorted = ordered(values), middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const quantile = (values, share) => ordered(values)[Math.max(0, Math.ceil(share * values.length) - 1)];

/** Any ids do: random weights have no text. No two streams or runs begin alike, so that nothing is shared. */
const prompt = (length, stream, run) => Array.from({length}, (_, i) => 300 + (i * 7919 + stream * 104729 + run * 1299709) % 10000);

/** One turn of the peer in a process of its own: warmed, then all streams at once. */
async function measurePeer({model: path, streams: [streams], promptTokens, newTokens, threads, batch}) {
    const folder = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    const {getLlama, LlamaLogLevel} = await import(pathToFileURL(join(folder, "dist/index.js")));
    const llama = await getLlama({gpu: false, build: "never", skipDownload: true, maxThreads: threads, logLevel: LlamaLogLevel.error});
    const model = await llama.loadModel({modelPath: path, gpuLayers: 0});
    const context = await model.createContext({contextSize: promptTokens + newTokens + 16, sequences: streams, batchSize: batch, threads});
    const sequences = Array.from({length: streams}, () => context.getSequence());
    // The sampler is the cheapest there is (the greatest logit), and the tokens that go on are ours, so that an end token ends nothing.
    const answer = async (sequence, stream, run, began, times) => {
        const tokens = prompt(newTokens, stream, run + 1), steps = sequence.evaluate(prompt(promptTokens, stream, run), {temperature: 0, yieldEogToken: true});
        for (let i = 0; i < newTokens; i++) {
            await (i === 0 ? steps.next() : steps.next(tokens[i]));
            times.push((performance.now() - began) / 1000);
        }
        await steps.return();
    };
    const run = async (used, number) => {
        for (const sequence of used) await sequence.clearHistory();
        const began = performance.now(), times = used.map(() => []);
        await Promise.all(used.map((sequence, stream) => answer(sequence, stream, number, began, times[stream])));
        return {seconds: (performance.now() - began) / 1000, times};
    };
    await run(sequences.slice(0, 1), 1000);
    const {seconds, times} = await run(sequences, 0);
    const between = times.flatMap((all) => all.slice(1).map((time, i) => time - all[i])), first = times.map((all) => all[0]);
    console.log(JSON.stringify({streams, tokensPerSecond: streams * newTokens / seconds, firstTokenSeconds: median(first), firstTokenP99Seconds: quantile(first, 0.99),
        betweenTokensSeconds: median(between), betweenTokensP99Seconds: quantile(between, 0.99), threads: context.currentThreads, system: llama.systemInfo.trim()}));
    process.exit(0);
}

function run(program, words, what) {
    const ran = spawnSync(program, words, {encoding: "utf8", stdio: ["ignore", "pipe", "inherit"]});
    if (ran.error) refuse(`${what} did not start: ${ran.error.message}`);
    if (ran.status !== 0) refuse(`${what} ended with exit code ${ran.status}.`);
    return JSON.parse(ran.stdout.trim());
}

function compare({model, streams, promptTokens, newTokens, threads, turns, batch}) {
    if (!existsSync(model)) refuse(`${model}: not found; expected a GGUF file.`);
    const peer = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    if (!existsSync(peer)) refuse(`${peer}: the peer is missing; run 'npm install --ignore-scripts node-llama-cpp' in a folder and name it in LLAMA_PEER.`);
    const program = process.env.OELLM ?? resolve(here, "../../artifacts/bin/Cli/release/oellm");
    if (!existsSync(program)) refuse(`${program}: our program is missing; build it with 'dotnet build -c Release src/Cli', or name it in OELLM.`);
    console.log("| streams | ours, tokens/s | llama.cpp, tokens/s | median of the ratios | first token, s: ours | llama.cpp | between tokens, 99 %, ms: ours | llama.cpp |\n|---|---|---|---|---|---|---|---|");
    for (const count of streams) {
        const words = ["--model", model, "--streams", count, "--prompt-tokens", promptTokens, "--new-tokens", newTokens, "--threads", threads].map(String);
        const ours = [], theirs = [];
        for (let turn = 0; turn < turns; turn++) {
            ours.push(run(program, ["bench", "serve", ...words, "--runs", "1", "--json"], "oellm bench serve"));
            theirs.push(run(process.execPath, [fileURLToPath(import.meta.url), "--theirs", ...words, "--batch", String(batch)], "llama.cpp"));
        }
        const of = (turnsOf, field) => median(turnsOf.map((turn) => turn[field]));
        const ratio = median(ours.map((turn, i) => turn.tokensPerSecond / theirs[i].tokensPerSecond));
        console.log(`| ${count} | ${of(ours, "tokensPerSecond").toFixed(1)} | ${of(theirs, "tokensPerSecond").toFixed(1)} | ${ratio.toFixed(2)} | ${of(ours, "firstTokenSeconds").toFixed(2)} | ${of(theirs, "firstTokenSeconds").toFixed(2)} | ` +
            `${(1000 * of(ours, "betweenTokensP99Seconds")).toFixed(0)} | ${(1000 * of(theirs, "betweenTokensP99Seconds")).toFixed(0)} |`);
        if (count === streams.at(-1)) console.log(`\nllama.cpp through node-llama-cpp, ${theirs[0].threads} threads, ${turns} turns in alternation; ${theirs[0].system}`);
    }
}

const chosen = settings();
if (chosen.theirs) await measurePeer(chosen);
else compare(chosen);
