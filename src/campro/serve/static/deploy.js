import { $, ask, element, onDrop, say } from "./common.js";

let base = null;

function showLimits() {
  for (const list of document.querySelectorAll(".limits")) list.hidden = list.dataset.camera !== $("#target").value;
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function show(found) {
  $("#summary").textContent = found.summary;
  $("#missed").hidden = found.misses.length === 0;
  $("#missed").textContent = `NOT PROTECTED: ${found.misses.join("; ")}. Do not use these files without an audit of realised.json.`;
  $("#lines").replaceChildren(...found.lines.map((line) => element("li", line)));
  $("#files").replaceChildren(...found.files.map(({ name, bytes }) => element("li", `${name}, ${bytes} bytes`)));
  $("#page").textContent = found.page;
  URL.revokeObjectURL($("#download").href);
  $("#download").href = URL.createObjectURL(new Blob([bytesOf(found.zip)], { type: "application/zip" }));
  $("#download").download = `campro-${$("#profile").value}-${$("#target").value}.zip`;
  $("#result").hidden = false;
}

async function write(event) {
  event.preventDefault();
  say("writing …");
  const [target, profile] = [$("#target").value, $("#profile").value];
  const flags = { fit: $("#fit").checked ? 1 : 0, fixed: $("#fixed").checked ? 1 : 0 };
  try {
    show(await ask("/api/deployment", { target, profile, name: base?.name ?? "", ...flags }, base ?? ""));
    say("written, in memory: download the archive");
  } catch (error) {
    $("#result").hidden = true;
    say(error.message, true);
  }
}

$("#form").addEventListener("submit", write);
$("#target").addEventListener("change", showLimits);
$("#base").addEventListener("change", () => { base = $("#base").files[0] ?? null; });
onDrop($("#drop"), (file) => {
  const list = new DataTransfer();
  list.items.add(file);
  $("#base").files = list.files;
  base = file;
});
showLimits();
