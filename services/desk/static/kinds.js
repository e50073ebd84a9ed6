// The type of a call, as both pages show it.
import { clock, h } from "./dom.js";

export const TENSE = ["发泄", "哭诉", "对抗", "投诉", "纠缠"];
export const unknown = (ended) => (ended ? "未能判定" : "尚未判定");
const STEPS = 3;

/** Put the type and how sure it is into a pill. */
export function fillPill(pill, type, ended) {
  pill.classList.toggle("tense", TENSE.includes(type.type));
  pill.classList.toggle("unknown", !type.type);
  pill.replaceChildren(...(type.type ? [`${type.type} `, h("small", {}, `${type.confidence}%`)] : [unknown(ended)]));
}

export const quoted = (words) => words.map((piece) => `“${piece}”`).join("、");

/** What a step of the trail rests on, in one sentence. */
export function storyOf(step, first) {
  const mistaken = step.mistaken ? `，起初听成“${step.mistaken}”` : "";
  if (first) return `开始时是“${step.type}”${mistaken}`;
  return `${clock(step.at)} 转为“${step.type}”${step.words ? `，因为听到“${step.words}”` : "，听整段对话得出"}${mistaken}`;
}

/** 求助 → 发泄 → 投诉, the last few. */
export function shortTrail(trail, steps = STEPS) {
  const names = trail.slice(-steps).map((step) => step.type);
  return [...(trail.length > steps ? ["…"] : []), ...names].join(" → ");
}

/** The type in full, for a panel: what it is, may be, and is taken in as. */
export function wholeType(type, ended) {
  return h("p.whole-type", {},
    h("b", {}, type.type ? `${type.type} ${type.confidence}%` : unknown(ended)),
    type.also ? `　也像${type.also.type} ${type.also.confidence}%` : "",
    type.intake ? `　受理类别：${type.intake}` : "",
    type.type && type.words.length ? h("span.soft", {}, `　听到${quoted(type.words)}`) : null);
}

/** Turns and moments in the order of the call. */
export function courseList(course) {
  const NAMES = { turn: "转变", moment: "情形" };
  return h("ol.course", {}, course.map((item) => h(`li.${item.kind}`, {}, h("time", {}, clock(item.at)), h("i", {}, NAMES[item.kind]),
    h("span", {}, h("b", {}, item.text), item.words ? ` “${item.words}”` : "", item.later ? h("small", {}, `后来更正为“${item.later}”`) : null))));
}
