// The agent's page: one call, its words, at most three cards, the ring.
import { Cards } from "./cards.js";
import { Details, noted } from "./details.js";
import { $, audioNow, banner, clock, closesOutside, copy, h, keyButton, keys, setText, toast, toggleDialog, toggleTheme } from "./dom.js";
import { Gap } from "./gap.js";
import { Kind } from "./kind.js";
import { shortTrail, unknown } from "./kinds.js";
import { connect } from "./live.js";
import { Search } from "./search.js";
import { Shift, titleOf } from "./shift.js";
import { Transcript } from "./transcript.js";
import { Wordings } from "./wordings.js";

const LIMIT_S = 30, TURN_S = 25, SILENCE_ALARM_S = 8, SILENCE_REMIND_S = 5, WRAP_UP_S = 30;
const SLOW_MS = 4000;

const body = document.body;
let current = null; // id of the call on the page
let ticks = "";
let base; // how often the knowledge base changed

const line = connect(`/as/${body.dataset.account}/desk/live`, {
  change(model, callId, names) {
    if (callId === null) endedCalls(model.figures.ended ?? [], names === null);
    if (callId === null) wordings.show(model.figures.wordings, model.figures.places, line.now());
    if (callId === null) renderKnowledge(model.figures.knowledge ?? "");
    if (callId === null && (names === null || model.figures.base !== base)) search.again();
    base = model.figures.base;
    if (names?.includes("figures")) return;
    if (callId === null || names === null || names.includes("gone")) choose(model);
    if (callId === current || callId === null) render(names && !names.includes("gone") ? names : null);
    else renderOther();
  },
  state(state, attempts) {
    body.dataset.line = state;
    const stopped = new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });
    if (state === "open") banner(null);
    else if (state === "deaf") banner(`系统内部的线路断开了，正在恢复。字幕停在 ${stopped}，通话不受影响。`);
    else if (attempts === 1) banner(`连接断开了，正在重新连接。页面停在 ${stopped}，通话不受影响。`);
  },
});
const transcript = new Transcript();
const cards = new Cards(toTheCall);
const kind = new Kind(openDetails);
const gap = new Gap((command) => line.ask(command));
const search = new Search((command) => line.ask(command), (words) => gap.open(liveCall(), words));
const wordings = new Wordings((command) => line.ask(command));
const details = new Details((command) => line.ask(command));
const shift = new Shift(openEnded, (row) => toast(`${titleOf(row)}：申诉有结果`));

function calls() {
  return [...line.model.calls].sort(([, a], [, b]) => b.head.started - a.head.started);
}

/** The newest call, unless somebody chose another that still goes on. */
function choose(model) {
  const ids = calls().map(([id]) => id);
  const newcomer = ids.find((id) => !seen.has(id));
  ids.forEach((id) => seen.add(id));
  const next = newcomer ?? (model.calls.has(current) ? current : ids[0]) ?? null;
  if (next !== current) switchTo(next);
}
const seen = new Set();

function switchTo(id) {
  current = id;
  const call = line.model.calls.get(id);
  if (call && !call.end) toTheCall();
  transcript.clear();
  cards.clear();
  kind.clear();
  render(null);
}

function render(names) {
  const call = line.model.calls.get(current);
  const any = (...wanted) => !names || wanted.some((name) => names.includes(name));
  const state = !call ? "waiting" : call.end ? "ended" : "live";
  body.dataset.state = state;
  document.title = `${state === "live" ? "通话中" : state === "ended" ? "小结" : "待机"} · 坐席 ${body.dataset.agent} · 伴席`;
  $("idle").hidden = state !== "waiting";
  if (any("wordings", "head", "end")) wordings.of(call);
  renderOther();
  if (!call) {
    for (const id of ["timer", "number", "region", "earlier", "delay"]) setText($(id), "");
    setText($("state"), "待机");
    kind.hush();
    setText($("score"), "详情");
    $("ticks").replaceChildren();
    $("summary").hidden = true;
    if (details.isOpen && !details.earlier) $("details").close();
    return second();
  }
  if (any("head")) {
    setText($("number"), call.head.number);
    setText($("region"), call.head.region ?? "");
    setText($("earlier"), call.head.earlier ? `近 7 日第 ${call.head.earlier + 1} 次来电` : "");
  }
  if (any("type", "end")) kind.show(call.type, Boolean(call.end));
  if (any("end", "quiet")) setText($("state"), call.end ? "通话已结束 · 小结" : call.quiet ? "线路没有声音信号" : "");
  body.classList.toggle("quiet", call.quiet && !call.end);
  if (any("lines")) transcript.finals(call.lines);
  if (any("partials", "speaking", "end", "lines")) transcript.partials(call.end ? [] : call.partials, call.end ? [] : call.speaking, audioNow(call, line.now()));
  if (any("cards", "gone", "advice", "end")) cards.show(call.cards, call.advice, call.gone);
  if (any("ticks", "end")) renderTicks(call);
  if (any("score")) setText($("score"), call.score.score === null ? "详情" : `本通 ${call.score.score} 分`);
  if (any("end", "warnings", "score", "used", "type", "ticks")) renderSummary(call);
  if (details.isOpen && !details.earlier) details.show(current, call);
  second();
}

function renderTicks(call) {
  const text = JSON.stringify([call.ticks, Boolean(call.end)]);
  if (text === ticks) return;
  ticks = text;
  // One at a time asks to be said: of those that are due the latest, of equals the first.
  const now = call.ticks.filter((tick) => tick.state === "due").sort((a, b) => b.at - a.at)[0];
  $("ticks").replaceChildren(...call.ticks.map((tick) => {
    const state = tick.state !== "due" || tick === now ? tick.state : "open";
    const shown = call.end && tick.state === "due" ? "missed" : state;
    return h(`li.${shown}`, {}, h("i", { "aria-hidden": "true" }), h("span.heard-only", {}, { said: "已说", due: "该说了", open: "还没有说", missed: "没有说" }[shown]), tick.name);
  }));
}

function renderOther() {
  const others = calls().filter(([id, call]) => id !== current && !call.end);
  const button = $("other");
  button.hidden = !others.length;
  if (others.length) button.replaceChildren(h("kbd", {}, "B"), `另一通 ${others[0][1].head.number}`);
}

function renderSummary(call) {
  const box = $("summary");
  box.hidden = !call.end;
  if (!call.end) return;
  const missed = call.ticks.filter((tick) => tick.state !== "said").map((tick) => tick.name);
  const alarms = call.warnings.filter((w) => w.verdict !== "wrong");
  const lost = call.score.deductions.filter((item) => item.state !== "returned");
  box.replaceChildren(
    h("section.panel.sum", {},
      h("h2", {}, "本通小结"),
      h("dl.facts", {},
        fact("时长", clock(call.end.at)), fact("结束", call.end.by),
        fact("来电类型", call.type.trail.length ? shortTrail(call.type.trail, 5) : call.type.type ?? unknown(true)),
        fact("受理类别", call.type.intake ?? "未能判定"),
        fact("本通得分", call.score.score === null ? "—" : `${call.score.score} 分`)),
      alarms.length
        ? [h("h3", {}, `提醒 ${alarms.length} 条`), h("ul.noted", {}, alarms.map(noted))]
        : h("p.calm", {}, h("i", { "aria-hidden": "true" }), "这通电话没有提醒，辛苦了。"),
      lost.length ? [h("h3", {}, `扣分 ${lost.length} 项`), h("ul.noted", {}, lost.map((item) => h("li", {}, h("time", {}, `−${item.points}`), h("span", {}, item.name)))),
        keyButton("S", "看依据、申诉", "s")] : null,
      missed.length ? [h("h3", {}, "没有说到的"), h("p", {}, missed.join("、"))] : null,
      call.used.length ? [h("h3", {}, "采用的答案"), h("ul.noted", {}, call.used.map((title) => h("li", {}, h("span", {}, title))))] : null));
}

function fact(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

/** What time alone changes. */
function second() {
  const call = line.model.calls.get(current);
  const now = line.now();
  const audio = audioNow(call, now);
  setText($("timer"), call ? clock(audio) : "");
  if (call && !call.end) cards.tick(audio);
  wordings.second(now);
  if (call) {
    kind.second(now);
    transcript.keep();
  }
  renderDelay(call, audio);
  renderWait(call, audio, now);
}

function renderDelay(call, audio) {
  const element = $("delay");
  if (!call || call.end) return setText(element, "");
  const { last, awaiting } = call.delay;
  const pending = awaiting === null ? 0 : audio - awaiting;
  const delay = Math.max(last ?? 0, pending);
  element.classList.toggle("slow", delay > SLOW_MS);
  if (body.dataset.line !== "open") setText(element, "字幕已停");
  else if (last === null && pending < 1500) setText(element, "");
  else setText(element, `字幕延迟 ${(delay / 1000).toFixed(1)} 秒${delay > SLOW_MS ? " · 较慢" : ""}`);
}

function renderWait(call, audio, now) {
  const box = $("wait");
  let state = null;
  if (call?.end) {
    const rest = (now - call.end.wall) / 1000;
    if (rest < WRAP_UP_S) state = ["wrap", rest, WRAP_UP_S, "话后整理", "30 秒内示闲"];
  } else if (call?.wait?.kind === "silence") {
    const silent = (audio - call.wait.start) / 1000;
    const tone = silent >= SILENCE_ALARM_S ? "over" : silent >= SILENCE_REMIND_S ? "near" : "calm";
    state = [tone, silent, SILENCE_ALARM_S, "双方都没有说话", tone === "over" ? "请先说一句" : "需要时请先说明，再让对方等"];
  } else if (call?.wait) {
    const waited = (audio - call.wait.start) / 1000;
    const tone = waited >= LIMIT_S ? "over" : waited >= TURN_S ? "near" : "calm";
    const note = tone === "over" ? "已超过 30 秒，请先回应一声" : tone === "near" ? "请先说一声，还在为您查" : "已请对方稍等 · 25 秒提醒，30 秒告警";
    state = [tone, waited, LIMIT_S, "对方在等待", note];
  }
  box.hidden = !state;
  if (!state) return;
  const [tone, seconds, limit, title, note] = state;
  box.dataset.tone = tone;
  setText($("seconds"), String(Math.max(0, Math.floor(seconds))));
  const share = Math.min(100, (seconds / limit) * 100);
  $("arc").style.strokeDashoffset = String(100 - share);
  $("arc").style.opacity = share < 1 ? "0" : "1";
  setText($("wait-title"), title);
  setText($("wait-note"), note);
}

async function feedback(slot, verdict, said) {
  const card = cards.get(slot);
  if (!card || !current) return;
  if (slot === "moment" && cards.recalled) return cards.recall(false);
  try {
    await line.ask({ type: "feedback", call: current, target: card.target, target_id: card.id, verdict });
    toast(said);
  } catch (error) {
    toast(error.message);
  }
}

/** The live call is in command: nothing of an earlier one stays in front of it. What was being
 * written is still there when the panel is opened again. */
function toTheCall() {
  for (const id of ["details", "shift"]) if ($(id).open) $(id).close();
}

function endedCalls(rows, all) {
  const changed = shift.show(rows);
  if (details.isOpen && details.earlier && (all || changed.includes(details.call))) bringUpToDate(details.call);
}

async function bringUpToDate(call) {
  const found = await line.ask({ type: "details", call }).catch(() => null);
  if (found && details.isOpen && details.earlier && details.call === call) details.show(call, found);
}

async function openEnded({ call }) {
  try {
    const found = await line.ask({ type: "details", call });
    if (!shift.isOpen) return; // called away meanwhile
    shift.toggle();
    details.open(call, found, true);
  } catch (error) {
    toast(error.message);
  }
}

function liveCall() {
  return current && !line.model.calls.get(current)?.end ? current : null;
}

/** What the caller said last that is long enough to be a question. */
function lastQuestion() {
  const lines = [...(line.model.calls.get(current)?.lines.values() ?? [])].filter((item) => item.role === "caller");
  return lines.sort((a, b) => b.at - a.at).find((item) => item.text.length > 5)?.text ?? "";
}

function alternative(index) {
  const question = cards.get("answer")?.alternatives[index];
  if (question) search.open(liveCall(), question);
}

/** A quiet line: what the knowledge base cannot do at the moment. */
function renderKnowledge(sentence) {
  const element = $("knowledge");
  element.hidden = !sentence;
  setText(element, sentence);
}

function openDetails() {
  const call = line.model.calls.get(current);
  if (!call) return toast("现在没有通话。");
  details.open(current, call);
}

function otherCall() {
  const others = calls().filter(([id, call]) => id !== current && !call.end);
  if (others.length) switchTo(others[others.length - 1][0]);
}

function fromDetailsToList() {
  if (details.isOpen) $("details").close();
  if (!document.querySelector("dialog[open]") || shift.isOpen) shift.toggle();
}

keys(
  {
    " ": () => feedback("wrong", "dismissed", "已收起"),
    r: () => feedback("wrong", "wrong", "已记下：这条是误报"),
    1: () => feedback("answer", "useful", "已记下：采用"),
    2: () => feedback("answer", "wrong", "已记下：这条不对"),
    3: () => feedback("moment", "dismissed", "已收起"),
    4: () => (cards.get("answer") ? feedback("answer", "outdated", "已记下：这条过时了") : undefined),
    5: () => alternative(0),
    6: () => alternative(1),
    c: async () => {
      const card = cards.get("answer") ?? cards.get("wrong") ?? cards.get("moment");
      if (!card?.body) return;
      await copy(card.body);
      toast("已复制");
    },
    "/": () => search.open(liveCall()),
    s: openDetails,
    a: () => (body.dataset.state === "live" && cards.recall()) || toast("现在没有别的处理建议。"),
    h: () => shift.toggle(),
    b: otherCall,
    g: () => gap.open(liveCall(), lastQuestion()),
    n: () => cards.turn(),
    v: () => body.classList.toggle("whole"),
    w: () => wordings.next(),
    y: () => wordings.read(),
    l: toggleTheme,
    "?": () => toggleDialog($("help")),
    End: () => transcript.toLatest(),
    Escape: () => {
      kind.hush();
      wordings.close();
      body.classList.remove("whole");
    },
  },
  { s: () => $("details").close(), h: fromDetailsToList, "?": () => $("help").close(), l: toggleTheme },
);
$("other").addEventListener("click", otherCall);
$("more").addEventListener("click", () => cards.turn());
closesOutside($("search"), $("gap"), $("details"), $("shift"), $("help"));
setInterval(second, 250);
render(null);
