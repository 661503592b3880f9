import { $, PictureField, ask, element, fill, onDrop, say } from "./common.js";

const SVG = "http://www.w3.org/2000/svg";
const SIDES = ["left", "right"];
const MIN_SCALE = 1 / 32;
const NOISE = [1e-4, 2.4e-2]; // shot noise: bright to twice that of night (Brooks et al., CVPR 2019)
const KEPT = 24; // views that are kept in memory
const stage = $("#stage");
const kept = new Map();
let possible = ["raw", "captured"];
let density = null; // px/m at the face of the whole picture
let busy = false;
let again = false;

const field = new PictureField($("#picture"), () => {
  density = null;
  refresh();
});

/** The sliders as numbers for the server. */
function settings() {
  const noise = Number($("#noise").value) / 100;
  return {
    profile: $("#profile").value,
    scale: MIN_SCALE ** (1 - Number($("#density").value) / 100),
    noise: noise ? NOISE[0] * (NOISE[1] / NOISE[0]) ** noise : 0,
  };
}

function showSettings() {
  const { scale, noise } = settings();
  const perMetre = density ? `${Math.round(density * scale)} px/m at the face` : `${(100 * scale).toFixed(0)} %`;
  const light = ["none: finished picture", "bright", "indoors", "dim", "night"];
  const place = noise ? 1 + Math.min(3, Math.floor(Number($("#noise").value) / 25.01)) : 0;
  $("#density-text").textContent = perMetre;
  $("#noise-text").textContent = noise ? `${light[place]} (shot ${noise.toExponential(1)})` : light[0];
  for (const id of ["density", "noise"]) $(`#${id}`).setAttribute("aria-valuetext", $(`#${id}-text`).textContent);
}

/** One view from the server, or from memory. */
async function load(view) {
  const values = { view, ...settings(), picture: field.name };
  const key = JSON.stringify([values, field.number]);
  if (!kept.has(key)) {
    const made = await ask("/api/view", values, field.blob ?? "");
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value);
    kept.set(key, made);
  }
  return kept.get(key);
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Draw one view and its persons. */
function draw(side, view, { image, width, height, boxes }) {
  const layer = $(`#${side}-layer`);
  const svg = $("svg", layer);
  stage.style.setProperty("--ratio", width / height);
  const size = width / stage.clientWidth; // of one pixel of the screen
  $("img", layer).src = image;
  $("img", layer).alt = `${view} picture, ${boxes.length} persons found`;
  $("img", layer).classList.toggle("coarse", size < 0.5);
  $(`#${side}-tag`).textContent = view;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  for (const [x0, y0, x1, y1, score] of boxes) {
    const place = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
    svg.append(shape("rect", { ...place, class: "under" }), shape("rect", { ...place, class: "over" }));
    const text = shape("text", { x: x0 + 6 * size, y: y0 + 18 * size, "font-size": 14 * size });
    text.textContent = `person ${score.toFixed(2)}`;
    svg.append(text);
  }
}

function describe(views) {
  const parts = views.map(([view, { boxes }]) => {
    const scores = boxes.map((box) => box[4].toFixed(2)).join(", ");
    return `${view}: ${boxes.length ? `${boxes.length} found (score ${scores})` : "none found"}`;
  });
  $("#persons").textContent = `Persons. ${parts.join("; ")}.`;
}

async function findFace() {
  const number = field.number;
  const found = await ask("/api/face", { picture: field.name }, field.blob ?? "");
  if (number === field.number) density = found ? found.density : 0;
  showSettings();
}

/** Draw both views anew; while that runs, further calls are joined into one. */
async function refresh() {
  showSettings();
  again = true;
  if (busy) return;
  busy = true;
  while (again) {
    again = false;
    try {
      await update();
    } catch (error) {
      say(error.message, true);
    }
  }
  busy = false;
}

async function update() {
  const slow = setTimeout(() => say("computing … (the first inversion by a profile takes up to a minute)"), 500);
  try {
    const views = [];
    for (const side of SIDES) {
      const view = $(`#${side}`).value;
      views.push([view, await load(view)]);
      draw(side, ...views.at(-1));
    }
    describe(views);
    if (density === null && !again) await findFace();
    say("");
    stage.dataset.drawn = String(Number(stage.dataset.drawn ?? 0) + 1);
  } finally {
    clearTimeout(slow);
  }
}

/** Show the profile, and offer the views that it allows. */
async function showProfile() {
  try {
    const found = await ask("/api/profile", { profile: $("#profile").value });
    possible = found.views;
    fill($("#drawing"), found.html);
    for (const side of SIDES) {
      for (const option of $(`#${side}`).options) option.disabled = !possible.includes(option.value);
      if (!possible.includes($(`#${side}`).value)) $(`#${side}`).value = "captured";
    }
  } catch (error) {
    say(error.message, true);
  }
}

function moveDivider() {
  stage.style.setProperty("--split", `${$("#divider").value}%`);
  $("#divider").setAttribute("aria-valuetext", `${$("#divider").value} % ${$("#left").value}`);
}

const webcam = { stream: null, video: element("video", "", { playsinline: "", muted: "" }) };

async function startWebcam() {
  if (!navigator.mediaDevices) throw new Error("browsers give the webcam only to pages on this machine or behind HTTPS");
  const video = { width: { ideal: 640 }, height: { ideal: 480 } };
  webcam.stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  webcam.video.srcObject = webcam.stream;
  await webcam.video.play();
  takeFrame();
}

function stopWebcam() {
  webcam.stream?.getTracks().forEach((track) => track.stop());
  webcam.stream = null;
}

/** Send the newest frame, as soon as the one before is drawn. */
async function takeFrame() {
  const canvas = document.createElement("canvas");
  while (webcam.stream) {
    [canvas.width, canvas.height] = [webcam.video.videoWidth, webcam.video.videoHeight];
    canvas.getContext("2d").drawImage(webcam.video, 0, 0);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
    density ??= 0;
    field.blob = blob;
    field.number += 1;
    field.select.value = "";
    await refresh();
    await new Promise(requestAnimationFrame);
  }
  density = null;
  await refresh();
}

async function toggleWebcam() {
  const button = $("#webcam");
  try {
    await (webcam.stream ? stopWebcam() : startWebcam());
  } catch (error) {
    stopWebcam();
    say(`webcam: ${error.message}`, true);
  }
  button.setAttribute("aria-pressed", String(webcam.stream !== null));
  button.textContent = webcam.stream ? "Stop, keep this picture" : "Start the webcam";
}

for (const id of ["left", "right", "density", "noise"]) $(`#${id}`).addEventListener("input", refresh);
for (const name of ["change", "input"]) $("#divider").addEventListener(name, moveDivider);
$("#picture").addEventListener("change", stopWebcam);
$("#webcam").addEventListener("click", toggleWebcam);
$("#profile").addEventListener("change", () => showProfile().then(refresh));
onDrop(stage, (file) => field.set(file));
moveDivider();
refresh();
showProfile();
