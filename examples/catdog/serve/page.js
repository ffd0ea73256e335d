// The page of `catdog serve`. It sends each photograph to POST v1/predict in a request of its own, a few at a time; the
// server classifies them in batches. Nothing is loaded from elsewhere.

const AT_ONCE = 4;
const TRIES = 8; // while the server is busy
const LONGEST_NAME = 80; // longer ones are shortened
const LONGEST_SIDE = 2048; // of a photograph that had to be converted here

const element = (id) => document.getElementById(id);
const list = element("list");
const drop = element("drop");
const waiting = [];
let running = 0;
let model = null;

const percent = (confidence) => {
  const value = 100 * confidence;
  return `${value > 99.9 && value < 100 ? "> 99.9" : value.toFixed(1)} %`;
};

// A name for plain text: without the characters that change the direction of what follows.
const plain = (name) => name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

// A name of any script and length, isolated so that the text beside it stays in place.
function named(name) {
  const part = document.createElement("bdi");
  const letters = [...name];
  const long = letters.length > LONGEST_NAME;
  part.textContent = long ? `${letters.slice(0, LONGEST_NAME - 1).join("")}…` : name;
  if (long) part.title = plain(name);
  return part;
}

const megabytes = (limits) => Math.floor(limits.request_bytes / 1048576);

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

async function loadModel() {
  const response = await fetch("v1/model");
  model = await response.json();
  const { classes, limits } = model;
  if (classes.length === 2) element("question").replaceChildren(named(classes[0]), " or ", named(classes[1]), "?");
  document.title = `${plain(element("question").textContent)} – catdog`;
  element("most").textContent = `, up to ${megabytes(limits)} MB each`;
  const some = classes.slice(0, 8).flatMap((name, i) => [i ? ", " : "", named(name)]);
  element("model").replaceChildren(named(model.name), ": ", ...some, `${classes.length > 8 ? ", …" : ""}. libcnn ${model.version}.`);
}

// Files that the library reads are sent as they are. The browser converts others to JPEG, if it can.
async function prepare(file) {
  const large = model && file.size > model.limits.request_bytes;
  if (!large && (file.type === "image/jpeg" || file.type === "image/png" || !file.type.startsWith("image/"))) return file;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return file; // the server says why it can't be read
  }
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return await new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? file), "image/jpeg", 0.92));
}

async function ask(file) {
  if (!file.size) return { error: "the file is empty" };
  const body = await prepare(file);
  if (model && body.size > model.limits.request_bytes) {
    return { error: `larger than this server's limit of ${megabytes(model.limits)} MB` };
  }
  for (let tries = 1; ; tries++) {
    let response, answer;
    try {
      response = await fetch("v1/predict?heat_map=1", {
        method: "POST", body, headers: { "Content-Type": body.type.startsWith("image/") ? body.type : "application/octet-stream" },
      });
      answer = await response.json();
    } catch {
      return { error: "the server can't be reached", again: true };
    }
    if (response.status === 503 && tries < TRIES) {
      await pause(Number(response.headers.get("Retry-After")) || 1);
      continue;
    }
    return answer.predictions?.[0] ?? { error: answer.error, again: response.status >= 500 };
  }
}

// The part of the photograph that the net sees, in the photograph's pixels: see cnn_fit.
function seenPart(width, height) {
  const { input } = model;
  if (input.fit === "stretch") return [0, 0, width, height];
  const scales = [width / input.width, height / input.height];
  const scale = input.fit === "crop" ? Math.min(...scales) : Math.max(...scales);
  const [w, h] = [input.width * scale, input.height * scale];
  return [(width - w) / 2, (height - h) / 2, w, h];
}

// Warm colours mark the evidence for the predicted class.
function paint(canvas, map, width, height) {
  const small = document.createElement("canvas");
  small.width = map[0].length;
  small.height = map.length;
  const context = small.getContext("2d");
  const pixels = context.createImageData(small.width, small.height);
  map.flat().forEach((value, i) => pixels.data.set([255, 215 - 190 * value, 30, 165 * value], 4 * i));
  context.putImageData(pixels, 0, 0);
  const scale = 400 / Math.max(width, height);
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const large = canvas.getContext("2d");
  large.imageSmoothingQuality = "high";
  large.drawImage(small, ...seenPart(canvas.width, canvas.height));
}

function showPrediction(card, { label, confidence, candidates }) {
  card.querySelector(".label").replaceChildren(named(label), confidence < 0.75 ? ", perhaps" : "");
  card.querySelector(".share").textContent = percent(confidence);
  card.querySelector(".track").hidden = false;
  card.querySelector(".fill").style.width = `${100 * confidence}%`;
  const others = candidates.filter((other) => other.label !== label && other.confidence >= 0.005);
  const words = others.slice(0, 3).flatMap((other, i) => [i ? ", " : "or ", named(other.label), ` ${percent(other.confidence)}`]);
  card.querySelector(".others").replaceChildren(...words);
}

async function showMap(card, map) {
  const photo = card.querySelector("img");
  await photo.decode().catch(() => {});
  if (!photo.naturalWidth) return;
  paint(card.querySelector("canvas"), map, photo.naturalWidth, photo.naturalHeight);
  element("show-maps-label").hidden = false;
}

function showAnswer(card, file, answer) {
  card.classList.remove("waits");
  card.classList.toggle("failed", Boolean(answer.error));
  card.querySelector(".again").hidden = !answer.again;
  if (answer.error) {
    card.querySelector(".label").textContent = `Not classified: ${answer.error}.`;
  } else {
    showPrediction(card, answer);
    card.querySelector("img").alt = plain(`${file.name}: ${answer.label}`);
    if (answer.heat_map) showMap(card, answer.heat_map);
  }
  const heard = answer.error ? `not classified: ${answer.error}` : `${answer.label}, ${percent(answer.confidence)}`;
  const left = running - 1 + waiting.length;
  element("news").textContent = plain(`${file.name}: ${heard}.`) + (left ? ` ${left} more to come.` : "");
}

async function work() {
  running++;
  while (waiting.length) {
    const { card, file } = waiting.shift();
    const answer = await ask(file);
    if (answer.error) answer.error = answer.error.replace(/^is /, "it is ");
    if (card.isConnected) showAnswer(card, file, answer);
  }
  running--;
}

function enqueue(card, file) {
  waiting.push({ card, file });
  if (running < AT_ONCE) work();
}

function addCard(file) {
  const card = element("card").content.firstElementChild.cloneNode(true);
  const photo = card.querySelector("img");
  photo.addEventListener("error", () => card.querySelector(".photo").classList.add("broken"));
  photo.alt = plain(file.name);
  photo.src = URL.createObjectURL(file);
  card.querySelector(".name").replaceChildren(named(file.name));
  card.querySelector(".name").title = plain(file.name);
  card.classList.add("waits");
  card.querySelector(".again").addEventListener("click", () => {
    card.classList.replace("failed", "waits");
    card.querySelector(".again").hidden = true;
    card.querySelector(".label").textContent = "Classifying …";
    enqueue(card, file);
  });
  list.prepend(card);
  return card;
}

function take(files) {
  const photographs = [...files];
  if (!photographs.length) return;
  element("answers").hidden = false;
  drop.classList.add("small");
  const word = photographs.length === 1 ? "photograph" : "photographs";
  element("news").textContent = `Classifying ${photographs.length} ${word}.`;
  for (const file of photographs.reverse()) enqueue(addCard(file), file);
}

function clear() {
  waiting.length = 0;
  for (const photo of list.querySelectorAll("img")) URL.revokeObjectURL(photo.src);
  list.replaceChildren();
  element("answers").hidden = true;
  drop.classList.remove("small");
  element("show-maps-label").hidden = true;
  element("news").textContent = "Cleared.";
  element("choose").focus();
}

for (const id of ["choose", "take"]) {
  element(id).addEventListener("change", ({ target }) => {
    take(target.files);
    target.value = ""; // so that the same file may be chosen again
  });
}
element("clear").addEventListener("click", clear);
element("show-maps").addEventListener("change", ({ target }) => list.classList.toggle("maps", target.checked));
list.classList.toggle("maps", element("show-maps").checked);

addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (event) => event.relatedTarget ?? drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});
addEventListener("paste", (event) => take(event.clipboardData.files));

loadModel().catch(() => {
  element("news").textContent = "The server can't be reached.";
});
