// The supervisors' wall: what needs somebody on the left, the calls by risk on the right.
import { $, announce, audioNow, banner, clock, closesOutside, h, keyButton, keys, markedText, setText, toast, toggleDialog, toggleTheme } from "./dom.js";
import { connect } from "./live.js";
import { Announcements } from "./announce.js";
import { Appeals } from "./appeals.js";
import { courseList, fillPill, storyOf, wholeType } from "./kinds.js";
import { Types } from "./types.js";

const LEVELS = { red: 2, amber: 1, calm: 0 };
const SEVERITY = { red_line: 3, urgent: 2, notice: 1 };
const LEAST_CELLS = 32;
const DELAY_TARGET_MS = 4000;
const FRESH_MS = 20_000;

const tiles = new Map();
const items = new Map();
let chosen = null; // id of the chosen escalation: call/escalation
let peeking = null;
const announced = new Set();

const line = connect(`/as/${document.body.dataset.account}/wall/live`, {
  change(model, callId, names) {
    if (names?.length === 1 && names[0] === "figures") return renderFigures(model.figures);
    if (callId === null) {
      renderFigures(model.figures);
      for (const id of tiles.keys()) if (!model.calls.has(id)) drop(id);
      for (const id of model.calls.keys()) renderTile(id);
    } else if (names?.includes("gone")) drop(callId);
    else renderTile(callId);
    order();
    renderEscalations();
    appeals.show(model.calls, line.now());
    if (peeking === callId || (peeking && callId === null)) renderPeek();
  },
  state(state, attempts) {
    const stopped = new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });
    if (state === "open") banner(null);
    else if (state === "deaf") banner(`系统内部的线路断开了，正在恢复。字幕停在 ${stopped}，通话不受影响。`);
    else if (attempts === 1) banner(`连接断开了，正在重新连接。页面停在 ${stopped}。`);
  },
});

const announcements = new Announcements((command) => line.ask(command));
const appeals = new Appeals((command) => line.ask(command));
const types = new Types(order);

function renderFigures(figures) {
  announcements.show(figures.wordings, figures.places);
  const set = (name, text, tone = "") => {
    const box = $("figures").querySelector(`[data-figure=${name}]`);
    setText(box.querySelector("dd"), text);
    box.dataset.tone = tone;
  };
  set("live", String(figures.live ?? "—"));
  set("to_handle", String(figures.to_handle ?? "—"), figures.to_handle ? "near" : "");
  set("phrases", String(figures.phrases ?? "—"), figures.phrases ? "over" : "");
  const { delay } = figures;
  set("delay", delay === null || delay === undefined ? "—" : `${(delay / 1000).toFixed(1)} 秒`, delay > DELAY_TARGET_MS ? "near" : "");
  setText($("per-call"), figures.calls >= 20 ? `每百通 ${((figures.phrases / figures.calls) * 100).toFixed(1)}` : `今日共 ${figures.calls ?? 0} 通`);
}

function renderTile(id) {
  const call = line.model.calls.get(id);
  if (!call.tile) return drop(id); // over, and here for its appeals alone
  let tile = tiles.get(id);
  if (!tile) {
    tile = h("button.tile", { type: "button", "data-call": id, onclick: (event) => {
      if (event.detail) tile.blur();
      peek(id);
    } });
    tiles.set(id, tile);
    $("calls").append(tile);
  }
  tile.className = `tile ${call.end ? "ended" : call.risk.level}`;
  const last = call.recent.at(-1);
  const open = call.partials.at(-1);
  const words = open && (!last || open.at > last.at) ? h("p.words.partial", {}, `${open.text}…`)
    : h(`p.words.${last?.role ?? "none"}`, {}, last ? markedText(last.text, last.marks) : "正在接通…");
  tile.replaceChildren(
    h("div.top", {}, h("b.agent", {}, call.head.agent), h("time", {}, clock(audioNow(call, line.now()))),
      h("span.spring"), kindOf(call)),
    words,
    strip(call.strip),
    h("p.why", { title: call.risk.why }, why(call)));
}

/** The type; for some seconds after a turn with what it was before. */
function kindOf(call) {
  const { trail } = call.type;
  const pill = h("span.pill", { title: trail.length ? trail.map((step, index) => storyOf(step, index === 0)).join("；") : null });
  fillPill(pill, call.type, Boolean(call.end));
  if (hasJustTurned(call)) {
    pill.classList.add("turned");
    pill.prepend(h("span.from", {}, `${trail.at(-2).type} →`));
  }
  return pill;
}

function hasJustTurned(call) {
  return !call.end && call.type.trail.length > 0 && line.now() - call.type.turned < FRESH_MS;
}

function why(call) {
  if (call.end) return `通话已结束 · ${call.end}`;
  if (!call.quiet) return call.risk.why;
  return call.risk.level === "calm" ? "线路没有声音信号" : `${call.risk.why} · 线路没有声音信号`;
}

function strip(cells) {
  const words = { x: "不宜的话或做法", w: "等得太久" };
  const row = h("div.strip", { role: "img", "aria-label": "谁在什么时候说话" });
  row.style.setProperty("--cells", String(Math.max(cells.length, LEAST_CELLS)));
  for (const cell of cells) row.append(h(`i.${cell === "." ? "s" : cell}`, { title: words[cell] ?? null }));
  return row;
}

/** Risk decides; a tile under the pointer keeps its place. */
function order() {
  const box = $("calls");
  $("idle").hidden = tiles.size > 0;
  types.show([...tiles.keys()].map((id) => line.model.calls.get(id)));
  for (const [id, tile] of tiles) tile.hidden = !types.shows(line.model.calls.get(id));
  $("none-such").hidden = !tiles.size || [...tiles.values()].some((tile) => !tile.hidden);
  if (box.matches(":hover") && box.querySelector(".tile:hover")) return;
  const rank = (id) => {
    const call = line.model.calls.get(id);
    return [call.end ? 0 : 1, LEVELS[call.risk.level], call.risk.rank, -call.head.started];
  };
  const wanted = [...tiles.keys()].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    const at = x.findIndex((value, i) => value !== y[i]);
    return at < 0 ? 0 : y[at] - x[at];
  });
  const present = [...box.children].map((tile) => tile.dataset.call);
  if (wanted.join() === present.join()) return;
  const before = new Map([...tiles].map(([id, tile]) => [id, tile.getBoundingClientRect()]));
  box.replaceChildren(...wanted.map((id) => tiles.get(id)));
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const [id, tile] of tiles) {
    const [from, to] = [before.get(id), tile.getBoundingClientRect()];
    if (!from.width || (from.x === to.x && from.y === to.y)) continue;
    tile.animate([{ transform: `translate(${from.x - to.x}px, ${from.y - to.y}px)` }, { transform: "none" }], { duration: 220, easing: "ease-out" });
  }
}

function drop(id) {
  tiles.get(id)?.remove();
  tiles.delete(id);
}

function openEscalations() {
  const all = [...line.model.calls.values()].flatMap((call) => call.escalations ?? []).filter((e) => e.state !== "closed");
  const taken = (e) => (e.state === "raised" ? 0 : 1);
  return all.sort((a, b) => taken(a) - taken(b) || SEVERITY[b.severity] - SEVERITY[a.severity] || a.raised - b.raised);
}

const keyOf = (e) => `${e.call}/${e.id}`;

function renderEscalations() {
  const list = openEscalations();
  const present = new Set(list.map(keyOf));
  if (!present.has(chosen)) chosen = list.length ? keyOf(list[0]) : null;
  for (const [key, { element }] of items) {
    if (!present.has(key)) {
      element.remove();
      items.delete(key);
    }
  }
  const box = $("escalations");
  const reading = box.querySelector(".escalation:hover");
  list.forEach((escalation, index) => {
    const key = keyOf(escalation);
    const text = JSON.stringify(escalation);
    let item = items.get(key);
    if (!item || item.text !== text) {
      const element = escalationItem(escalation);
      item?.element.replaceWith(element);
      item = { element, text };
      items.set(key, item);
    }
    item.element.classList.toggle("chosen", key === chosen);
    if (!item.element.isConnected || (!reading && box.children[index] !== item.element)) {
      box.insertBefore(item.element, box.children[index] ?? null);
    }
    const rise = `${key}.${escalation.rise}`;
    if (escalation.state === "raised" && !announced.has(rise)) {
      announced.add(rise);
      announce(`${escalation.label}：工号 ${escalation.agent}，${escalation.title}`);
    }
  });
  setText($("count"), list.length ? String(list.length) : "");
  const untaken = list.filter((e) => e.state === "raised").length;
  document.title = `${untaken ? `（${untaken}）` : ""}总览 · 伴席`;
  $("nothing").hidden = list.length > 0;
  second();
}

function escalationItem(e) {
  const key = keyOf(e);
  const tone = e.severity === "notice" ? "about_to" : "must_not";
  const states = { acknowledged: `${e.supervisor} 已知悉`, taken_over: `${e.supervisor} 已介入` };
  return h(`article.escalation.${e.state === "raised" ? tone : "taken"}`, { "data-key-of": key, "data-raised": e.raised, "data-state": e.state, onclick: () => pick(key) },
    h("div.top", {}, h("b.agent", {}, e.agent), h("b.title", {}, e.title),
      h("span.count", {}, e.state === "raised" ? "" : states[e.state])),
    e.words.length ? h("p.heard", {}, `${clock(e.at)} 听到 `, e.words.map((w) => h("em", {}, `“${w}”`))) : null,
    h("p.reason", {}, h("b.sev", {}, e.label), e.reason, e.origin ? ` · ${e.origin}` : "", e.rise ? ` · 第 ${e.rise + 1} 次提醒` : ""),
    h("div.actions", {},
      e.state !== "taken_over" ? act(key, "T", "介入", "t", "primary") : null,
      e.state === "raised" ? act(key, "A", "知悉", "a") : null,
      act(key, "D", "处理完毕", "d"),
      act(key, "X", "误报", "x")));
}

function act(key, shown, label, name, kind = "") {
  const button = keyButton(shown, label, undefined, { "aria-keyshortcuts": shown });
  button.classList.add("act", ...(kind ? [kind] : []));
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    if (event.detail) button.blur();
    pick(key);
    handle(name);
  });
  return button;
}

function pick(key) {
  chosen = key;
  for (const [id, { element }] of items) element.classList.toggle("chosen", id === chosen);
  items.get(key)?.element.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const list = openEscalations().map(keyOf);
  if (!list.length) return;
  const at = Math.max(0, Math.min(list.length - 1, list.indexOf(chosen) + step));
  pick(list[at]);
}

const ACTS = { a: ["acknowledge", "已知悉"], t: ["take_over", "已介入，由您处理"], x: ["false", "已记下：误报"], d: ["real", "已处理完毕"] };

async function handle(name) {
  const escalation = openEscalations().find((e) => keyOf(e) === chosen);
  if (!escalation) return toast("现在没有要处置的事。");
  const [act, said] = ACTS[name];
  try {
    await line.ask({ type: "escalation", call: escalation.call, escalation: escalation.id, act });
    toast(`工号 ${escalation.agent}：${said}`);
  } catch (error) {
    toast(error.message);
  }
}

function peek(id) {
  peeking = id;
  renderPeek();
  $("peek").showModal();
}

function renderPeek() {
  const call = line.model.calls.get(peeking);
  if (!call) return $("peek").close();
  $("peek-body").replaceChildren(h("div.sheet", {},
    h("h2", {}, `工号 ${call.head.agent} · ${call.head.number} · ${clock(audioNow(call, line.now()))}`),
    strip(call.strip),
    h("p.why", {}, call.end ? `通话已结束 · ${call.end}` : call.risk.why, call.score === null ? "" : ` · 本通 ${call.score} 分`),
    wholeType(call.type, Boolean(call.end)),
    call.course.length ? courseList(call.course) : null,
    h("ol.recent", {}, call.recent.map((item) => h(`li.${item.role}`, {}, h("time", {}, clock(item.at)), h("span.soft", {}, item.role === "agent" ? "坐席" : "来电"), h("p", {}, markedText(item.text, item.marks)))),
      call.partials.map((item) => h(`li.${item.role}.partial`, {}, h("time", {}, clock(item.at)), h("span.soft", {}, item.role === "agent" ? "坐席" : "来电"), h("p", {}, `${item.text}…`))))));
}

function second() {
  const now = line.now();
  setText($("now"), new Date(now).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false }));
  for (const [id, tile] of tiles) {
    const call = line.model.calls.get(id);
    setText(tile.querySelector("time"), clock(audioNow(call, now)));
    const turned = tile.querySelector(".turned");
    if (turned && !hasJustTurned(call)) turned.replaceWith(kindOf(call));
  }
  appeals.second(now);
  for (const { element } of items.values()) {
    if (element.dataset.state !== "raised") continue;
    setText(element.querySelector(".count"), `${clock(now - Number(element.dataset.raised))} 无人接手`);
  }
}

keys(
  {
    ArrowDown: () => move(1), j: () => move(1), ArrowUp: () => move(-1), k: () => move(-1),
    a: () => handle("a"), t: () => handle("t"), x: () => handle("x"), d: () => handle("d"),
    s: () => appeals.next(), y: () => appeals.decide(true), n: () => appeals.decide(false),
    f: () => types.next(),
    w: () => announcements.open(),
    Escape: () => types.choose(null),
    Enter: () => chosen && peek(chosen.split("/")[0]),
    l: toggleTheme,
    "?": () => toggleDialog($("help")),
  },
  {
    Enter: () => $("peek").close(),
    w: () => $("announce").close(),
    n: () => announcements.isOpen && announcements.write(),
    "?": () => $("help").close(),
    l: toggleTheme,
  },
);
$("peek").addEventListener("close", () => (peeking = null));
closesOutside($("peek"), $("announce"), $("help"));
setInterval(second, 500);
