// Reads a growing answer to screen readers: whole sentences, a few seconds apart, instead of every token.
import { make } from "./elements.js";

const pause = 3000; // milliseconds between two announcements
const ends = ".!?…;\u037e\n";

/** One answer, written into a live region. */
export class Reader {
  #region;
  #said = 0;
  #last = performance.now();

  constructor(region) {
    this.#region = region;
    region.replaceChildren();
  }

  /** Says the sentences that have become complete, if the last words were a while ago. */
  follow(text) {
    if (performance.now() - this.#last < pause) return;
    this.#last = performance.now();
    let end = text.length;
    while (end > this.#said && !(ends.includes(text[end - 1]) && (end === text.length || /\s/.test(text[end])))) end--;
    this.#say(text, end);
  }

  /** Says the rest. */
  finish(text) {
    this.#say(text, text.length);
  }

  #say(text, end) {
    const words = text.slice(this.#said, end).trim();
    if (words === "") return;
    this.#said = end;
    this.#last = performance.now();
    this.#region.append(make("p", { lang: "", textContent: words }));
  }
}
