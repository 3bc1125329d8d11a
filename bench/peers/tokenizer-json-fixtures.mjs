// tokenizer.json files of the other kinds, made from what the peers hold: SentencePiece models, the vocabularies inside npm packages, counted words.
import {readFileSync, readdirSync} from "node:fs";
import {join} from "node:path";
import {createRequire} from "node:module";

const token = (id, content, more = {}) => ({id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...more});
const shell = (parts) => ({version: "1.0", truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...parts});

/** Reads the fields of a protobuf message: [number, value] with bytes, floats and integers. */
function* fields(bytes) {
    let at = 0;
    const varint = () => {
        let value = 0n, shift = 0n;
        for (;;) {
            const byte = bytes[at++];
            value |= BigInt(byte & 127) << shift;
            if (byte < 128) return BigInt.asIntN(64, value);
            shift += 7n;
        }
    };
    while (at < bytes.length) {
        const key = Number(varint()), kind = key & 7;
        if (kind === 0) yield [key >> 3, Number(varint())];
        else if (kind === 2) {
            const length = Number(varint());
            yield [key >> 3, bytes.subarray(at, at + length)];
            at += length;
        } else if (kind === 5) {
            yield [key >> 3, bytes.readFloatLE(at)];
            at += 4;
        } else throw new Error(`protobuf wire type ${kind}`);
    }
}

/** The pieces and the settings of a SentencePiece model. */
function readModel(path) {
    const pieces = [], trainer = {}, normalizer = {};
    for (const [number, value] of fields(readFileSync(path))) {
        if (number === 1) {
            const piece = {text: "", score: 0, type: 1};
            for (const [field, content] of fields(value)) Object.assign(piece, field === 1 ? {text: content.toString("utf8")} : field === 2 ? {score: content} : field === 3 ? {type: content} : {});
            pieces.push(piece);
        }
        if (number === 2) for (const [field, content] of fields(value)) trainer[field] = content;
        if (number === 3) for (const [field, content] of fields(value)) normalizer[field] = content;
    }
    return {pieces, trainer, normalizer};
}

/** A Unigram or BPE model as tokenizer.json, in the way converters write it. */
function fromModel(path) {
    const {pieces, trainer, normalizer} = readModel(path);
    const charsmap = normalizer[2]?.length ? [{type: "Precompiled", precompiled_charsmap: normalizer[2].toString("base64")}] : [];
    const spaces = (normalizer[4] ?? 1) ? [{type: "Strip", strip_left: true, strip_right: true}, {type: "Replace", pattern: {Regex: " {2,}"}, content: " "}] : [];
    const metaspace = {type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true};
    const added = pieces.flatMap((piece, id) => (piece.type === 2 || piece.type === 3 ? [token(id, piece.text)] : piece.type === 4 ? [token(id, piece.text, {special: false})] : []));
    const unigram = {type: "Unigram", unk_id: pieces.findIndex((piece) => piece.type === 2), vocab: pieces.map((piece) => [piece.text, piece.score]), byte_fallback: (trainer[35] ?? 0) === 1};
    const all = [...charsmap, ...spaces];
    return shell({added_tokens: added, normalizer: all.length ? {type: "Sequence", normalizers: all} : null, pre_tokenizer: metaspace, decoder: metaspace, model: unigram});
}

/** Words by how often they occur, in code point order where equally often. */
function countWords(input, split) {
    const counts = new Map();
    for (const line of readFileSync(input, "utf8").split("\n")) for (const word of split(line)) counts.set(word, (counts.get(word) ?? 0) + 1);
    return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

/** A WordPiece vocabulary: every letter, then the most frequent beginnings and continuations. */
function wordPieces(input, size, lowercase) {
    const words = countWords(input, (line) => (lowercase ? line.toLowerCase().normalize("NFD").replace(/\p{Mn}/gu, "") : line.normalize("NFC")).match(/[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu) ?? []);
    const counts = new Map();
    const count = (text, times) => counts.set(text, (counts.get(text) ?? 0) + times);
    const letters = new Set();
    for (const [word, times] of words.slice(0, 60000)) {
        const runes = [...word];
        runes.forEach((rune, i) => letters.add(i === 0 ? rune : `##${rune}`));
        for (let length = 2; length <= Math.min(8, runes.length); length++) {
            count(runes.slice(0, length).join(""), times * length);
            count(`##${runes.slice(-length).join("")}`, times * length * (runes.length > length ? 1 : 0));
        }
        count(word, times * runes.length);
    }
    const ordered = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([text]) => text);
    return [...new Set(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...[...letters].sort(), ...ordered])].slice(0, size);
}

const indexed = (tokens) => Object.fromEntries(tokens.map((text, id) => [text, id]));

export function makers({tools, work, input, trainings}) {
    const list = [];
    for (const name of Object.keys(trainings).filter((name) => name.startsWith("unigram")))
        list.push({name: `json-${name}`, build: async () => ({kind: "tokenizer.json, Unigram", exact: false, json: fromModel(join(work, `spm-${name}.model`))})});
    for (const [name, lowercase] of [["cased", false], ["uncased", true]])
        list.push({name: `json-wordpiece-${name}`, build: async () => {
            const tokens = wordPieces(input, 30000, lowercase);
            return {kind: "tokenizer.json, WordPiece", exact: false, json: shell({
                added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map((text) => token(tokens.indexOf(text), text)),
                normalizer: {type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase}, pre_tokenizer: {type: "BertPreTokenizer"},
                decoder: {type: "WordPiece", prefix: "##", cleanup: true}, model: {type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100, vocab: indexed(tokens)}})};
        }});
    list.push({name: "json-wordlevel", build: async () => {
        const tokens = ["[UNK]", ...countWords(input, (line) => line.normalize("NFKC").toLowerCase().match(/[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]+/gu) ?? []).slice(0, 30000).map(([word]) => word)];
        return {kind: "tokenizer.json, WordLevel", exact: false, json: shell({added_tokens: [token(0, "[UNK]")], normalizer: {type: "Sequence", normalizers: [{type: "NFKC"}, {type: "Lowercase"}]},
            pre_tokenizer: {type: "Whitespace"}, model: {type: "WordLevel", unk_token: "[UNK]", vocab: indexed(tokens)}})};
    }});
    for (const [name, file] of [["llama", "llama-tokenizer-js/llama-tokenizer.js"], ["mistral", "mistral-tokenizer-js/mistral-tokenizer.js"]])
        list.push({name: `json-${name}-bpe`, build: async () => {
            const peer = (await import(join(tools.folder, file))).default;
            const {vocabulary, merges} = textBpe(peer);
            const json = shell({added_tokens: [token(0, "<unk>"), token(1, "<s>"), token(2, "</s>")],
                normalizer: {type: "Sequence", normalizers: [{type: "Prepend", prepend: "▁"}, {type: "Replace", pattern: {String: " "}, content: "▁"}]},
                decoder: {type: "Sequence", decoders: [{type: "Replace", pattern: {String: "▁"}, content: " "}, {type: "ByteFallback"}, {type: "Fuse"}, {type: "Strip", content: " ", start: 1, stop: 0}]},
                model: {type: "BPE", dropout: null, unk_token: "<unk>", continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: true, byte_fallback: true, ignore_merges: false, vocab: indexed(vocabulary), merges}});
            return {kind: "tokenizer.json, BPE with byte fallback", exact: true, json, peers: [[`${name}-tokenizer-js`, async (texts) => texts.map((text) => peer.encode(text, false, true))]]};
        }});
    list.push({name: "json-llama3", build: async () => {
        const peer = (await import(join(tools.folder, "llama3-tokenizer-js/bundle/llama3-tokenizer-with-baked-data.js"))).default;
        return {...byteBpe(peer), peers: [["llama3-tokenizer-js", async (texts) => texts.map((text) => peer.encode(text, {bos: false, eos: false}))]]};
    }});
    return list;
}

/** Vocabulary and merges of the peers in JavaScript: merges are pairs of ids by rank. */
function textBpe(peer) {
    const vocabulary = peer.vocabById, merges = [...peer.merges].map(([pair, rank]) => [pair.split(" "), rank]).sort(([, a], [, b]) => a - b).map(([pair]) => pair);
    return {vocabulary, merges};
}

function byteBpe(peer) {
    const vocabulary = peer.vocabById, control = (text) => /^<\|.*\|>$/.test(text);
    const merges = [...peer.merges].map(([pair, rank]) => [pair.split(" "), rank]).sort(([, a], [, b]) => a - b).map(([pair]) => pair);
    const ordinary = Object.fromEntries(vocabulary.map((text, id) => [text, id]).filter(([text]) => !control(text)));
    const regex = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    return {kind: "tokenizer.json, byte-level BPE", exact: true, json: shell({
        added_tokens: vocabulary.flatMap((text, id) => (control(text) ? [token(id, text)] : [])),
        pre_tokenizer: {type: "Sequence", pretokenizers: [{type: "Split", pattern: {Regex: regex}, behavior: "Isolated", invert: false}, {type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false}]},
        decoder: {type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true},
        model: {type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: true, vocab: ordinary, merges}})};
}
