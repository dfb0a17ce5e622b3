// How values are told, as smsd/desk/live/telling.py tells them before the page lives.

const page = document.getElementById("dashboard");
const words = JSON.parse(page.dataset.words);
const zone = page.dataset.zone;
const NONE = "–";
const SPACE = "\u00a0";
const ABOUT_PERCENT = 10;

const clock = form({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute = form({ hour: "2-digit", minute: "2-digit" });
const day = form({ year: "numeric", month: "2-digit", day: "2-digit" });

function form(parts) {
  // Swedish writes dates as ISO has them; the digits are the same in all our languages.
  return new Intl.DateTimeFormat("sv-SE", { ...parts, timeZone: zone, hourCycle: "h23" });
}

/** Words with values in them; of those whose name ends in _s or _bytes with their unit. */
export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => named(name, values[name]));
}

function named(name, value) {
  if (name.endsWith("_s")) return lasting(value);
  if (name.endsWith("_bytes")) return bytes(value);
  return typeof value === "number" ? number(value) : String(value);
}

export function number(value, digits = 0) {
  const [whole, rest] = value.toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return rest ? `${grouped}.${rest}` : grouped;
}

function rate(value) {
  return number(value, value > 0 && value < 10 ? 1 : 0);
}

function seconds(value) {
  if (value < 1) {
    const told = value * 1000;
    return number(told, told < 10 ? 1 : 0) + SPACE + words.unit_millisecond;
  }
  return value < 100 ? number(value, 1) + SPACE + words.unit_second : lasting(value);
}

function lasting(value) {
  let rest = Math.max(0, Math.round(value));
  const told = [];
  for (const [size, unit] of [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]]) {
    const count = Math.floor(rest / size);
    rest %= size;
    if (count || (unit === "second" && !told.length)) told.push(count + SPACE + words[`unit_${unit}`]);
    if (told.length === 2 || (told.length && !rest)) break;
  }
  return told.join(" ");
}

function bytes(value) {
  for (const [unit, name] of [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
    if (value >= unit) return number(value / unit, value < 100 * unit ? 1 : 0) + SPACE + name;
  }
  return number(value) + SPACE + "B";
}

function moment(us) {
  const at = new Date(us / 1000);
  return `${day.format(at)} ${minute.format(at)}`;
}

function reason(value) {
  const [kind, name] = value.split("/");
  return kind === "rule" ? name : say(`reason_${name ?? kind}`);
}

function trend({ now, before }) {
  if (!before) return say("share_new");
  const percent = Math.round(((now - before) * 100) / before);
  if (Math.abs(percent) < ABOUT_PERCENT) return say("share_same");
  return say(percent > 0 ? "share_more" : "share_less", { percent: Math.abs(percent) });
}

function change(policy) {
  if (policy.next_us === null) return say("policy_no_next");
  return `${moment(policy.next_us)}, ${say("policy_in", { lasting_s: policy.next_s })}`;
}

function candidate(policy) {
  return policy.candidate === null ? NONE : `${policy.candidate} (${policy.candidate_digest.slice(0, 12)})`;
}

const WAYS = {
  text: String,
  count: (value) => number(value),
  rate,
  seconds,
  lasting,
  bytes,
  clock: (us) => clock.format(new Date(us / 1000)),
  moment,
  digest: (value) => value.slice(0, 12),
  verdict: (value) => say(`verdict_${value}`),
  state: (value) => say(`state_${value}`),
  limit: (value) => (value ? rate(value) : say("no_limit")),
  reason,
  trend,
  change,
  candidate,
  event: (event) => say(`event_${event.kind}`, event.values),
  problem: (problem) => say(`problem_${problem.kind}`, problem.values),
  todo: (problem) => say(`todo_${problem.kind}`, problem.values),
};

/** A value in words; what is not known as a dash. */
export function tell(way, value) {
  return value === null || value === undefined ? NONE : WAYS[way](value);
}

/** The time of a point of a chart whose spans are so long. */
export function timeOf(at, step) {
  const date = new Date(at * 1000);
  if (step < 60) return clock.format(date);
  return step < 300 ? minute.format(date) : `${day.format(date).slice(5)} ${minute.format(date)}`;
}

/** The same, as short as an axis needs it. */
export function tickOf(at, increment) {
  const date = new Date(at * 1000);
  if (increment >= 86400) return day.format(date).slice(5);
  return increment < 60 ? clock.format(date) : minute.format(date);
}
