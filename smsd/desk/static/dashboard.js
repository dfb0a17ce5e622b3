// The living part of the dashboard: takes a snapshot a second, and puts its figures where they go.

const page = document.getElementById("dashboard");
const { say, tell } = await import(page.dataset.format);

const HEADLINES = { ok: "all_well", warn: "works_but", bad: "does_not_work" };
const SPARK_POINTS = 60;
const QUIET_S = 5; // without news; then it is said
const POLL_MS = 3000;
const STREAM_AGAIN_MS = 60000;
const FAILURES_MAX = 3; // of the stream in a row; then it is polled

// What a snapshot holds behind dots; "": the whole of it.
function at(item, path) {
  return path ? path.split(".").reduce((value, name) => value?.[name], item) : item;
}

// Touch the page only where something changed: it is cheaper, and keeps what is selected.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function fill(root, item) {
  for (const element of root.querySelectorAll("[data-figure]")) {
    if (root === page && element.closest("[data-list]")) continue;
    put(element, tell(element.dataset.as, at(item, element.dataset.figure)));
  }
}

function fillList(list, items) {
  const one = document.getElementById(`${list.id}-one`).content.firstElementChild;
  while (list.childElementCount > items.length) list.lastElementChild.remove();
  while (list.childElementCount < items.length) list.append(one.cloneNode(true));
  items.forEach((item, place) => {
    const element = list.children[place];
    const levelOf = element.dataset.levelOf;
    if (levelOf) element.dataset.level = item[levelOf];
    fill(element, item);
  });
  const empty = page.querySelector(`[data-empty="${list.id}"]`);
  if (empty) empty.hidden = items.length > 0;
}

const sparks = [...page.querySelectorAll("[data-spark]")].map((svg) => ({
  svg,
  values: JSON.parse(svg.dataset.values),
}));

function draw({ svg, values }, snapshot) {
  values.push(at(snapshot, svg.dataset.spark) ?? 0);
  if (values.length > SPARK_POINTS) values.shift();
  const highest = Math.max(...values, 1);
  const points = values.map((value, place) => {
    const x = 120 - (values.length - 1 - place) * (120 / (SPARK_POINTS - 1));
    return `${x.toFixed(1)},${(28 - (value / highest) * 26).toFixed(1)}`;
  });
  svg.querySelector("polyline").setAttribute("points", points.join(" "));
}

let newsAt = performance.now();

function show(snapshot) {
  newsAt = performance.now();
  const level = snapshot.problems[0]?.level ?? "ok";
  document.getElementById("health").dataset.level = level;
  put(document.getElementById("headline"), say(HEADLINES[level]));
  fill(page, snapshot);
  for (const list of page.querySelectorAll("[data-list]")) {
    fillList(list, at(snapshot, list.dataset.list));
  }
  for (const spark of sparks) draw(spark, snapshot);
  sayConnection();
}

const pulse = document.getElementById("pulse");
const noNews = document.getElementById("no-news");
let polling = false;

function sayConnection() {
  const quiet = Math.floor((performance.now() - newsAt) / 1000);
  const lost = quiet >= QUIET_S;
  page.classList.toggle("stale", lost);
  pulse.hidden = lost;
  pulse.className = `badge ${polling ? "plain" : "ok"}`;
  put(pulse, say(polling ? "polling" : "live"));
  noNews.hidden = !lost;
  if (!lost) return;
  document.getElementById("health").dataset.level = "bad";
  put(document.getElementById("headline"), say("lost")); // read out once; the seconds are not
  put(noNews, say("no_news", { lasting_s: quiet }));
}

let source = null;
let failures = 0;

function listen() {
  source?.close();
  source = new EventSource("/live");
  source.onmessage = (event) => {
    failures = 0;
    polling = false;
    show(JSON.parse(event.data));
  };
  source.onerror = () => {
    failures += 1;
    // A browser gives up for good where the answer is no stream: a proxy, or too many watch.
    if (source.readyState === EventSource.CLOSED || failures >= FAILURES_MAX) poll();
  };
}

async function poll() {
  if (polling) return;
  source.close();
  polling = true;
  const until = performance.now() + STREAM_AGAIN_MS;
  while (performance.now() < until) {
    await once();
    await new Promise((resume) => setTimeout(resume, POLL_MS));
  }
  polling = false;
  failures = 0;
  listen();
}

async function once() {
  try {
    const answer = await fetch("/live.json", { headers: { Accept: "application/json" } });
    if (answer.status === 401) location.reload(); // signed out meanwhile
    if (answer.ok) show(await answer.json());
  } catch {
    // No network: the words about it stand on the page already.
  }
}

listen();
setInterval(sayConnection, 1000);
// A page in the background is not shown to anybody.
document.addEventListener("visibilitychange", () => {
  if (document.hidden && !polling) source.close();
  else if (!polling) listen();
});
addEventListener("pagehide", () => source.close());
