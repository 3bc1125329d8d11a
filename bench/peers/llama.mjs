#!/usr/bin/env node
// llama.cpp beside us on one GGUF file, in turns: prefill and decode, tokens a second, with 1 to N threads.
// Needs the npm package node-llama-cpp with its prebuilt processor binary; nothing is built or fetched here.
import {spawnSync} from "node:child_process";
import {existsSync} from "node:fs";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const usage = `Usage: bench/peers/llama.mjs --model FILE.gguf [--prompt-tokens 256] [--new-tokens 48] [--threads 2] [--turns 5]
Example: LLAMA_PEER=/opt/peer bench/peers/llama.mjs --model model-q8_0.gguf --turns 5
LLAMA_PEER names the folder in which 'npm install --ignore-scripts node-llama-cpp' was run; this folder when not set.
OELLM names our program; artifacts/bin/Cli/release/oellm when not set.`;

function refuse(message) {
    console.error(`llama.mjs: ${message}`);
    process.exit(2);
}

function settings() {
    try {
        const {values} = parseArgs({options: {
            "model": {type: "string"}, "prompt-tokens": {type: "string", default: "256"}, "new-tokens": {type: "string", default: "48"},
            "threads": {type: "string", default: "2"}, "turns": {type: "string", default: "5"}, "theirs": {type: "boolean", default: false}, "help": {type: "boolean"}}});
        if (values.help || !values.model) refuse(usage);
        const number = (name) => /^[1-9]\d*$/.test(values[name]) ? Number(values[name]) : refuse(`--${name} is '${values[name]}'; expected a whole number from 1.`);
        return {model: resolve(values.model), promptTokens: number("prompt-tokens"), newTokens: number("new-tokens"), threads: number("threads"), turns: number("turns"), theirs: values.theirs};
    } catch (error) {
        return refuse(`${error.message}\n${usage}`);
    }
}

const median = (values) => {
    const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Any ids do: random weights have no text. Control tokens are the first three of the files that we write. */
const prompt = (length) => Array.from({length}, (_, i) => 300 + (i * 7919) % 10000);

/** One turn of the peer in a process of its own: an object for each number of threads, one a line. */
async function measurePeer({model: path, promptTokens, newTokens, threads: most}) {
    const folder = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    const {getLlama, LlamaLogLevel} = await import(pathToFileURL(join(folder, "dist/index.js")));
    for (let threads = 1; threads <= most; threads++) {
        const llama = await getLlama({gpu: false, build: "never", skipDownload: true, maxThreads: threads, logLevel: LlamaLogLevel.error});
        const model = await llama.loadModel({modelPath: path, gpuLayers: 0});
        const context = await model.createContext({contextSize: Math.max(promptTokens, 16 + newTokens) + 64, batchSize: Math.max(promptTokens, 64), threads});
        const sequence = context.getSequence();
        // The sampler is the cheapest there is (the greatest logit), and the tokens are ours, so that an end token ends nothing.
        const options = {temperature: 0, yieldEogToken: true};
        const prefill = async () => {
            await sequence.clearHistory();
            const began = performance.now();
            const answer = sequence.evaluate(prompt(promptTokens), options);
            await answer.next();
            const seconds = (performance.now() - began) / 1000;
            await answer.return();
            return promptTokens / seconds;
        };
        const decode = async () => {
            await sequence.clearHistory();
            const answer = sequence.evaluate(prompt(16), options);
            await answer.next();
            const began = performance.now();
            for (const token of prompt(newTokens)) await answer.next(token);
            const seconds = (performance.now() - began) / 1000;
            await answer.return();
            return newTokens / seconds;
        };
        await prefill();
        await decode();
        const prefills = [], decodes = [];
        for (let i = 0; i < 3; i++) {
            prefills.push(await prefill());
            decodes.push(await decode());
        }
        console.log(JSON.stringify({threads: context.currentThreads, prefillTokensPerSecond: median(prefills), decodeTokensPerSecond: median(decodes), system: llama.systemInfo.trim()}));
        await model.dispose();
        await llama.dispose();
    }
    process.exit(0);
}

function run(program, words, what) {
    const ran = spawnSync(program, words, {encoding: "utf8", stdio: ["ignore", "pipe", "inherit"]});
    if (ran.error) refuse(`${what} did not start: ${ran.error.message}`);
    if (ran.status !== 0) refuse(`${what} ended with exit code ${ran.status}.`);
    return ran.stdout.trim().split("\n").map((line) => JSON.parse(line));
}

function compare({model, promptTokens, newTokens, threads, turns}) {
    if (!existsSync(model)) refuse(`${model}: not found; expected a GGUF file.`);
    const peer = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    if (!existsSync(peer)) refuse(`${peer}: the peer is missing; run 'npm install --ignore-scripts node-llama-cpp' in a folder and name it in LLAMA_PEER.`);
    const program = process.env.OELLM ?? resolve(here, "../../artifacts/bin/Cli/release/oellm");
    if (!existsSync(program)) refuse(`${program}: our program is missing; build it with 'dotnet build -c Release src/Cli', or name it in OELLM.`);
    const words = ["--model", model, "--prompt-tokens", promptTokens, "--new-tokens", newTokens, "--threads", threads].map(String);
    const ours = [], theirs = [];
    for (let turn = 0; turn < turns; turn++) {
        ours.push(run(program, ["bench", "generate", ...words, "--json"], "oellm bench generate"));
        theirs.push(run(process.execPath, [fileURLToPath(import.meta.url), "--theirs", ...words], "llama.cpp"));
    }
    console.log(`llama.cpp through node-llama-cpp, ${turns} turns in alternation; ${theirs[0][0].system}`);
    console.log("| threads | what | ours, tokens/s | llama.cpp, tokens/s | ratio of the medians | median of the ratios |\n|---|---|---|---|---|---|");
    for (let i = 0; i < threads; i++) {
        for (const [what, field] of [[`prefill of ${promptTokens}`, "prefillTokensPerSecond"], [`decode of ${newTokens}`, "decodeTokensPerSecond"]]) {
            const own = ours.map((lines) => lines[i][field]), other = theirs.map((lines) => lines[i][field]);
            console.log(`| ${i + 1} | ${what} | ${median(own).toFixed(1)} | ${median(other).toFixed(1)} | ${(median(own) / median(other)).toFixed(2)} | ${median(own.map((value, turn) => value / other[turn])).toFixed(2)} |`);
        }
    }
}

const chosen = settings();
if (chosen.theirs) await measurePeer(chosen);
else compare(chosen);
