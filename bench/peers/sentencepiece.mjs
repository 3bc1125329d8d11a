#!/usr/bin/env node
// Trains small SentencePiece models on this repository's own texts and writes down what SentencePiece itself makes of them:
// tests/Tokenizers.Tests/Golden/sentencepiece-*.model and sentencepiece.json. Needs Debian's package `sentencepiece`.
import {spawnSync} from "node:child_process";
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const golden = join(root, "tests/Tokenizers.Tests/Golden");
const symbols = "<user>,▁multi▁word,euro,žš,  two,123";
const models = {
    "unigram-nfkc": ["--model_type=unigram", "--vocab_size=900", "--normalization_rule_name=nmt_nfkc"],
    "unigram-bytes": ["--model_type=unigram", "--vocab_size=1100", "--normalization_rule_name=identity", "--byte_fallback", "--split_digits", `--user_defined_symbols=${symbols}`, "--control_symbols=<control>,q"],
    "unigram-suffix": ["--model_type=unigram", "--vocab_size=700", "--normalization_rule_name=identity", "--treat_whitespace_as_suffix", "--unk_surface=UNK"],
    "bpe-bytes": ["--model_type=bpe", "--vocab_size=1200", "--normalization_rule_name=identity", "--byte_fallback", "--split_digits", "--remove_extra_whitespaces=false", "--allow_whitespace_only_pieces", `--user_defined_symbols=${symbols}`],
    "bpe-whole": ["--model_type=bpe", "--vocab_size=700", "--normalization_rule_name=identity", "--split_by_whitespace=false", "--add_dummy_prefix=false", "--pad_id=3", "--bos_id=-1"],
    "character": ["--model_type=char", "--vocab_size=400", "--normalization_rule_name=identity", "--character_coverage=0.999", `--user_defined_symbols=${symbols}`],
    "word": ["--model_type=word", "--vocab_size=900", "--normalization_rule_name=identity"],
};

function run(program, words, input) {
    // The models name their files, so these are named without a folder.
    const ran = spawnSync(program, words, {input, cwd: folder, maxBuffer: 1 << 28});
    if (ran.error || ran.status !== 0) {
        console.error(`${program} ${words.join(" ")}: ${ran.error?.message ?? ran.stderr}`);
        process.exit(2);
    }
    return ran.stdout;
}

function strings(value) {
    return typeof value === "string" ? [value] : value && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
}

/** The lines of some output, as bytes. */
function lines(bytes) {
    const found = [];
    for (let start = 0; start < bytes.length;) {
        const end = bytes.indexOf(10, start);
        found.push(bytes.subarray(start, end));
        start = end + 1;
    }
    return found;
}

const folder = mkdtempSync(join(tmpdir(), "sentencepiece-"));
const texts = ["sample", "languages"].flatMap((folder) => readdirSync(join(root, folder)).filter((name) => name.endsWith(".json")).sort()
    .flatMap((name) => strings(JSON.parse(readFileSync(join(root, folder, name), "utf8")))))
    .flatMap((text) => text.split("\n")).filter((text) => text.length > 20);
writeFileSync(join(folder, "texts"), texts.filter((_, i) => i % 2 === 0).join("\n") + "\n");

const parts = ["<user>", "<s>", "</s>", "<unk>", "<0x41>", "<control>", "q", "▁", "▁▁", " ", "  ", "   ", "\t", "\u00a0", "\u3000", "multi word", "euro", "žš", "  two", "123", "0", "🙂", "👩‍👩‍👧", "e\u0301", "ﬁ", "Ⅷ", "½", "ﷺ", "中文", "\u0001", "\ufffd", "ß", "der", " und", "και", "я", "\r", "\ufeff", "aaaa", "…", "„"];
let state = 1;
const next = (below) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % 65536 % below;
const made = Array.from({length: 300}, () => Buffer.from(Array.from({length: 1 + next(10)}, () => parts[next(parts.length)]).join("")));
const broken = Array.from({length: 100}, () => Buffer.from(Array.from({length: 1 + next(20)}, () => next(3) ? 1 + next(255) : [0xe2, 0x96, 0x81, 0x20, 0xc3, 0xa9, 0xf0, 0xed][next(8)]).filter((value) => value !== 10)));
const inputs = [...texts.filter((_, i) => i % 25 === 1).map((text) => Buffer.from(text)), ...made, ...broken, ...["", "  ", "▁", "a".repeat(3000), " ".repeat(500), "ab".repeat(900)].map((text) => Buffer.from(text))];
const input = Buffer.concat(inputs.flatMap((text) => [text, Buffer.from("\n")]));

const answers = {};
for (const [name, settings] of Object.entries(models)) {
    run("spm_train", ["--input=texts", `--model_prefix=${name}`, "--num_threads=1", "--minloglevel=2", "--hard_vocab_limit=false", ...settings]);
    const ids = run("spm_encode", [`--model=${name}.model`, "--output_format=id"], input);
    const decoded = run("spm_decode", [`--model=${name}.model`, "--input_format=id"], ids);
    writeFileSync(join(golden, `sentencepiece-${name}.model`), readFileSync(join(folder, `${name}.model`)));
    // A decoded text can hold no line end here: no piece has one.
    answers[name] = lines(ids).map((line, i) => ({ids: line.toString(), text: lines(decoded)[i].toString("base64")}));
}
writeFileSync(join(golden, "sentencepiece.json"), JSON.stringify({inputs: inputs.map((text) => text.toString("base64")), models: answers}) + "\n");
rmSync(folder, {recursive: true});
