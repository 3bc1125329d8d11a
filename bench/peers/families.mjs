#!/usr/bin/env node
// llama.cpp beside us on a model of random weights of every family: after each token of a given row, the same likeliest next token?
// Needs the npm package node-llama-cpp with its prebuilt processor binary; nothing is built or fetched here.
import {spawnSync} from "node:child_process";
import {existsSync, mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const usage = `Usage: bench/peers/families.mjs [--families NAME,...] [--tokens 2048] [--gap 0.001] [--threads 2]
Example: LLAMA_PEER=/opt/peer bench/peers/families.mjs --families qwen3,gemma3 --tokens 512
LLAMA_PEER names the folder in which 'npm install --ignore-scripts node-llama-cpp' was run; this folder when not set.
OELLM names our program; artifacts/bin/Cli/release/oellm when not set. Ends with exit code 1 where the programs differ.`;

function refuse(message) {
    console.error(`families.mjs: ${message}`);
    process.exit(2);
}

function settings() {
    try {
        const {values} = parseArgs({options: {
            "families": {type: "string"}, "tokens": {type: "string", default: "2048"}, "gap": {type: "string", default: "0.001"}, "threads": {type: "string", default: "2"},
            "theirs": {type: "string"}, "help": {type: "boolean"}}});
        if (values.help) refuse(usage);
        const whole = (name) => /^[1-9]\d*$/.test(values[name]) ? Number(values[name]) : refuse(`--${name} is '${values[name]}'; expected a whole number from 1.`);
        const gap = Number(values.gap);
        if (!(gap >= 0)) refuse(`--gap is '${values.gap}'; expected a number from 0.`);
        return {families: values.families?.split(","), tokens: whole("tokens"), threads: whole("threads"), gap, theirs: values.theirs};
    } catch (error) {
        return refuse(`${error.message}\n${usage}`);
    }
}

/** The peer in a process of its own; the row comes on standard input. */
async function answerAsPeer({theirs: path, threads}) {
    let text = "";
    for await (const piece of process.stdin) text += piece;
    const rows = JSON.parse(text);
    const folder = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    const {getLlama, LlamaLogLevel} = await import(pathToFileURL(join(folder, "dist/index.js")));
    const llama = await getLlama({gpu: false, build: "never", skipDownload: true, maxThreads: threads, logLevel: LlamaLogLevel.error});
    const model = await llama.loadModel({modelPath: path, gpuLayers: 0});
    const context = await model.createContext({contextSize: rows.length + 8, batchSize: 512, threads});
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

/** Every family that our program makes; it names them itself. */
function allFamilies() {
    const said = run(program, ["init", "--family", "?", "--layers", 1, "--width", 32, "--heads", 2, "--hidden", 64, "--vocabulary-size", 300, "--out", "x.gguf"]).stderr;
    return /known: ([^.]+)\./.exec(said)?.[1].split(", ") ?? refuse(`oellm init names no families: ${said}`);
}

function compare({families, tokens, gap, threads}) {
    const peer = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    if (!existsSync(peer)) refuse(`${peer}: the peer is missing; run 'npm install --ignore-scripts node-llama-cpp' in a folder and name it in LLAMA_PEER.`);
    if (!existsSync(program)) refuse(`${program}: our program is missing; build it with 'dotnet build -c Release src/Cli', or name it in OELLM.`);
    const folder = mkdtempSync(join(tmpdir(), "families-"));
    let differences = 0;
    console.log("| family | tokens | same likeliest token | differ within the gap | differ beyond it | largest difference of a logit |\n|---|---|---|---|---|---|");
    try {
        for (const family of families ?? allFamilies()) {
            const path = join(folder, `${family}.gguf`);
            // Eight layers hold a whole period of local and global ones; GPT-2 shares no keys.
            const made = run(program, ["init", "--family", family, "--layers", 8, "--width", 256, "--heads", 4, "--key-value-heads", family === "gpt2" ? 4 : 2, "--head-dimension", 64,
                "--hidden", 640, "--vocabulary-size", 4096, "--context-length", tokens + 64, "--spread", 0.1, "--quantize", "f32", "--out", path, "--force"]);
            if (made.status !== 0) {
                console.log(`| ${family} | - | not made: ${made.stderr.trim().split("\n").at(-1)} | | | |`);
                continue;
            }
            const said = run(program, ["bench", "logits", "--model", path, "--tokens", tokens, "--threads", threads]);
            if (said.status !== 0) refuse(`oellm bench logits on ${family}: ${said.stderr}`);
            const ours = lines(said.stdout);
            const answer = run(process.execPath, [fileURLToPath(import.meta.url), "--theirs", path, "--threads", threads], JSON.stringify(ours));
            if (answer.status !== 0) {
                differences++;
                console.log(`| ${family} | - | llama.cpp does not read it: ${answer.stderr.trim().split("\n").at(-1)} | | | |`);
                continue;
            }
            const theirs = lines(answer.stdout);
            const same = ours.filter((row, i) => row.next === theirs[i].next).length;
            const beyond = ours.filter((row, i) => row.next !== theirs[i].next && row.gap > gap).length;
            const largest = Math.max(...ours.map((row, i) => Math.abs(row.logit - theirs[i].ours)));
            differences += beyond;
            console.log(`| ${family} | ${tokens} | ${same} | ${tokens - same - beyond} | ${beyond} | ${largest.toExponential(1)} |`);
            rmSync(path);
        }
    } finally {
        rmSync(folder, {recursive: true, force: true});
    }
    process.exit(differences ? 1 : 0);
}

const chosen = settings();
if (chosen.theirs) await answerAsPeer(chosen);
else compare(chosen);
