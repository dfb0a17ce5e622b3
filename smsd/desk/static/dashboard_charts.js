// The charts: columns of history by uPlot, each with values at the cursor and a table behind it.

const page = document.getElementById("dashboard");
const { number, say, tell, tickOf, timeOf } = await import(page.dataset.format);

const HEIGHT = 210;
const LETTER_WIDTH = 7;
const COLOURS = 6; // --s1 … --s6 of desk.css; lines differ by their dashes too
const DASHES = [[], [7, 4], [2, 3], [12, 4, 2, 4], [5, 2], [2, 6], [16, 4], [4, 4, 1, 4]];
const AGAIN_MS_MIN = 5000;
const AGAIN_MS_MAX = 120000;
const KNOWN_LINES = new Set(["in", "out", "p50", "p95", "p99"]);

const figures = [...page.querySelectorAll("[data-chart]")];
const sync = uPlot.sync("time");
let range = page.dataset.range;
let newest = null;
let waiting = 0;

function colour(name) {
  return getComputedStyle(page).getPropertyValue(name).trim();
}

function nameOf(chart, line) {
  if (chart === "verdicts") return say(`verdict_${line}`);
  if (chart === "refusals") return line === "other" ? say("reason_other") : tell("reason", line);
  if (line === "p50") return say("half");
  return KNOWN_LINES.has(line) ? say(line).replace(/^p(\d+)$/, "$1 %") : line;
}

function hasPoints(lines) {
  return Object.values(lines).some((column) => column.some((value) => value !== null));
}

function powersOfTen(_u, _axis, low, high) {
  const found = [];
  for (let power = Math.round(Math.log10(low)); 10 ** power <= high * 1.01; power += 1) found.push(10 ** power);
  return found;
}

const FROM_ZERO = { range: (_, _low, high) => [0, high > 0 ? high * 1.08 : 1] };
// Durations go from milliseconds to minutes: each power of ten gets as much room.
const DECADES = {
  distr: 3,
  range: (_, low, high) =>
    low > 0 ? [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high * 1.01))] : [0.001, 1],
};

// A chart of one figure: uPlot's, with a legend and a table of our own.
class Chart {
  constructor(figure) {
    this.figure = figure;
    this.chart = figure.dataset.chart;
    this.way = figure.dataset.as;
    this.plot = figure.querySelector(".plot");
    this.time = figure.querySelector(".legend-time");
    this.legend = figure.querySelector(".legend");
    this.details = figure.querySelector("details");
    this.hiddenLines = new Set();
    this.u = null;
    this.shape = "";
    this.details.addEventListener("toggle", () => this.fillTable());
    this.plot.addEventListener("keydown", (event) => this.press(event));
    new ResizeObserver(() => this.fit()).observe(this.plot);
  }

  show(data) {
    const lines = data.charts[this.chart];
    this.at = data.at;
    this.step = data.step_s;
    this.names = Object.keys(lines);
    this.columns = Object.values(lines);
    this.figure.classList.toggle("empty", !hasPoints(lines));
    const shape = `${range}/${this.step}/${this.names.join("/")}`;
    if (this.u === null || this.shape !== shape) this.build(shape);
    else this.u.setData([this.at, ...this.columns]);
    this.readOut(this.u.cursor.idx);
    this.fillTable();
  }

  build(shape) {
    this.shape = shape;
    this.u?.destroy();
    const ink = colour("--soft");
    const grid = { stroke: colour("--line"), width: 1 };
    const font = "12px system-ui, sans-serif";
    this.u = new uPlot(
      {
        width: this.plot.clientWidth || 300,
        height: HEIGHT,
        legend: { show: false },
        cursor: { sync: { key: sync.key }, y: false, drag: { x: false, y: false } },
        scales: { x: { time: true }, y: this.way === "seconds" ? DECADES : FROM_ZERO },
        axes: [
          {
            stroke: ink,
            grid,
            ticks: grid,
            font,
            space: 70,
            size: 36,
            values: (_, splits, _axis, _space, increment) => splits.map((at) => tickOf(at, increment)),
          },
          {
            stroke: ink,
            grid,
            ticks: grid,
            font,
            size: (_, labels) => 16 + LETTER_WIDTH * Math.max(4, ...(labels ?? []).map((each) => each.length)),
            ...(this.way === "seconds" && { splits: powersOfTen, filter: (_, splits) => splits }),
            values: (_, splits) => splits.map((value) => this.tick(value)),
          },
        ],
        series: [{}, ...this.names.map((name, place) => this.line(name, place))],
        hooks: { setCursor: [(u) => this.readOut(u.cursor.idx)] },
      },
      [this.at, ...this.columns],
      this.plot,
    );
    this.buildLegend();
  }

  line(name, place) {
    return {
      label: name,
      show: !this.hiddenLines.has(name),
      stroke: colour(`--s${(place % COLOURS) + 1}`),
      width: 2,
      dash: DASHES[place % DASHES.length],
      points: { show: false },
    };
  }

  tick(value) {
    return this.way === "rate" && value > 0 && value < 1 ? number(value, 2) : tell(this.way, value);
  }

  buildLegend() {
    this.values = [];
    this.legend.replaceChildren(
      ...this.names.map((name, place) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "line";
        button.setAttribute("aria-pressed", String(!this.hiddenLines.has(name)));
        button.append(sample(place), `${nameOf(this.chart, name)} `);
        const value = document.createElement("span");
        value.className = "value number";
        button.append(value);
        this.values.push(value);
        button.addEventListener("click", () => this.toggle(name, place, button));
        const item = document.createElement("li");
        item.append(button);
        return item;
      }),
    );
  }

  toggle(name, place, button) {
    const hide = !this.hiddenLines.delete(name);
    if (hide) this.hiddenLines.add(name);
    button.setAttribute("aria-pressed", String(!hide));
    this.u.setSeries(place + 1, { show: !hide });
  }

  // Without a cursor, the last span that is known.
  readOut(idx) {
    const last = this.at.length - 1;
    let place = idx ?? last;
    if (idx === null || idx === undefined) {
      while (place > 0 && this.columns.every((column) => column[place] === null)) place -= 1;
    }
    this.time.textContent = this.figure.classList.contains("empty")
      ? say("no_history")
      : timeOf(this.at[place], this.step);
    this.values.forEach((element, line) => {
      element.textContent = tell(this.way, this.columns[line][place]);
    });
  }

  press(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    const ends = { Home: 0, End: this.at.length - 1 }[event.key];
    if (steps === undefined && ends === undefined) return;
    event.preventDefault();
    const from = this.u.cursor.idx ?? this.at.length - 1;
    const place = ends ?? Math.min(this.at.length - 1, Math.max(0, from + steps));
    this.u.setCursor({ left: this.u.valToPos(this.at[place], "x"), top: 0 });
  }

  fit() {
    if (this.u !== null && this.plot.clientWidth > 0) {
      this.u.setSize({ width: this.plot.clientWidth, height: HEIGHT });
    }
  }

  // Newest first, and only while somebody looks at it.
  fillTable() {
    if (!this.details.open) return;
    const table = document.createElement("table");
    const caption = table.createCaption();
    caption.className = "unseen";
    caption.textContent = this.figure.querySelector("h3").textContent;
    const head = table.createTHead().insertRow();
    for (const name of [say("time"), ...this.names.map((each) => nameOf(this.chart, each))]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = name;
      head.append(cell);
    }
    const body = table.createTBody();
    for (let place = this.at.length - 1; place >= 0; place -= 1) {
      if (this.columns.every((column) => column[place] === null)) continue;
      const row = body.insertRow();
      const time = document.createElement("th");
      time.scope = "row";
      time.textContent = timeOf(this.at[place], this.step);
      row.append(time);
      for (const column of this.columns) {
        const cell = row.insertCell();
        cell.className = "number";
        cell.textContent = tell(this.way, column[place]);
      }
    }
    this.details.querySelector(".scroll").replaceChildren(table);
  }
}

// A line of a legend as it is drawn: its colour and its dashes.
function sample(place) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  svg.setAttribute("class", `sample s${(place % COLOURS) + 1}`);
  svg.setAttribute("viewBox", "0 0 32 8");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, value] of [["x1", 0], ["x2", 32], ["y1", 4], ["y2", 4]]) line.setAttribute(name, value);
  line.setAttribute("stroke-dasharray", DASHES[place % DASHES.length].join(" "));
  svg.append(line);
  return svg;
}

const charts = figures.map((figure) => new Chart(figure));

async function load() {
  clearTimeout(waiting);
  const wanted = range;
  let again = AGAIN_MS_MAX;
  try {
    const answer = await fetch(`/history.json?range=${wanted}`);
    if (wanted !== range) return;
    if (answer.ok) {
      newest = await answer.json();
      for (const chart of charts) chart.show(newest);
      again = Math.min(AGAIN_MS_MAX, Math.max(AGAIN_MS_MIN, newest.step_s * 1000));
    }
  } catch {
    again = AGAIN_MS_MIN; // No network: the words about it stand on the page already.
  }
  clearTimeout(waiting); // of another that was under way: else there would be two from now on
  waiting = setTimeout(load, again);
}

for (const button of page.querySelectorAll("button[data-range]")) {
  button.addEventListener("click", () => {
    range = button.dataset.range;
    for (const each of page.querySelectorAll("button[data-range]")) {
      each.setAttribute("aria-pressed", String(each === button));
    }
    const address = new URL(location);
    address.searchParams.set("range", range);
    history.replaceState(null, "", address);
    load();
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(waiting);
  else load();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts) chart.shape = "";
  if (newest) for (const chart of charts) chart.show(newest);
});

document.getElementById("charts").hidden = false;
load();
