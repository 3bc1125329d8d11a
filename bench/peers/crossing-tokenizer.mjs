// A byte-level tokenizer whose merges pay no heed to words: under any split pattern, a border that lies elsewhere shows in the ids.

/** Bytes as the characters that stand for them in tokenizer.json. */
export function byteAlphabet() {
    const plain = (byte) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    let next = 256;
    return Array.from({length: 256}, (_, byte) => String.fromCodePoint(plain(byte) ? byte : next++));
}

/** Merges the most frequent neighbours of whole texts, the first pair of ids where counts are equal. */
export function trainCrossing(texts, merges, longest) {
    const alphabet = byteAlphabet(), tokens = [...alphabet], lengths = Array(256).fill(1), rules = [];
    let words = texts.map((text) => [...Buffer.from(text)]);
    const control = ["<|begin_of_text|>", "<|end_of_text|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end_of_turn|>", "<|padding|>"];
    while (rules.length < merges) {
        const counts = new Map();
        for (const word of words)
            for (let i = 0; i + 1 < word.length; i++)
                if (lengths[word[i]] + lengths[word[i + 1]] <= longest) {
                    const pair = word[i] * 65536 + word[i + 1];
                    counts.set(pair, (counts.get(pair) ?? 0) + 1);
                }
        let best = -1, most = 1;
        for (const [pair, count] of counts) if (count > most || (count === most && most > 1 && pair < best)) [best, most] = [pair, count];
        if (best < 0) break;
        const [left, right, id] = [Math.floor(best / 65536), best % 65536, tokens.length];
        // Two ways to the same token would leave ids without a token of their own.
        const text = tokens[left] + tokens[right], known = tokens.indexOf(text);
        rules.push([tokens[left], tokens[right]]);
        if (known < 0) {
            tokens.push(text);
            lengths.push(lengths[left] + lengths[right]);
        }
        words = words.map((word) => {
            const merged = [];
            for (let i = 0; i < word.length; i++) {
                if (word[i] === left && word[i + 1] === right) {
                    merged.push(known < 0 ? id : known);
                    i++;
                } else merged.push(word[i]);
            }
            return merged;
        });
    }
    return {version: "1.0", truncation: null, padding: null,
        added_tokens: control.map((content, i) => ({id: tokens.length + i, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true})),
        normalizer: null,
        pre_tokenizer: {type: "Sequence", pretokenizers: [{type: "Split", pattern: {Regex: ""}, behavior: "Isolated", invert: false}, {type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false}]},
        post_processor: null, decoder: {type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true},
        model: {type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false,
            vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: rules}};
}
