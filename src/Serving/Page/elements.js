// Building the document: from nodes and text only, so that nothing a model or a user writes can become markup.

/** The element with an id. */
export const find = id => document.getElementById(id);

/** A new element with properties (`data` for attributes) and children. */
export function make(name, { attributes = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A button that does something. */
export function button(label, action, properties = {}) {
  const element = make("button", { type: "button", textContent: label, ...properties });
  element.addEventListener("click", action);
  return element;
}

/** Puts text on the clipboard; false where the browser does not allow it. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Saves text as a file of the user. */
export function save(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // some browsers read it after the click has returned
}

/** Says something to screen readers, once. */
export function announce(words) {
  find("status").textContent = words;
}

/** Asks before something is lost; true for yes. */
export function confirmed(question) {
  const dialog = find("question");
  find("question-text").textContent = question;
  return new Promise(resolve => {
    const end = answer => () => {
      dialog.removeEventListener("close", refused);
      dialog.close();
      resolve(answer);
    };
    const refused = end(false);
    find("question-yes").onclick = end(true);
    find("question-no").onclick = refused;
    dialog.addEventListener("close", refused);
    dialog.showModal();
    find("question-no").focus();
  });
}
