import { $, PictureField, ask, element, say } from "./common.js";

const first = new PictureField($("#first"), () => {});
const second = new PictureField($("#second"), () => {});

function picture(image, text) {
  const figure = element("figure");
  figure.append(element("img", "", { src: image, alt: text }), element("figcaption", text));
  return figure;
}

function row(found, views) {
  const made = element("tr");
  made.append(element("th", found.model, { scope: "row" }), element("td", found.threshold.cosine.toFixed(2), { "data-label": "Threshold" }));
  for (const view of views) {
    const cell = element("td", `${found.scores[view].toFixed(2)} `, { "data-label": view });
    const verdict = found.matches[view] ? "✓ same person" : "✗ not matched";
    cell.append(element("span", verdict, { class: found.matches[view] ? "match" : "other" }));
    made.append(cell);
  }
  return made;
}

function show(found) {
  const views = Object.keys(found.probes);
  const head = element("tr");
  for (const text of ["Recogniser", "Threshold", ...views]) head.append(element("th", text, { scope: "col" }));
  $("#scores thead").replaceChildren(head);
  $("#scores tbody").replaceChildren(...found.models.map((one) => row(one, views)));
  const probes = views.map((view) => picture(found.probes[view], `second, ${view}`));
  $("#faces").replaceChildren(picture(found.enrolled, "first, raw"), ...probes);
  $("#thresholds").textContent = found.models.map(({ model, threshold }) => {
    const missed = threshold.fnmr === null ? "" : `; misses ${(100 * threshold.fnmr).toFixed(1)} % of pairs of one person`;
    return `${model}: threshold at a false match rate of ${(100 * threshold.fmr).toFixed(1)} % (${threshold.source})${missed}.`;
  }).join(" ");
  $("#result").hidden = false;
}

async function compare(event) {
  event.preventDefault();
  say("comparing …");
  const values = { first: first.name, second: second.name, profile: $("#profile").value, size: first.blob?.size ?? 0 };
  try {
    show(await ask("/api/compare", values, new Blob([first.blob ?? "", second.blob ?? ""])));
    say("compared");
  } catch (error) {
    $("#result").hidden = true;
    say(error.message, true);
  }
}

$("#form").addEventListener("submit", compare);
