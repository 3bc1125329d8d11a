// Writes tests/Tokenizers.Tests/Golden/components.json: what the npm package `tokenizers` (the reference) does with small tokenizer.json files that
// together have every component and every flag.
//   node bench/peers/tokenizers-components.mjs FOLDER_WITH_NODE_MODULES tests/Tokenizers.Tests/Golden/components.json
// Needs `tokenizers` 0.23.2 there, and Debian's `spm_train` for one compiled character map.
import { createRequire } from 'node:module';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [folder, target] = process.argv.slice(2);
const { Tokenizer } = createRequire(join(folder, 'package.json'))('tokenizers');

const texts = [
  'The quick brown fox doesn\'t jump over 12 lazy dogs, does it? WE\'LL see.',
  'Žluťoučký kůň úpěl ďábelské ódy; cena 1 234,50 Kč – ano!',
  'Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΟΔΥΣΣΕΎΣ',
  'Съешь же ещё этих мягких французских булок, да выпей чаю.',
  'Straße, İstanbul, ﬁn, Ǆ, ẞ, K (kelvin), Å',
  'e\u0301te\u0301 a\u0308\u0323 q\u0307\u0323 한국어 한국 ｶﾞｰﾅ',
  '日本語のテキスト、カタカナとー。漢字 and Latin',
  '👩‍👩‍👧‍👦 🇪🇺 ☂️ 𝒳𝓎 𐐀𐐨 ½ ² Ⅷ ① ٣',
  'tabs\tand\nbreaks\r\n\r\n   many    spaces   ',
  '  leading and trailing  ',
  'a\u00A0b\u2003c\u3000d\u200Be\u200Df\uFEFFg\u2028h\u0085i',
  'x\u0001y\u007Fz\u00ADw\uFFFDv',
  '(brackets) [MASK] <mask> <s> </s> [CLS]text[SEP] <0x41> "quoted" - dash—dash __under__ $5 + 3 = 8',
  'user-defined  runs    of spaces<tag><tag> next<tag>ed',
  'snake_case camelCase http://example.eu/path?q=1&r=2 e-mail@example.eu',
  '▁already▁spaced ▁ text ▁▁two',
  'мир<tag>мир <tag> мир',
  '1234567 3.14 1,000 007',
  '',
  ' ',
  '\n',
  'x',
];

// Models -------------------------------------------------------------------------------------------------------------
const alphabet = (() => {
  const printable = [];
  for (let b = 0; b < 256; b++) if ((b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174) printable[b] = String.fromCodePoint(b);
  let next = 256;
  for (let b = 0; b < 256; b++) printable[b] ??= String.fromCodePoint(next++);
  return printable;
})();
const inBytes = text => [...Buffer.from(text)].map(b => alphabet[b]).join('');

function learn(words, count) { // plain byte-pair encoding of a few words
  const symbols = words.map(word => [...word]), merges = [];
  while (merges.length < count) {
    const pairs = new Map();
    for (const word of symbols) for (let i = 0; i + 1 < word.length; i++) { const pair = word[i] + ' ' + word[i + 1]; pairs.set(pair, (pairs.get(pair) ?? 0) + 1); }
    const [best] = [...pairs].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0] ?? [];
    if (!best) break;
    const [left, right] = best.split(' ');
    merges.push([left, right]);
    for (const word of symbols) for (let i = 0; i + 1 < word.length; i++) if (word[i] === left && word[i + 1] === right) word.splice(i, 2, left + right);
  }
  return merges;
}
const vocabulary = (...tokens) => Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));
const all = texts.join('\n');
const letters = [...new Set([...['NFC', 'NFD', 'NFKC', 'NFKD'].map(form => all.normalize(form)), all.toLowerCase(), all.toLowerCase().normalize('NFD'), '▁ĠĊ', ...alphabet].join(''))];
const bpe = (vocab, merges, more = {}) => ({ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges, ...more });

const byteMerges = learn(texts.flatMap(text => text.match(/ ?\p{L}+| ?[^\s\p{L}]+|\s+/gu) ?? []).map(inBytes), 150);
const spaced = texts.flatMap(text => text.split(/(?= )/)).map(word => word.replaceAll(' ', '▁')).filter(word => /^[▁a-zA-Zа-яА-Я]*$/u.test(word));
const spacedMerges = learn(spaced, 120);
const byteTokens = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
const ascii = [...'▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,'];
const spacedTokens = ['<unk>', '<s>', '</s>', ...byteTokens, ...ascii, ...spacedMerges.flat(), ...spacedMerges.map(pair => pair.join(''))];
const pieces = [...new Set(['<unk>', '<s>', '</s>', '▁', ...spacedMerges.map(pair => pair.join('')), ...ascii, 'мир', '▁мир', 'é', 'fin'])];
const wordPieces = vocabulary('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...'abcdefghijklmnopqrstuvwxyz0123456789,.?!-()[]"_$+='.split(''), ...'abcdefghijklmnopqrstuvwxyz0123456789'.split('').map(c => '##' + c),
  'the', 'quick', 'brown', 'does', '##n', "'", 't', 'jump', '##ing', 'lead', 'trail', 'text', '##ucky', 'kun', '日', '本', '語', 'мир', 'strasse', '##е', '##щ', 'е', 'ist', '##an', '##bul');
const models = {
  letters: bpe(vocabulary('<unk>', ...letters), [], { unk_token: '<unk>' }),
  words: { type: 'WordLevel', vocab: vocabulary('<unk>', 'The', 'quick', 'and', 'x', '(', '1', 'ĠThe', '▁The'), unk_token: '<unk>' },
  bytes: bpe(vocabulary(...alphabet, ...byteMerges.map(pair => pair.join('')), inBytes(' spaces')), byteMerges),
  wholeBytes: bpe(vocabulary(...alphabet, ...byteMerges.map(pair => pair.join('')), inBytes(' spaces')), byteMerges, { ignore_merges: true }),
  spaced: bpe(vocabulary(...spacedTokens), spacedMerges, { unk_token: '<unk>', fuse_unk: true, byte_fallback: true }),
  spacedUnknown: bpe(vocabulary(...spacedTokens.filter(token => !token.startsWith('<0x'))), spacedMerges, { unk_token: '<unk>', fuse_unk: true }),
  spacedEachUnknown: bpe(vocabulary(...spacedTokens.filter(token => !token.startsWith('<0x'))), spacedMerges, { unk_token: '<unk>' }),
  suffixed: bpe(vocabulary('<unk>', ...ascii, ...ascii.map(c => c + '</w>'), 'th', 'the</w>', 'qu', 'an', 'and</w>'), [['t', 'h'], ['th', 'e</w>'], ['q', 'u'], ['a', 'n'], ['an', 'd</w>']], { unk_token: '<unk>', end_of_word_suffix: '</w>' }),
  prefixed: bpe(vocabulary('<unk>', ...ascii, ...ascii.map(c => '##' + c), 'th', 'the', '##an', '##nd', 'qu'), [['t', '##h'], ['th', '##e'], ['##n', '##d'], ['q', '##u']], { unk_token: '<unk>', continuing_subword_prefix: '##' }),
  unigram: { type: 'Unigram', unk_id: 0, vocab: pieces.map((piece, i) => [piece, i < 3 ? 0 : -2 - i / 16]), byte_fallback: false },
  unigramBytes: { type: 'Unigram', unk_id: 0, vocab: [...pieces.map((piece, i) => [piece, i < 3 ? 0 : -2 - i / 16]), ...byteTokens.map(token => [token, -30])], byte_fallback: true },
  wordPiece: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 12, vocab: wordPieces },
};
const sizeOf = model => Array.isArray(model.vocab) ? model.vocab.length : Object.keys(model.vocab).length;

// Components ---------------------------------------------------------------------------------------------------------
const gpt2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const llama3 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const qwen2 = llama3.replace('{1,3}', '');
const byteLevel = (add_prefix_space = false, use_regex = false, trim_offsets = true) => ({ type: 'ByteLevel', add_prefix_space, trim_offsets, use_regex });
const split = (pattern, behavior, invert = false) => ({ type: 'Split', pattern, behavior, invert });
const sequence = (key, ...steps) => ({ type: 'Sequence', [key]: steps });
const metaspace = (prepend_scheme, splits = true) => ({ type: 'Metaspace', replacement: '▁', prepend_scheme, split: splits });
const replace = (pattern, content) => ({ type: 'Replace', pattern, content });
const special = (...contents) => contents.map(content => ({ content, special: true }));
const template = (single, pair, ids) => ({ type: 'TemplateProcessing', single: parse(single), pair: parse(pair), special_tokens: Object.fromEntries(Object.entries(ids).map(([id, number]) => [id, { id, ids: [number], tokens: [id] }])) });
const parse = text => text.split(' ').map(part => { const [name, type] = part.split(':'); return name[0] === '$' ? { Sequence: { id: name.slice(1), type_id: +type } } : { SpecialToken: { id: name, type_id: +type } }; });
const spacedDecoder = sequence('decoders', replace({ String: '▁' }, ' '), { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 });
const byteDecoder = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };

const work = mkdtempSync(join(tmpdir(), 'components-'));
writeFileSync(join(work, 'text'), 'one two three four five six seven\n'.repeat(50));
const code = text => [...text].map(c => c.codePointAt(0).toString(16)).join(' ');
writeFileSync(join(work, 'rules.tsv'), [['ﬁ', 'fi'], ['½', '1/2'], ['e\u0301', 'é'], ['a\u0308', 'ä'], ['a', 'a'], ['Å', 'Å'], ['\u00A0', ' '], ['\u3000', ' '], ['ｶ', 'カ'], ['ｶﾞ', 'ガ'], ['\u200B', ''], ['👩', 'F']].map(rule => rule.map(code).join('\t')).join('\n') + '\n');
execFileSync('spm_train', ['--input=' + join(work, 'text'), '--model_prefix=' + join(work, 'm'), '--vocab_size=30', '--hard_vocab_limit=false', '--normalization_rule_tsv=' + join(work, 'rules.tsv')], { stdio: 'ignore' });
const charsmap = (() => { // ModelProto field 3 is NormalizerSpec, whose field 2 is the map
  const field = (bytes, wanted) => {
    for (let at = 0; at < bytes.length;) {
      const varint = () => { let value = 0, shift = 0; for (;;) { const byte = bytes[at++]; value += (byte & 127) * 2 ** shift; shift += 7; if (byte < 128) return value; } };
      const key = varint(), wire = key & 7;
      if (wire === 0) varint(); else if (wire === 5) at += 4; else if (wire === 1) at += 8;
      else { const length = varint(); if (key >> 3 === wanted) return bytes.subarray(at, at + length); at += length; }
    }
    throw new Error(`no field ${wanted}`);
  };
  return field(field(readFileSync(join(work, 'm.model')), 3), 2).toString('base64');
})();
rmSync(work, { recursive: true });

const normalizers = {
  NFC: { type: 'NFC' }, NFD: { type: 'NFD' }, NFKC: { type: 'NFKC' }, NFKD: { type: 'NFKD' }, Lowercase: { type: 'Lowercase' }, Nmt: { type: 'Nmt' },
  'StripAccents after NFD': sequence('normalizers', { type: 'NFD' }, { type: 'StripAccents' }), StripAccents: { type: 'StripAccents' },
  'Strip left': { type: 'Strip', strip_left: true, strip_right: false }, 'Strip right': { type: 'Strip', strip_left: false, strip_right: true }, 'Strip both': { type: 'Strip', strip_left: true, strip_right: true },
  'Replace text': replace({ String: 'a' }, 'bb'), 'Replace by nothing': replace({ String: ' ' }, ''), 'Replace regex': replace({ Regex: ' {2,}' }, ' '), 'Replace regex of classes': replace({ Regex: String.raw`[\p{N}]+` }, '#'),
  'Replace empty matches': replace({ Regex: 'o*' }, '-'),
  Prepend: { type: 'Prepend', prepend: '▁' }, ByteLevel: { type: 'ByteLevel' }, Precompiled: { type: 'Precompiled', precompiled_charsmap: charsmap },
  'Bert default': { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  'Bert cased': { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: false },
  'Bert accents only': { type: 'BertNormalizer', clean_text: false, handle_chinese_chars: false, strip_accents: true, lowercase: false },
  'Bert small letters only': { type: 'BertNormalizer', clean_text: false, handle_chinese_chars: false, strip_accents: false, lowercase: true },
  'Sequence of three': sequence('normalizers', { type: 'NFKC' }, { type: 'Lowercase' }, { type: 'Strip', strip_left: true, strip_right: true }),
};
const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];
const preTokenizers = {
  'ByteLevel': byteLevel(false, true), 'ByteLevel prefix': byteLevel(true, true), 'ByteLevel whole': byteLevel(true, false),
  ...Object.fromEntries(behaviors.flatMap(behavior => [[`Split text ${behavior}`, split({ String: ' ' }, behavior)], [`Split text ${behavior} inverted`, split({ String: ' ' }, behavior, true)],
    [`Split regex ${behavior}`, split({ Regex: String.raw`\p{L}+|\d` }, behavior)], [`Split regex ${behavior} inverted`, split({ Regex: String.raw`\p{L}+` }, behavior, true)], [`Punctuation ${behavior}`, { type: 'Punctuation', behavior }]])),
  'Split look-ahead': split({ Regex: String.raw`\s+(?!\S)|\s+` }, 'Isolated'),
  ...Object.fromEntries(['first', 'always', 'never'].flatMap(scheme => [[`Metaspace ${scheme}`, metaspace(scheme)], [`Metaspace ${scheme} unsplit`, metaspace(scheme, false)]])),
  'Digits single': { type: 'Digits', individual_digits: true }, 'Digits runs': { type: 'Digits', individual_digits: false },
  Whitespace: { type: 'Whitespace' }, WhitespaceSplit: { type: 'WhitespaceSplit' }, 'CharDelimiterSplit': { type: 'CharDelimiterSplit', delimiter: 'e' },
  UnicodeScripts: { type: 'UnicodeScripts' }, 'FixedLength': { type: 'FixedLength', length: 4 }, BertPreTokenizer: { type: 'BertPreTokenizer' },
  'Sequence of three': sequence('pretokenizers', { type: 'WhitespaceSplit' }, { type: 'Digits', individual_digits: true }, { type: 'Punctuation', behavior: 'Isolated' }),
  'Split words then Metaspace first': sequence('pretokenizers', { type: 'WhitespaceSplit' }, metaspace('first')),
};
const flags = { id: 0, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
const decoderCases = {
  none: null, fuse: { type: 'Fuse' }, replace: replace({ String: 'e' }, '3'), 'replace regex': replace({ Regex: '[aeiou]+' }, '*'),
  'strip start': { type: 'Strip', content: 'e', start: 2, stop: 0 }, 'fuse and strip': sequence('decoders', { type: 'Fuse' }, { type: 'Strip', content: 'T', start: 2, stop: 0 }),
  'fuse and replace': sequence('decoders', { type: 'Fuse' }, replace({ String: 'he q' }, '<he q>')), 'fuse and replace regex': sequence('decoders', { type: 'Fuse' }, replace({ Regex: '[oe] ?' }, '0')),
  'metaspace always': metaspace('always'), 'metaspace never': metaspace('never'), 'metaspace first': metaspace('first'),
  'wordpiece': { type: 'WordPiece', prefix: 'e', cleanup: true }, 'wordpiece without cleanup': { type: 'WordPiece', prefix: '##', cleanup: false },
  'bpe': { type: 'BPEDecoder', suffix: 'e' }, ctc: { type: 'CTC', pad_token: 'o', word_delimiter_token: ' ', cleanup: true }, 'ctc without cleanup': { type: 'CTC', pad_token: 'o', word_delimiter_token: 'e', cleanup: false },
  'byte fallback': { type: 'ByteFallback' },
};

const cases = [];
const add = (name, model, parts, added = [], options = {}) => cases.push({ name, model, parts, added, ...options });
for (const [name, normalizer] of Object.entries(normalizers)) add(`normalizer ${name}`, 'letters', { normalizer, decoder: { type: 'Fuse' } });
for (const [name, pre_tokenizer] of Object.entries(preTokenizers)) {
  add(`pre-tokenizer ${name}`, 'words', { pre_tokenizer });
  if (/Byte|Meta/.test(name)) add(`pre-tokenizer ${name} over letters`, 'letters', { pre_tokenizer, decoder: { type: 'Fuse' } });
}
for (const [name, decoder] of Object.entries(decoderCases)) add(`decoder ${name}`, 'letters', { decoder });
for (const [name, pattern] of Object.entries({ gpt2, llama3, qwen2 })) {
  const pre_tokenizer = sequence('pretokenizers', split({ Regex: pattern }, 'Isolated'), byteLevel());
  add(`byte level ${name}`, 'bytes', { pre_tokenizer, decoder: byteDecoder });
  add(`byte level ${name} NFC`, 'bytes', { normalizer: { type: 'NFC' }, pre_tokenizer, decoder: byteDecoder });
}
add('byte level of GPT-2', 'bytes', { pre_tokenizer: byteLevel(false, true), decoder: byteDecoder, post_processor: byteLevel(false, true, true) });
add('byte level of GPT-2, prefix', 'bytes', { pre_tokenizer: byteLevel(true, true), decoder: byteDecoder, post_processor: byteLevel(true, true, true) });
add('byte level, offsets not trimmed', 'bytes', { pre_tokenizer: byteLevel(false, true), decoder: byteDecoder, post_processor: byteLevel(true, true, false) });
add('byte level, whole words first', 'wholeBytes', { pre_tokenizer: byteLevel(false, true), decoder: byteDecoder });
add('byte level, digits alone', 'bytes', { pre_tokenizer: sequence('pretokenizers', { type: 'Digits', individual_digits: true }, byteLevel(false, true)), decoder: byteDecoder });
add('byte level normalizer', 'bytes', { normalizer: { type: 'ByteLevel' }, decoder: byteDecoder });
add('byte level with tokens', 'bytes', { pre_tokenizer: byteLevel(false, true), decoder: byteDecoder, post_processor: template('<s>:0 $A:0', '<s>:0 $A:0 <s>:1 $B:1', { '<s>': sizeOf(models.bytes) }) },
  [{ content: '<s>', special: true }, { content: '</s>', special: true }, { content: '<tag>' }, { content: '  ' }, { content: '    ' }], { pairs: true });
add('spaced, normalized', 'spaced', { normalizer: sequence('normalizers', { type: 'Prepend', prepend: '▁' }, replace({ String: ' ' }, '▁')), decoder: spacedDecoder, post_processor: template('<s>:0 $A:0', '<s>:0 $A:0 <s>:1 $B:1', { '<s>': 1 }) }, special('<unk>', '<s>', '</s>'), { pairs: true });
add('spaced, metaspace', 'spaced', { pre_tokenizer: metaspace('first', false), decoder: spacedDecoder }, special('<unk>', '<s>', '</s>'));
add('spaced, unknown fused', 'spacedUnknown', { pre_tokenizer: metaspace('always'), decoder: metaspace('always') }, special('<unk>', '<s>', '</s>'));
add('spaced, each unknown', 'spacedEachUnknown', { pre_tokenizer: metaspace('always'), decoder: metaspace('always') }, special('<unk>', '<s>', '</s>'));
add('suffixed', 'suffixed', { normalizer: { type: 'Lowercase' }, pre_tokenizer: { type: 'Whitespace' }, decoder: { type: 'BPEDecoder', suffix: '</w>' } });
add('prefixed', 'prefixed', { normalizer: { type: 'Lowercase' }, pre_tokenizer: { type: 'BertPreTokenizer' }, decoder: { type: 'WordPiece', prefix: '##', cleanup: true } });
add('unigram', 'unigram', { normalizer: { type: 'Precompiled', precompiled_charsmap: charsmap }, pre_tokenizer: sequence('pretokenizers', { type: 'WhitespaceSplit' }, metaspace('always')), decoder: metaspace('always'), post_processor: template('$A:0 </s>:0', '$A:0 </s>:0 $B:1 </s>:1', { '</s>': 2 }) }, special('<unk>', '<s>', '</s>'), { pairs: true });
add('unigram, spaces kept', 'unigram', { normalizer: { type: 'NFKC' }, pre_tokenizer: metaspace('first'), decoder: metaspace('first') }, special('<unk>', '<s>', '</s>'));
add('unigram, bytes', 'unigramBytes', { pre_tokenizer: metaspace('always'), decoder: spacedDecoder }, special('<unk>', '<s>', '</s>'));
add('word pieces', 'wordPiece', { normalizer: normalizers['Bert default'], pre_tokenizer: { type: 'BertPreTokenizer' }, decoder: { type: 'WordPiece', prefix: '##', cleanup: true }, post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] } }, special('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'), { pairs: true });
add('word pieces, template', 'wordPiece', { normalizer: normalizers['Bert default'], pre_tokenizer: { type: 'BertPreTokenizer' }, decoder: { type: 'WordPiece', prefix: '##', cleanup: false }, post_processor: template('[CLS]:0 $A:0 [SEP]:0', '[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1', { '[CLS]': 2, '[SEP]': 3 }) }, special('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'), { pairs: true });
add('roberta', 'bytes', { pre_tokenizer: byteLevel(true, true), decoder: byteDecoder, post_processor: { type: 'RobertaProcessing', sep: ['</s>', sizeOf(models.bytes) + 1], cls: ['<s>', sizeOf(models.bytes)], trim_offsets: true, add_prefix_space: true } },
  [...special('<s>', '</s>'), { content: '<mask>', special: true, lstrip: true }], { pairs: true });
add('post-processors in a row', 'bytes', { pre_tokenizer: byteLevel(false, true), decoder: byteDecoder, post_processor: sequence('processors', byteLevel(false, true, true), template('<s>:0 $A:0', '<s>:0 $A:0 $B:1', { '<s>': sizeOf(models.bytes) })) }, special('<s>'), { pairs: true });
const tagged = { decoder: { type: 'Fuse' }, pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'Isolated', invert: false } };
for (const flag of ['single_word', 'lstrip', 'rstrip', 'normalized', 'special'])
  add(`added token ${flag}`, 'letters', { normalizer: { type: 'Lowercase' }, ...tagged }, [{ content: '<tag>', [flag]: true }, { content: 'мир', [flag]: true }, { content: 'THE', [flag]: true }, { content: 'and', [flag]: true }]);
add('added tokens, both strips', 'letters', tagged, [{ content: '<tag>', lstrip: true, rstrip: true }, { content: ' ', }, { content: 'and', rstrip: true, lstrip: true, single_word: true }]);
add('added tokens, longest', 'letters', tagged, [{ content: '<t' }, { content: '<tag>' }, { content: 'ag><' }, { content: '<tag>e' }, { content: '   ' }, { content: '  ' }, { content: 'é' }, { content: 'Straße' }]);
add('added tokens, normalized first', 'letters', { normalizer: sequence('normalizers', { type: 'Prepend', prepend: '▁' }, { type: 'NFKC' }), ...tagged }, [{ content: 'fin', normalized: true }, { content: '①', normalized: true }, { content: 'tag', normalized: false }]);
add('added tokens before Metaspace first', 'letters', { pre_tokenizer: metaspace('first'), decoder: metaspace('first') }, [{ content: 'The' }, { content: '<tag>' }, { content: 'x' }]);
add('added tokens and stripped text', 'letters', { normalizer: { type: 'Strip', strip_left: true, strip_right: true }, pre_tokenizer: metaspace('first'), decoder: { type: 'Fuse' } }, [{ content: '<tag>' }]);
add('truncation and padding', 'words', { pre_tokenizer: { type: 'Whitespace' }, truncation: { direction: 'Right', max_length: 512, strategy: 'LongestFirst', stride: 0 }, padding: { strategy: 'BatchLongest', direction: 'Right', pad_to_multiple_of: null, pad_id: 0, pad_type_id: 0, pad_token: '<unk>' } });

// Answers ------------------------------------------------------------------------------------------------------------
const toBytes = text => { const places = [0]; for (const character of text) places.push(places.at(-1) + Buffer.byteLength(character)); return places; };
const golden = [];
for (const { name, model, parts, added, pairs } of cases) {
  const known = models[model].vocab;
  let next = sizeOf(models[model]);
  const added_tokens = added.map(token => ({ ...flags, ...token, id: (Array.isArray(known) ? known.findIndex(piece => piece[0] === token.content) : known[token.content] ?? -1) }))
    .map(token => ({ ...token, id: token.id >= 0 ? token.id : next++ }));
  const json = { version: '1.0', truncation: null, padding: null, added_tokens, normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...parts, model: models[model] };
  const tokenizer = Tokenizer.fromString(JSON.stringify(json));
  const answers = [];
  for (const text of texts) {
    const encoding = await tokenizer.encode(text, null, { addSpecialTokens: false });
    const ids = encoding.getIds(), places = toBytes(text);
    const answer = { ids, offsets: encoding.getOffsets().flatMap(([start, end]) => [places[start], places[end]]), decoded: await tokenizer.decode(ids, false) };
    const skipped = await tokenizer.decode(ids, true);
    if (skipped !== answer.decoded) answer.skipped = skipped;
    const whole = (await tokenizer.encode(text)).getIds();
    if (String(whole) !== String(ids)) answer.whole = whole;
    if (pairs) {
      const pair = await tokenizer.encode(text, 'The 2nd');
      answer.pair = pair.getIds();
      answer.segments = pair.getTypeIds();
    }
    answers.push(answer);
  }
  golden.push({ name, json: { ...json, model }, answers });
}
writeFileSync(target, '{"texts":' + JSON.stringify(texts) + ',\n"models":{\n' + Object.entries(models).map(([name, model]) => JSON.stringify(name) + ':' + JSON.stringify(model)).join(',\n')
  + '},\n"tokenizers":[\n' + golden.map(entry => JSON.stringify(entry)).join(',\n') + ']}\n');
console.log(`${golden.length} tokenizers, ${texts.length} texts`);
