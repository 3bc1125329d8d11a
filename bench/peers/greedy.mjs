#!/usr/bin/env node
// llama.cpp beside us on one trained model: the most likely token each time, the same text? From the first difference on the texts go apart, so it is named
// with how far the second token lay behind the first there. Answers of a small model end after a few words, so both go on behind the end of text here.
// Needs the npm package node-llama-cpp with its prebuilt processor binary; nothing is built or fetched here.
import {spawnSync} from "node:child_process";
import {cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from "node:fs";
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

/** llama.cpp writes ' ?' and its like without the space, so spaces are not compared. */
const letters = (text) => text.replaceAll(" ", "");

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

/** The peer in a process of its own; our texts come on standard input, by language. One object a line: what it made of each prompt, and where it goes another way. */
async function answerAsPeer({model: path, newTokens, threads}) {
    let input = "";
    for await (const piece of process.stdin) input += piece;
    const folder = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    const {getLlama, LlamaLogLevel} = await import(pathToFileURL(join(folder, "dist/index.js")));
    const llama = await getLlama({gpu: false, build: "never", skipDownload: true, maxThreads: threads, logLevel: LlamaLogLevel.error});
    const model = await llama.loadModel({modelPath: path, gpuLayers: 0});
    const context = await model.createContext({contextSize: model.trainContextSize, batchSize: 256, threads, flashAttention: false,
        experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32"});
    const sequence = context.getSequence();
    /** The answer behind the last token of a row. */
    const next = async (row, wanted) => (await sequence.controlledEvaluate(row.map((id, i) => i < row.length - 1 ? id : [id, {generateNext: wanted}]))).at(-1).next;
    const said = [];
    for (const [language, ours] of Object.entries(JSON.parse(input))) {
        await sequence.clearHistory();
        const prompt = [...(model.tokens.shouldPrependBosToken ? [model.tokens.bos] : []), ...model.tokenize(prompts[language])], tokens = [];
        while (tokens.length < newTokens) tokens.push((await next(tokens.length === 0 ? prompt : tokens.slice(-1), {token: true, options: {temperature: 0}})).token);
        if (letters(model.detokenize(tokens)) === letters(ours)) {
            said.push({prompt: prompt.length, tokens: tokens.length});
            continue;
        }
        // The token with the first letter that differs, and how far it was ahead of the second there.
        let place = 0;
        while (place < tokens.length - 1 && letters(ours).startsWith(letters(model.detokenize(tokens.slice(0, place + 1))))) place++;
        await sequence.clearHistory();
        const logits = [...(await next([...prompt, ...tokens.slice(0, place)], {logits: true})).logits.values()].sort((x, y) => y - x);
        said.push({prompt: prompt.length, tokens: tokens.length, place, gap: logits[0] - logits[1]});
    }
    process.stdout.write(said.map((one) => JSON.stringify(one)).join("\n") + "\n", () => process.exit(0)); // only when all is written
}

const program = process.env.OELLM ?? resolve(here, "../../artifacts/bin/Cli/release/oellm");

function run(command, words, input) {
    const ran = spawnSync(command, words.map(String), {encoding: "utf8", input, maxBuffer: 1 << 28});
    if (ran.error) refuse(`${command} did not start: ${ran.error.message}`);
    if (ran.status !== 0) refuse(`${command} ${words.join(" ")} ended with exit code ${ran.status}: ${ran.stderr.trim()}`);
    return ran.stdout;
}

const lines = (text) => text.trim().split("\n").map((line) => JSON.parse(line));

/** A copy of the model in which no token ends a text: the end token is the one that begins a text, and those that our tokenizers know as ends have other names. */
function withoutEnd(model, folder) {
    cpSync(model, folder, {recursive: true});
    rmSync(join(folder, "manifest.json"), {force: true}); // it would say rightly that the files were changed
    for (const name of readdirSync(folder).filter((file) => /[.](json|jinja)$/.test(file)).map((file) => join(folder, file))) {
        const text = readFileSync(name, "utf8").replaceAll("<|end_of_text|>", "<|other_one|>").replaceAll("<|end_of_turn|>", "<|other_two|>");
        const settings = name.endsWith("config.json") ? JSON.parse(text) : {};
        writeFileSync(name, settings.eos_token_id === undefined ? text : JSON.stringify({...settings, eos_token_id: settings.bos_token_id}));
    }
}

/** Both on one file; how many texts differ where the first token was ahead by more than the gap. */
function compareFile(path, type, {newTokens, gap, threads}) {
    const ours = Object.entries(prompts).map(([, prompt]) =>
        lines(run(program, ["generate", "--model", path, "--prompt", prompt, "--max-tokens", newTokens, "--temperature", 0, "--repetition-penalty", 1, "--threads", threads, "--json"]))[0]);
    const texts = Object.fromEntries(Object.keys(prompts).map((language, i) => [language, ours[i].text]));
    const theirs = lines(run(process.execPath, [fileURLToPath(import.meta.url), "--theirs", "--model", path, "--new-tokens", newTokens, "--threads", threads], JSON.stringify(texts)));
    Object.keys(prompts).forEach((language, i) => {
        const [own, other] = [ours[i], theirs[i]];
        console.log(`| ${type} | ${language} | ${own.promptTokens}/${other.prompt} | ${own.completionTokens}/${other.tokens} | ${
            other.place === undefined ? "yes |" : `${other.place} tokens | ${other.gap.toExponential(1)}`} |`);
    });
    return theirs.filter((one) => one.gap > gap).length;
}

function compare(chosen) {
    const {model, types} = chosen;
    if (!existsSync(join(model, "config.json"))) refuse(`${model}: has no config.json; expected a model folder.`);
    const peer = resolve(process.env.LLAMA_PEER ?? here, "node_modules/node-llama-cpp");
    if (!existsSync(peer)) refuse(`${peer}: the peer is missing; run 'npm install --ignore-scripts node-llama-cpp' in a folder and name it in LLAMA_PEER.`);
    if (!existsSync(program)) refuse(`${program}: our program is missing; build it with 'dotnet build -c Release src/Cli', or name it in OELLM.`);
    const work = mkdtempSync(join(tmpdir(), "greedy-"));
    let differences = 0;
    console.log("| type | language | tokens of the prompt, ours/llama.cpp | new tokens, ours/llama.cpp | same text | gap at the first difference |\n|---|---|---|---|---|---|");
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
