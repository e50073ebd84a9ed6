// How many calls there are of each type, and one type at a time. Every type keeps its place.
import { $, h, setText } from "./dom.js";
import { unknown } from "./kinds.js";

const UNKNOWN = unknown(false);
const ORDER = ["对抗", "哭诉", "投诉", "发泄", "纠缠", "综合", "求助", "探讨", "叙述", "咨询", UNKNOWN];
const ALL = "全部";

const nameOf = (call) => call.type.type ?? UNKNOWN;

export class Types {
  /** @param changed() another choice was made */
  constructor(changed) {
    this.changed = changed;
    this.chosen = null; // null: all
    this.buttons = new Map([ALL, ...ORDER].map((name) => [name, this.#button(name)]));
    $("types").append(...this.buttons.values());
  }

  /** What needs somebody is never out of sight. */
  shows(call) {
    return this.chosen === null || nameOf(call) === this.chosen || (!call.end && call.risk.level === "red");
  }

  /** @param calls those that have a tile */
  show(calls) {
    $("types").hidden = !calls.length;
    this.counts = new Map(ORDER.map((name) => [name, 0]));
    for (const call of calls) this.counts.set(nameOf(call), this.counts.get(nameOf(call)) + 1);
    for (const [name, button] of this.buttons) {
      const count = name === ALL ? calls.length : this.counts.get(name);
      setText(button.querySelector("b"), String(count));
      button.classList.toggle("zero", !count);
      button.setAttribute("aria-pressed", String(name === (this.chosen ?? ALL)));
    }
  }

  /** The next type of which there is a call; after the last one all of them. */
  next() {
    const there = ORDER.filter((name) => this.counts?.get(name) || name === this.chosen);
    this.choose(there[there.indexOf(this.chosen) + 1] ?? null);
  }

  choose(name) {
    this.chosen = name;
    this.changed();
  }

  #button(name) {
    return h("button.type", { type: "button", onclick: (event) => {
      if (event.detail) event.currentTarget.blur();
      this.choose(name === ALL || name === this.chosen ? null : name);
    } }, name, h("b", {}, "0"));
  }
}
