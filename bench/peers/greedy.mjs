#!/usr/bin/env node
// llama.cpp beside us on one trained model: the most likely token each time, the same text? From the first difference on the texts go apart, so it is named
// with how far the second token lay behind the first there. Answers of a small model end after a few words, so both go on behind the end of text here.
// Needs the npm package node-llama-cpp with its prebuilt processor binary; nothing is built or fetched here.
import {spawnSync} from "node:child_process";
import {cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const usage = `Usage: bench/peers/greedy.mjs [--model FOLDER] [--types f32,...] [--new-tokens 200] [--gap 0.001] [--threads 2]
Example: LLAMA_PEER=/opt/peer bench/peers/greedy.mjs --model models/europa-nano --types f32,q8_0
LLAMA_PEER names the folder in which 'npm install --ignore-scripts node-llama-cpp' was run; this folder when not set.
OELLM names our program; artifacts/bin/Cli/release/oellm when not set. Ends with exit code 1 where the texts of an f32 file differ at a greater gap.`;

const prompts = {
    bg: "Столицата на България е", cs: "Dnes ráno jsem šel", da: "Hovedstaden i Danmark er", de: "Die Hauptstadt von Österreich ist", el: "Η πρωτεύουσα της Ελλάδας είναι",
    en: "Once upon a time there was", es: "El consejo ha decidido que", et: "Eesti pealinn on", fi: "Suomen pääkaupunki on", fr: "La Commission européenne",
    ga: "Is í príomhchathair na hÉireann", hr: "Glavni grad Hrvatske je", hu: "Magyarország fővárosa", it: "Il Parlamento europeo", lt: "Lietuvos sostinė yra",
    lv: "Latvijas galvaspilsēta ir", mt: "Il-belt kapitali ta' Malta", nl: "De hoofdstad van Nederland is", pl: "Stolicą Polski jest", pt: "A capital de Portugal é",
    ro: "Capitala României este", sk: "Hlavné mesto Slovenska je", sl: "Glavno mesto Slovenije je", sv: "Sveriges huvudstad är",
};

function refuse(message) {
    console.error(`greedy.mjs: ${message}`);
    process.exit(2);
}

function settings() {
    try {
        const {values} = parseArgs({options: {
            "model": {type: "string", default: join(here, "../../models/europa-nano")}, "types": {type: "string", default: "f32"}, "new-tokens": {type: "string", default: "200"}, "gap": {type: "string", default: "0.001"}, "threads": {type: "string", default: "2"},
            "theirs": {type: "boolean", default: false}, "help": {type: "boolean"}}});
        if (values.help) refuse(usage);
        const whole = (name) => /^[1-9]\d*$/.test(values[name]) ? Number(values[name]) : refuse(`--${name} is '${values[name]}'; expected a whole number from 1.`);
        const gap = Number(values.gap);
        if (!(gap >= 0)) refuse(`--gap is '${values.gap}'; expected a number from 0.`);
        return {model: resolve(values.model), types: values.types.split(","), newTokens: whole("new-tokens"), threads: whole("threads"), gap, theirs: values.theirs};
    } catch (error) {
        return refuse(`${error.message}\n${usage}`);
    }
}

/** The peer in a process of its own: for each prompt, one object a line: its ids, and each new token's text and gap. */
async function answerAsPeer({model: path, newTokens, threads}) {
    const folder = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    const {getLlama, LlamaLogLevel} = await import(pathToFileURL(join(folder, "dist/index.js")));
    const llama = await getLlama({gpu: false, build: "never", skipDownload: true, maxThreads: threads, logLevel: LlamaLogLevel.error});
    const model = await llama.loadModel({modelPath: path, gpuLayers: 0});
    const context = await model.createContext({contextSize: model.trainContextSize, batchSize: 256, threads, flashAttention: false,
        experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32"});
    const sequence = context.getSequence();
    const said = [];
    for (const text of Object.values(prompts)) {
        await sequence.clearHistory();
        const ids = [...(model.tokens.shouldPrependBosToken ? [model.tokens.bos] : []), ...model.tokenize(text)];
        const tokens = [], gaps = [];
        for (let row = ids; tokens.length < newTokens;) {
            const found = await sequence.controlledEvaluate(row.map((id, i) => i < row.length - 1 ? id : [id, {generateNext: {logits: true}}]));
            let [first, second, token] = [-Infinity, -Infinity, null];
            for (const [id, logit] of found.at(-1).next.logits)
                if (logit > first) [first, second, token] = [logit, first, id];
                else if (logit > second) second = logit;
            tokens.push(token);
            gaps.push(first - second);
            row = [token];
        }
        said.push(JSON.stringify({prompt: ids.length, text: model.detokenize(tokens), pieces: tokens.map((_, i) => model.detokenize(tokens.slice(0, i + 1)).length), gaps}));
    }
    process.stdout.write(said.join("\n") + "\n", () => process.exit(0)); // only when all is written
}

const program = process.env.OELLM ?? resolve(here, "../../artifacts/bin/Cli/release/oellm");

function run(command, words) {
    const ran = spawnSync(command, words.map(String), {encoding: "utf8", maxBuffer: 1 << 28});
    if (ran.error) refuse(`${command} did not start: ${ran.error.message}`);
    if (ran.status !== 0) refuse(`${command} ${words.join(" ")} ended with exit code ${ran.status}: ${ran.stderr.trim()}`);
    return ran.stdout;
}

const lines = (text) => text.trim().split("\n").map((line) => JSON.parse(line));

/** A copy of the model whose only end token is the one that begins a text, which nothing is followed by. */
function withoutEnd(model, folder) {
    cpSync(model, folder, {recursive: true});
    for (const name of ["config.json", "generation_config.json"].map((file) => join(folder, file)).filter(existsSync)) {
        const settings = JSON.parse(readFileSync(name, "utf8"));
        writeFileSync(name, JSON.stringify({...settings, eos_token_id: settings.bos_token_id}));
    }
}

/** Both on one file; how many texts differ where the first token was ahead by more than the gap. */
function compareFile(path, type, {newTokens, gap, threads}) {
    const theirs = lines(run(process.execPath, [fileURLToPath(import.meta.url), "--theirs", "--model", path, "--new-tokens", newTokens, "--threads", threads]));
    let differences = 0;
    Object.entries(prompts).forEach(([language, prompt], i) => {
        const [own] = lines(run(program, ["generate", "--model", path, "--prompt", prompt, "--max-tokens", newTokens, "--temperature", 0, "--repetition-penalty", 1, "--threads", threads, "--json"]));
        const other = theirs[i], same = own.text === other.text;
        let shared = 0;
        while (shared < own.text.length && own.text[shared] === other.text[shared]) shared++;
        // The token that the first different letter belongs to.
        const found = other.pieces.findIndex((length) => length > shared), place = same || found < 0 ? other.gaps.length : found;
        const apart = same ? null : other.gaps[place] ?? Infinity;
        if (apart !== null && apart > gap) differences++;
        console.log(`| ${type} | ${language} | ${own.promptTokens}/${other.prompt} | ${own.completionTokens}/${other.gaps.length} | ${same ? "yes" : `${place} tokens`} | ${
            Math.min(...other.gaps.slice(0, place)).toExponential(1)} | ${apart === null ? "" : apart.toExponential(1)} |`);
    });
    return differences;
}

function compare(chosen) {
    const {model, types} = chosen;
    if (!existsSync(join(model, "config.json"))) refuse(`${model}: has no config.json; expected a model folder.`);
    const peer = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    if (!existsSync(peer)) refuse(`${peer}: the peer is missing; run 'npm install --ignore-scripts node-llama-cpp' in a folder and name it in LLAMA_PEER.`);
    if (!existsSync(program)) refuse(`${program}: our program is missing; build it with 'dotnet build -c Release src/Cli', or name it in OELLM.`);
    const work = mkdtempSync(join(tmpdir(), "greedy-"));
    let differences = 0;
    console.log("| type | language | tokens of the prompt, ours/llama.cpp | new tokens | same text | smallest gap until there | gap at the first difference |\n|---|---|---|---|---|---|---|");
    try {
        withoutEnd(model, join(work, "folder"));
        for (const type of types) {
            const path = join(work, "model.gguf");
            run(program, ["convert", "--model", join(work, "folder"), "--to", "gguf", "--quantize", type, "--out", path, "--force"]);
            const different = compareFile(path, type, chosen);
            if (type === "f32") differences += different;
        }
    } finally {
        rmSync(work, {recursive: true, force: true});
    }
    process.exit(differences ? 1 : 0);
}

const chosen = settings();
if (chosen.theirs) await answerAsPeer(chosen);
else compare(chosen);
