// What the user has set: kept in the browser, sent with every request.
import { find, make } from "./elements.js";
import { languages, number, text } from "./language.js";

const storage = "settings";
const labels = {
  temperature: "temperature", top_p: "topP", top_k: "topK", min_p: "minP", repetition_penalty: "repetitionPenalty",
  presence_penalty: "presencePenalty", frequency_penalty: "frequencyPenalty", seed: "seed", max_completion_tokens: "maxTokens", stop: "stopTexts",
};

let kept = {};
let memory = null; // where the browser keeps nothing

/** The settings: language, theme, model, system (text), sampling (fields of a request). */
export const settings = () => kept;

/** Reads what was kept; anything that this page did not write is passed over. */
export function load() {
  try {
    const value = JSON.parse(localStorage.getItem(storage) ?? "{}");
    if (value && typeof value === "object" && !Array.isArray(value)) kept = value;
  } catch { kept = memory ?? {}; }
  if (!kept.sampling || typeof kept.sampling !== "object") kept.sampling = {};
  if (typeof kept.system !== "string") kept.system = "";
  if (!Object.hasOwn(languages, kept.language ?? "")) delete kept.language;
}

/** Changes some settings and keeps them. */
export function change(values) {
  kept = { ...kept, ...values };
  if (kept.theme === "light" || kept.theme === "dark") document.documentElement.dataset.theme = kept.theme;
  else delete document.documentElement.dataset.theme;
  memory = kept;
  try { localStorage.setItem(storage, JSON.stringify(kept)); } catch { /* the settings live as long as the page */ }
}

/** The fields of a request that the user has set and that the server takes. */
export function sampling(limits) {
  return Object.fromEntries(limits.filter(limit => kept.sampling[limit.field] !== undefined).map(limit => [limit.field, kept.sampling[limit.field]]));
}

const rangeOf = limit => limit.field === "stop" ? text("stopHint", { count: number(limit.to) })
  : limit.to === null ? text("rangeFrom", { from: number(limit.from) })
  : text("range", { from: number(limit.from), to: number(limit.to) });

function drawField(limit) {
  const id = `sampling-${limit.field}`, several = limit.field === "stop";
  const value = kept.sampling[limit.field];
  const field = make(several ? "textarea" : "input", {
    id, name: limit.field, autocomplete: "off", value: several ? (value ?? []).join("\n") : value ?? "",
    attributes: { "aria-describedby": `${id}-range empty-hint`, ...(several ? { rows: 2 } : { inputmode: limit.from < 0 ? "text" : limit.whole ? "numeric" : "decimal" }) },
  });
  return make("p", {}, make("label", { htmlFor: id, textContent: text(labels[limit.field]) }), field,
    make("small", { id: `${id}-range`, textContent: rangeOf(limit) }));
}

/** The value of a field, undefined where it is empty; null where it is outside the range. */
function valueOf(limit, written) {
  if (limit.field === "stop") {
    const stops = written.split("\n").filter(stop => stop !== "");
    return stops.length === 0 ? undefined : stops.length <= limit.to ? stops : null;
  }
  const words = written.trim().replace(",", ".");
  if (words === "") return undefined;
  const value = Number(words);
  const fits = value >= limit.from && (limit.to === null || value <= limit.to) && (!limit.whole || Number.isSafeInteger(value)) && !(limit.above && value === limit.from);
  return fits ? value : null;
}

/** Shows the settings; `apply` gets what was changed. */
export function showSettings(limits, current, apply) {
  const form = find("settings-form"), problem = find("settings-problem"), dialog = find("settings");
  find("language").replaceChildren(...Object.entries(languages).map(([code, name]) => make("option", { value: code, lang: code, textContent: name })));
  find("language").value = current.language;
  find("theme").value = kept.theme ?? "system";
  find("system").value = current.system;
  find("sampling").replaceChildren(...limits.map(drawField));
  problem.hidden = true;
  find("settings-cancel").onclick = () => dialog.close();
  find("settings-reset").onclick = () => {
    for (const limit of limits) form.elements[limit.field].value = "";
    find("system").value = "";
    form.elements[0].focus();
  };
  form.onsubmit = event => {
    event.preventDefault();
    const values = {};
    for (const limit of limits) {
      const field = form.elements[limit.field], value = valueOf(limit, field.value);
      field.toggleAttribute("aria-invalid", value === null);
      if (value === null) {
        field.setAttribute("aria-invalid", "true");
        problem.textContent = `${text(labels[limit.field])}: ${rangeOf(limit)}`;
        problem.hidden = false;
        field.focus();
        return;
      }
      if (value !== undefined) values[limit.field] = value;
    }
    dialog.close();
    apply({ language: find("language").value, theme: find("theme").value, system: find("system").value, sampling: values });
  };
  dialog.showModal();
}

/** Asks for a key; resolves to it, or to null. */
export function askKey(reason) {
  const dialog = find("key"), field = find("key-text");
  find("key-problem").textContent = reason;
  field.value = "";
  return new Promise(resolve => {
    let given = null;
    find("key-cancel").onclick = () => dialog.close();
    find("key-form").onsubmit = event => {
      event.preventDefault();
      given = field.value.trim() || null;
      dialog.close();
    };
    dialog.addEventListener("close", () => {
      field.value = "";
      resolve(given);
    }, { once: true });
    dialog.showModal();
    field.focus();
  });
}
