// What other detectors make of the windows that `Encodings.Bench measure SENTENCES WINDOWS` writes: node encodings.mjs WINDOWS [FOLDER of node_modules]
// Right is the text: the bytes, read in the encoding that is named, are what was written. uchardet (Debian) is asked where it is installed.
import { createRequire } from 'module';
import { execFileSync } from 'child_process';
import fs from 'fs';
import os from 'os';
import path from 'path';

const require = createRequire(path.join(process.argv[3] ?? '.', 'x.js'));
const iconv = require('iconv-lite');
const detectors = { chardet: b => require('chardet').detect(b), jschardet: b => require('jschardet').detect(b).encoding };
const windows = fs.readFileSync(process.argv[2], 'utf8').trim().split('\n').map(line => JSON.parse(line));
const old = new Set(['ibm737', 'ibm775', 'ibm850', 'ibm852', 'ibm857', 'ibm866', 'macintosh', 'x-mac-ce', 'x-mac-cyrillic']);
let uchardet = null;
try {
  execFileSync('uchardet', ['--version']);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'windows-'));
  uchardet = [];
  for (let start = 0; start < windows.length; start += 2000) {
    const names = windows.slice(start, start + 2000).map((w, i) => { const n = path.join(folder, String(i)); fs.writeFileSync(n, Buffer.from(w.bytes, 'base64')); return n; });
    uchardet.push(...execFileSync('uchardet', names, { maxBuffer: 1 << 28 }).toString().trim().split('\n').map(line => line.split(': ').pop().trim()));
  }
  fs.rmSync(folder, { recursive: true });
  detectors.uchardet = (b, i) => uchardet[i];
} catch { console.error('uchardet is not installed'); }

const share = (c) => c ? (100 * c[0] / c[1]).toFixed(1) : '';
for (const [name, detect] of Object.entries(detectors)) {
  const counts = {};
  windows.forEach((w, i) => {
    const bytes = Buffer.from(w.bytes, 'base64');
    let right = false;
    try { const found = detect(bytes, i); right = !!found && iconv.encodingExists(found) && iconv.decode(bytes, found) === w.text; } catch { }
    const group = w.encoding.startsWith('utf') ? 'unicode' : old.has(w.encoding) ? 'DOS and Mac' : 'windows, ISO, KOI8, Georgian';
    for (const key of [`${group} ${w.size}`, `language ${w.language} ${w.size}`, `all ${w.size}`]) { counts[key] ??= [0, 0]; counts[key][0] += right; counts[key][1]++; }
  });
  for (const group of ['windows, ISO, KOI8, Georgian', 'DOS and Mac', 'unicode', 'all'])
    console.log(`| ${name} | ${group} | ${[50, 200, 1000].map(size => share(counts[`${group} ${size}`])).join(' | ')} |`);
  console.log(`${name} 200 bytes by language: ` + Object.keys(counts).filter(k => k.startsWith('language') && k.endsWith(' 200')).map(k => `${k.split(' ')[1]} ${share(counts[k])}`).join(', '));
}
