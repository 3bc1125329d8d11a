// The interface's language: chosen once from the browser's list, or by hand; every text comes from languages/xx.json.

/** The 24 official languages of the Union, under the names that their speakers give them. */
export const languages = {
  bg: "Български", cs: "Čeština", da: "Dansk", de: "Deutsch", el: "Ελληνικά", en: "English", es: "Español", et: "Eesti",
  fi: "Suomi", fr: "Français", ga: "Gaeilge", hr: "Hrvatski", hu: "Magyar", it: "Italiano", lt: "Lietuvių", lv: "Latviešu",
  mt: "Malti", nl: "Nederlands", pl: "Polski", pt: "Português", ro: "Română", sk: "Slovenčina", sl: "Slovenščina", sv: "Svenska",
};

let current = "en", texts = {};

/** The language that the interface is in. */
export const language = () => current;

/** The first of the wanted languages that the page has, whatever its region; English where there is none. */
export function choose(wanted) {
  for (const tag of wanted) {
    const code = String(tag).toLowerCase().split("-")[0];
    if (Object.hasOwn(languages, code)) return code;
  }
  return "en";
}

/** Loads a language and writes it into the document. */
export async function use(code) {
  const response = await fetch(`/page/languages/${code}.json`);
  if (!response.ok) throw new Error(`languages/${code}.json: HTTP ${response.status}`);
  texts = await response.json();
  current = code;
  document.documentElement.lang = code;
  document.documentElement.dir = "ltr"; // all 24 are written from left to right; messages find their own direction
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = text(element.dataset.placeholder);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
    if (element.classList.contains("icon")) element.title = text(element.dataset.label);
  }
}

/** One text of the interface, its {places} filled. */
export function text(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A number as the language writes it. */
export function number(value, options) {
  return new Intl.NumberFormat(current, options).format(value);
}

/** A moment as the language writes it. */
export function moment(milliseconds) {
  return new Intl.DateTimeFormat(current, { dateStyle: "medium", timeStyle: "short" }).format(milliseconds);
}
