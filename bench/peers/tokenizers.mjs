#!/usr/bin/env node
// Token ids of independent implementations, for the golden files of the tests and for a comparison over the shared texts.
import {spawnSync} from "node:child_process";
import {createHash} from "node:crypto";
import {closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync, writeSync} from "node:fs";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";
import {parseArgs} from "node:util";
import {gunzipSync} from "node:zlib";
import {trainCrossing} from "./crossing-tokenizer.mjs";
import * as fixtures from "./tokenizer-fixtures.mjs";
import {patterns, withPattern} from "./tokenizer-fixtures.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const golden = join(root, "tests/Tokenizers.Tests/Golden");
const usage = `Usage: bench/peers/tokenizers.mjs golden | shared | compare [--only TEXT] [--lines N] [--data DIR] [--work DIR]
  golden   writes tests/Tokenizers.Tests/Golden/byte-level.json: ids of texts.jsonl under several split patterns; makes crossing-tokenizer.json where it is missing
  shared   writes tests/Tokenizers.Tests/Golden/shared-data.json: a hash of the ids of the shared texts, by language, for the tokenizers of the repository
  compare  encodes the shared texts with 'oellm tokenizer encode' and with every peer, and counts the lines that differ; exit code 1 when one does
Example: TOKENIZER_PEERS=/opt/peers bench/peers/tokenizers.mjs compare --only cl100k
TOKENIZER_PEERS names the folder in which 'npm install ${fixtures.packages.join(" ")}' was run; spm_encode, spm_train and
spm_export_vocab are Debian's package sentencepiece. OELLM names our program; artifacts/bin/Cli/release/oellm when not set.`;

export function refuse(message) {
    console.error(`tokenizers.mjs: ${message}`);
    process.exit(2);
}

function settings() {
    try {
        const {values, positionals} = parseArgs({allowPositionals: true, options: {
            "only": {type: "string", default: ""}, "lines": {type: "string", default: "2000"}, "data": {type: "string", default: join(root, "../shared/data")},
            "work": {type: "string", default: join(root, "artifacts/peers")}, "help": {type: "boolean"}}});
        if (values.help || positionals.length !== 1) refuse(usage);
        if (!/^[1-9]\d*$/.test(values.lines)) refuse(`--lines is '${values.lines}'; expected a whole number from 1.`);
        return {command: positionals[0], ...values, lines: Number(values.lines)};
    } catch (error) {
        return refuse(`${error.message}\n${usage}`);
    }
}

const program = () => {
    const path = process.env.OELLM ?? join(root, "artifacts/bin/Cli/release/oellm");
    return existsSync(path) ? path : refuse(`${path}: our program is missing; build it with 'dotnet build -c Release src/Cli', or name it in OELLM.`);
};

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The form that is hashed: each id as 32 bits, low byte first; -1 ends a line. */
function hashOfLines(lines) {
    const hash = createHash("sha256");
    for (const ids of lines) hash.update(Buffer.from(Int32Array.from([...ids, -1]).buffer));
    return hash.digest("hex");
}

/** The texts of the golden files; those that are no valid UTF-8 have no ids in any peer that takes strings. */
function goldenTexts() {
    return readFileSync(join(golden, "texts.jsonl"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line)).filter((text) => text.base64 === undefined)
        .map(({id, text, repeat, times, then}) => ({id, large: repeat !== undefined, text: text ?? repeat.repeat(times) + then}));
}

async function writeGolden() {
    const path = join(golden, "crossing-tokenizer.json"), texts = goldenTexts(), peers = fixtures.peers();
    if (!existsSync(path)) {
        const made = withPattern(trainCrossing(texts.filter((text) => !text.large && !text.id.startsWith("special")).map((text) => text.text), 2400, 24), Object.values(patterns)[0], {added: true});
        writeFileSync(path, JSON.stringify(made).replaceAll('],["', '],\n["').replaceAll(/,"(vocab|merges|pre_tokenizer|model)"/g, ',\n"$1"') + "\n");
    }
    const json = JSON.parse(readFileSync(path, "utf8"));
    const result = {source: `Rust library: ${peers.versionOf("tokenizers")} (npm tokenizers); agreement: ${peers.versionOf("@huggingface/tokenizers")} (npm @huggingface/tokenizers)`,
        tokenizer: "crossing-tokenizer.json", tokenizerSha256: sha256(readFileSync(path)), patterns: []};
    let first = null;
    for (const [name, regex] of Object.entries(patterns)) {
        const plain = withPattern(json, regex, {added: false}), special = withPattern(json, regex, {added: true});
        const ids = await peers.rust(plain, texts.map((text) => text.text)), control = await peers.rust(special, texts.map((text) => text.text));
        const small = texts.filter((text) => !text.large);
        const other = await peers.script(plain, small.map((text) => text.text));
        const disputed = small.filter((text, i) => String(other[i]) !== String(ids[texts.indexOf(text)])).map((text) => text.id);
        const entry = {name, regex, disputed, ids: {}, special: {}, large: {}};
        texts.forEach((text, i) => {
            if (text.large) entry.large[text.id] = {count: ids[i].length, sha256: hashOfLines([ids[i]])};
            else if (first === null || String(first.ids[text.id]) !== String(ids[i])) entry.ids[text.id] = ids[i];
            if (String(control[i]) !== String(ids[i])) entry.special[text.id] = control[i];
        });
        first ??= entry;
        result.patterns.push(entry);
        console.error(`${name}: ${Object.keys(entry.ids).length} texts${disputed.length ? `, ${disputed.length} disputed by the second peer: ${disputed.join(" ")}` : ""}`);
    }
    const lines = (object) => `{\n${Object.entries(object).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",\n")}\n}`;
    const pattern = (entry) => `{"name":${JSON.stringify(entry.name)},"regex":${JSON.stringify(entry.regex)},"disputed":${JSON.stringify(entry.disputed)},\n"ids":${lines(entry.ids)},\n"special":${lines(entry.special)},\n"large":${lines(entry.large)}}`;
    writeFileSync(join(golden, "byte-level.json"), `{"source":${JSON.stringify(result.source)},\n"tokenizer":${JSON.stringify(result.tokenizer)},\n"tokenizerSha256":${JSON.stringify(result.tokenizerSha256)},\n"patterns":[\n${
        result.patterns.map(pattern).join(",\n")}\n]}\n`);
}

/** The lines of every language: its gold sentences, then paragraphs of its texts (parted by line feeds, not blank, at most 4,000 UTF-16 units), as many as asked for. */
function sharedLines(data, count) {
    const languages = new Map();
    for (const line of gunzipSync(readFileSync(join(data, "lid/dev.tsv.gz"))).toString("utf8").split("\n")) {
        const tab = line.indexOf("\t");
        if (tab < 0) continue;
        const language = line.slice(0, tab);
        if (!languages.has(language)) languages.set(language, []);
        languages.get(language).push(line.slice(tab + 1));
    }
    for (const [language, lines] of languages) {
        const path = join(data, "corpus", `${language}.jsonl.gz`);
        let left = existsSync(path) ? count : 0;
        for (const document of left ? gunzipSync(readFileSync(path)).toString("utf8").split("\n") : []) {
            if (left === 0 || document === "") break;
            for (const paragraph of JSON.parse(document).text.split("\n")) {
                if (left === 0) break;
                if (paragraph.trim() === "" || paragraph.length > 4000) continue;
                lines.push(paragraph);
                left--;
            }
        }
    }
    return new Map([...languages].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function writeShared({data, lines: count}) {
    const languages = sharedLines(data, count), peers = fixtures.peers();
    const result = {source: `Rust library ${peers.versionOf("tokenizers")} (npm tokenizers)`, paragraphs: count, tokenizers: []};
    for (const name of readdirSync(join(root, "models")).filter((name) => existsSync(join(root, "models", name, "tokenizer.json"))).sort()) {
        const path = join(root, "models", name, "tokenizer.json"), entry = {path: `models/${name}/tokenizer.json`, sha256: sha256(readFileSync(path)), languages: {}};
        const json = fixtures.withoutAdded(JSON.parse(readFileSync(path, "utf8")));
        for (const [language, lines] of languages) {
            const ids = await peers.rust(json, lines);
            entry.languages[language] = {lines: lines.length, tokens: ids.reduce((sum, line) => sum + line.length, 0), sha256: hashOfLines(ids)};
        }
        result.tokenizers.push(entry);
        console.error(`${entry.path}: ${Object.values(entry.languages).reduce((sum, row) => sum + row.lines, 0)} lines`);
    }
    writeFileSync(join(golden, "shared-data.json"), JSON.stringify(result, null, 1) + "\n");
}

function run(words, input, output) {
    const out = openSync(output, "w");
    const ran = spawnSync(program(), words, {stdio: ["ignore", out, "pipe"], encoding: "utf8"});
    closeSync(out);
    if (ran.status !== 0) return (ran.stderr ?? "").trim().split("\n").at(-1) || `ended with ${ran.status ?? ran.signal}`;
    return null;
}

async function compare({data, work, lines: count, only}) {
    const languages = sharedLines(data, count), all = [], starts = [];
    for (const [language, lines] of languages) {
        starts.push([language, all.length]);
        all.push(...lines);
    }
    mkdirSync(work, {recursive: true});
    const input = join(work, "lines.txt");
    writeFileSync(input, all.map((line) => line + "\n").join(""));
    console.log(`${all.length} lines, ${(readFileSync(input).length / 1e6).toFixed(1)} MB, ${languages.size} languages\n`);
    console.log("| tokenizer | kind | peer | lines | tokens | lines that differ | decoded back |\n|---|---|---|---:|---:|---:|---:|");
    const languageOf = (line) => starts.findLast(([, start]) => start <= line)[0];
    let differences = 0;
    for (const fixture of await fixtures.all({root, work, data, program: program(), input, only})) {
        const ours = join(work, `${fixture.name}.ours.ids`);
        const failure = run(["tokenizer", "encode", "--tokenizer", fixture.path, input], input, ours);
        if (failure) {
            console.log(`| ${fixture.name} | ${fixture.kind} | – | – | – | not read: ${failure.replaceAll("|", "\\|").slice(0, 200)} | – |`);
            differences++;
            continue;
        }
        const own = readFileSync(ours, "utf8").split("\n");
        let back = "–";
        if (fixture.exact) {
            const decoded = join(work, "decoded.txt");
            const wrong = run(["tokenizer", "decode", "--tokenizer", fixture.path, ours], ours, decoded);
            const text = wrong ? [] : readFileSync(decoded, "utf8").split("\n");
            const lost = wrong ? all.length : all.filter((line, i) => text[i] !== line).length;
            back = wrong ? `refused: ${wrong}` : lost === 0 ? "all" : `${lost} lost`;
            differences += lost;
        }
        for (const [peer, encode] of fixture.peers) {
            const theirs = await encode(all);
            const wrong = [];
            let tokens = 0;
            for (let i = 0; i < all.length; i++) {
                tokens += theirs[i].length;
                if (own[i] !== theirs[i].join(" ")) wrong.push(i);
            }
            differences += fixture.peers.length > 1 && peer !== fixture.peers[0][0] ? 0 : wrong.length;
            console.log(`| ${fixture.name} | ${fixture.kind} | ${peer} | ${all.length} | ${tokens} | ${wrong.length} | ${back} |`);
            for (const i of wrong.slice(0, 3)) console.error(`${fixture.name}, ${peer}, ${languageOf(i)}, line ${i + 1}: ${describe(own[i].split(" ").map(Number), theirs[i], all[i])}`);
        }
    }
    process.exitCode = differences > 0 ? 1 : 0;
}

function describe(own, theirs, line) {
    let at = 0;
    while (at < own.length && own[at] === theirs[at]) at++;
    return `from token ${at + 1}: ours ${own.slice(at, at + 6).join(" ")}, theirs ${theirs.slice(at, at + 6).join(" ")}; text ${JSON.stringify(line.slice(0, 160))}`;
}

const chosen = settings();
const commands = {golden: writeGolden, shared: writeShared, compare};
if (!commands[chosen.command]) refuse(usage);
await commands[chosen.command](chosen);
