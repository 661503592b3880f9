// What all tabs share: requests, messages, and fields for pictures.

export const $ = (selector, root = document) => root.querySelector(selector);

/** Write a line for the user (screen readers read it); an error in its own line. */
export function say(text, isError = false) {
  $("#status").textContent = isError ? "" : text;
  $("#error").textContent = isError ? text : "";
  $("#error").hidden = !isError;
}

/** Ask the server; resolves to its JSON, throws an Error with the server's message. */
export async function ask(address, values = {}, body = null) {
  const response = await fetch(`${address}?${new URLSearchParams(values)}`, body === null ? {} : { method: "POST", body });
  const answer = await response.json().catch(() => ({ error: `the server answered ${response.status}` }));
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** A new element with text and attributes. */
export function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Put HTML of the server (a profile's drawing) into an element. */
export function fill(target, html) {
  target.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
}

/** Call `use(file)` for a file that is dropped on an element. */
export function onDrop(target, use) {
  target.addEventListener("dragover", (event) => {
    event.preventDefault();
    target.classList.add("over");
  });
  target.addEventListener("dragleave", () => target.classList.remove("over"));
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("over");
    if (event.dataTransfer.files.length) use(event.dataTransfer.files[0]);
  });
}

/** A field for one picture: a bundled one ({name}) or the user's ({blob}); `changed()` is called after each choice. */
export class PictureField {
  constructor(root, changed) {
    this.select = $("select", root);
    this.input = $("input[type=file]", root);
    this.changed = changed;
    this.number = 0;
    this.blob = null;
    this.select.addEventListener("change", () => this.set(null));
    this.input.addEventListener("change", () => this.input.files.length && this.set(this.input.files[0]));
    onDrop(root, (file) => this.set(file));
  }

  /** Choose the user's picture, or the selected bundled one. */
  set(blob) {
    this.blob = blob;
    this.number += 1;
    if (blob) this.select.value = "";
    if (!(blob instanceof File)) this.input.value = "";
    this.changed();
  }

  get name() {
    return this.blob ? "" : this.select.value;
  }
}
