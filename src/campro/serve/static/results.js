import { $, ask, element, say } from "./common.js";

const form = $("#range");
let busy = false;
let again = false;

function headRow(texts) {
  const made = element("tr");
  made.append(...texts.map((text) => element("th", text, { scope: "col" })));
  return made;
}

function row([label, ...values], header) {
  const made = element("tr");
  made.append(element("th", label, { scope: "row" }));
  made.append(...values.map((text, place) => element("td", text, { "data-label": header[place + 1] })));
  return made;
}

function show(found) {
  $("#sentence").textContent = found.sentence;
  $("#distances thead").replaceChildren(headRow(found.header));
  $("#distances tbody").replaceChildren(...found.rows.map((texts) => row(texts, found.header)));
  $("#figure").src = found.figure ?? "";
  $("#figure").alt = "Share of people identified and detected over the distance";
  $("#distance").hidden = false;
}

/** Compute for the camera of the form; while that runs, further changes are joined into one. */
async function compute() {
  again = true;
  if (busy) return;
  busy = true;
  while (again) {
    again = false;
    const values = { width: form.width.value, sensor_width: form.sensor_width.value, lens: form.lens.value };
    try {
      const place = form.run.value === "." ? "" : form.run.value.split("/").map(encodeURIComponent).join("/");
      show(await ask(`/range/${place}`, values));
      say("");
    } catch (error) {
      $("#distance").hidden = true;
      say(error.message, true);
    }
  }
  busy = false;
}

function takeSensor() {
  const { width, millimetres } = form.sensor.selectedOptions[0].dataset;
  form.width.value = width;
  form.sensor_width.value = millimetres;
}

if (form) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.sensor.addEventListener("input", takeSensor);
  form.addEventListener("input", compute);
  takeSensor();
}
