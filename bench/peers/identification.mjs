// Language identification beside CLD2, franc-all, cld3-asm and eld: F1 of each label, macro-F1, short text, close groups, speed; Markdown out.
// Usage: node bench/peers/identification.mjs GOLD.tsv.gz NODE_MODULES     OELLM names the program; artifacts/bin/Cli/release/oellm when not set.
// Needs: npm install franc-all cld3-asm eld (in the folder of NODE_MODULES), and Debian's libcld2-dev with g++.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [gold, modules] = process.argv.slice(2);
if (!gold || !modules) {
  console.error('usage: node bench/peers/identification.mjs GOLD.tsv.gz NODE_MODULES');
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
const program = process.env.OELLM ?? join(here, '../../artifacts/bin/Cli/release/oellm');
const folder = mkdtempSync(join(tmpdir(), 'identification-'));
const official = 'bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv'.split(' ');
const hard = ['bs', 'hr', 'lb', 'mk'];
const groups = ['bs hr sr', 'cs sk', 'da nb nn sv', 'ca es gl pt', 'bg mk', 'et fi'].map(group => group.split(' '));
// The other programs' codes for our labels; a code that is not here stays as it is.
const codes = { no: 'nb', iw: 'he', 'sr-ME': 'sr', 'bg-Latn': 'bg', 'el-Latn': 'el' };
// Every so many short texts: the scripted programs are slow.
const shortStep = 8;

const require = createRequire(join(resolve(modules), 'x.js'));
const load = async name => import(pathToFileURL(require.resolve(name)));
const threeToTwo = Object.fromEntries(('bul bg,hrv hr,ces cs,dan da,nld nl,eng en,ekk et,est et,fin fi,fra fr,deu de,ell el,hun hu,gle ga,ita it,lav lv,lvs lv,lit lt,mlt mt,pol pl,por pt,ron ro,' +
  'slk sk,slv sl,spa es,swe sv,bos bs,cat ca,cym cy,eus eu,glg gl,isl is,kat ka,ltz lb,mkd mk,nob nb,nno nn,als sq,sqi sq,srp sr,tur tr,ukr uk').split(',').map(pair => pair.split(' ')));

function rows(name, step) {
  return readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').filter((_, i) => i % step === 0).map(line => line.split('\t'));
}

function score(labels, answers) {
  const all = new Map();
  const at = label => all.get(label) ?? all.set(label, { texts: 0, answers: 0, right: 0 }).get(label);
  labels.forEach((label, i) => {
    at(label).texts++;
    at(answers[i]).answers++;
    if (label === answers[i]) at(label).right++;
  });
  const f1 = label => 2 * at(label).right / Math.max(1, at(label).texts + at(label).answers);
  const known = [...new Set(labels)].sort();
  const macro = of => known.filter(of).reduce((sum, label) => sum + f1(label), 0) / known.filter(of).length;
  const right = labels.filter((label, i) => label === answers[i]).length;
  return { f1, macro, accuracy: right / labels.length, known };
}

function timed(detect, texts) {
  const start = process.hrtime.bigint();
  const answers = texts.map(detect);
  return { answers, perSecond: texts.length / (Number(process.hrtime.bigint() - start) / 1e9) };
}

const figures = JSON.parse(execFileSync(program, ['identify', 'evaluate', '--gold', gold, '--pieces', folder, '--json'], { encoding: 'utf8' }));
execFileSync('g++', ['-O2', '-o', join(folder, 'cld2'), join(here, 'cld2.cpp'), '-lcld2']);
// The small tables that the library is linked with know neither lb nor nn.
const fullTables = { ...process.env, LD_PRELOAD: 'libcld2_full.so.0' };
const cld2 = name => execFileSync(join(folder, 'cld2'), [join(folder, name)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28, env: fullTables }).trimEnd().split('\n').map(code => codes[code] ?? code);
const cld2Speed = () => Number(/(\d+) a second/.exec(execFileSync('sh', ['-c', `"${join(folder, 'cld2')}" "${join(folder, 'sentences.tsv')}" 2>&1 >/dev/null`], { encoding: 'utf8', env: fullTables }))[1]);

const { franc } = await load('franc-all');
const cld3 = (await require('cld3-asm').loadModule()).create(0, 1000);
const { eld } = await import(pathToFileURL(join(resolve(modules), 'eld/src/entries/static.large.js')));
const scripted = {
  'franc-all': text => threeToTwo[franc(text, { minLength: 1 })] ?? 'und',
  'cld3-asm': text => (found => codes[found] ?? found)(cld3.findLanguage(text)?.language ?? 'und'),
  eld: text => (found => codes[found] ?? found)(eld.detect(text).language || 'und'),
};

const sets = { sentences: rows('sentences.tsv', 1), words: rows('words.tsv', shortStep), pairs: rows('pairs.tsv', shortStep) };
const results = { oellm: {}, CLD2: {}, 'franc-all': {}, 'cld3-asm': {}, eld: {} };
const speeds = { oellm: figures.sentencesPerSecond, CLD2: cld2Speed() };
for (const [name, set] of Object.entries(sets)) {
  const labels = set.map(row => row[0]), texts = set.map(row => row[2]);
  results.oellm[name] = { answers: set.map(row => row[1]) };
  results.CLD2[name] = { answers: cld2(`${name}.tsv`).filter((_, i) => name === 'sentences' || i % shortStep === 0) };
  for (const [peer, detect] of Object.entries(scripted)) {
    const { answers, perSecond } = timed(detect, texts);
    results[peer][name] = { answers };
    if (name === 'sentences') speeds[peer] = perSecond;
  }
  for (const result of Object.values(results)) Object.assign(result[name], score(labels, result[name].answers));
}
rmSync(folder, { recursive: true });

const peers = Object.keys(results), cell = value => value.toFixed(3);
const row = (title, value) => console.log(`| ${title} | ${peers.map(value).join(' | ')} |`);
const head = title => { row(title, peer => peer); console.log(`|---|${'---:|'.repeat(peers.length)}`); };
head('sentences');
row('macro-F1, 39 labels', peer => cell(results[peer].sentences.macro(() => true)));
row('macro-F1, 24 official', peer => cell(results[peer].sentences.macro(label => official.includes(label))));
row('macro-F1 without bs, hr, lb, mk', peer => cell(results[peer].sentences.macro(label => !hard.includes(label))));
row('mean F1 of bs and hr', peer => cell(results[peer].sentences.macro(label => label === 'bs' || label === 'hr')));
row('accuracy, single words', peer => cell(results[peer].words.accuracy));
row('accuracy, word pairs', peer => cell(results[peer].pairs.accuracy));
row('sentences a second', peer => Math.round(speeds[peer]).toLocaleString('en'));
console.log();
head('F1');
for (const label of results.oellm.sentences.known) row(label, peer => cell(results[peer].sentences.f1(label)));
console.log();
head('accuracy on single words of a label');
for (const label of results.oellm.words.known) {
  row(label, peer => {
    const right = sets.words.map((piece, i) => [piece[0], results[peer].words.answers[i]]).filter(pair => pair[0] === label);
    return cell(right.filter(pair => pair[0] === pair[1]).length / right.length);
  });
}
for (const group of groups) {
  console.log(`\n| ${group.join('/')} | ${peers.map(peer => group.concat('else').map(answer => `${peer} ${answer}`).join(' | ')).join(' | ')} |`);
  console.log(`|---|${'---:|'.repeat(peers.length * (group.length + 1))}`);
  for (const right of group) {
    const counts = peers.flatMap(peer => {
      const answers = results[peer].sentences.answers.filter((_, i) => sets.sentences[i][0] === right);
      return group.map(answer => answers.filter(found => found === answer).length).concat(answers.filter(found => !group.includes(found)).length);
    });
    console.log(`| ${right} | ${counts.join(' | ')} |`);
  }
}
