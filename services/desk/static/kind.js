// The line under the header: what kind of call it is becoming, why, and how it turned. Every part
// has its place, so that nothing moves when one of them changes.
import { $, fill, h, setText } from "./dom.js";
import { TENSE, fillPill, quoted, storyOf } from "./kinds.js";

const SHOWN_STEPS = 4;
const FRESH_MS = 12_000;

export class Kind {
  /** @param details() shows the whole course of the call */
  constructor(details) {
    this.trail = $("trail");
    this.note = $("turn-note");
    this.turned = null; // wall time of the turn that was shown last
    for (const event of ["mouseover", "focusin"]) this.trail.addEventListener(event, (e) => this.#tell(e.target.closest("button")));
    for (const event of ["mouseleave", "focusout"]) this.trail.addEventListener(event, () => this.hush());
    this.trail.addEventListener("click", (event) => event.target.closest("button") && details());
  }

  clear() {
    this.turned = null;
    this.hush();
  }

  show(type, ended) {
    fillPill($("type"), type, ended);
    $("kind").classList.toggle("tense", TENSE.includes(type.type));
    setText($("also"), type.also ? `也像${type.also.type} ${type.also.confidence}%` : "");
    setText($("intake"), type.intake ? `受理：${type.intake}` : "");
    const said = quoted(type.words);
    const early = ended ? "" : "听清来意后，这里会显示来电类型";
    setText($("because"), !type.type ? early : said ? `听到${said}` : "听整段对话");
    $("because").title = type.type && said ? `听到${said}` : "";
    const left = Math.max(0, type.trail.length - SHOWN_STEPS);
    const before = this.trail.innerHTML;
    fill(this.trail, left ? h("li", {}, this.#button("…", `更早还有 ${left} 段，按 S 看全部`)) : null,
      type.trail.slice(left).map((step, index) => h("li", {}, this.#button(step.type, storyOf(step, left + index === 0)))));
    if (before !== this.trail.innerHTML) this.hush();
    if (this.turned !== null && type.turned > this.turned) setText($("told"), `来电转为${type.type}`);
    this.turned = type.turned;
  }

  /** What time changes: a turn is marked for some seconds. */
  second(now) {
    $("kind").classList.toggle("fresh", Boolean(this.turned) && now - this.turned < FRESH_MS);
  }

  hush() {
    this.note.hidden = true;
  }

  #button(name, story) {
    return h("button.step", { type: "button", "data-story": story, "aria-label": story }, name);
  }

  #tell(button) {
    if (!button) return;
    setText(this.note, button.dataset.story);
    this.note.hidden = false;
    const [place, own] = [button.getBoundingClientRect(), this.note.getBoundingClientRect()];
    this.note.style.left = `${Math.max(8, Math.min(place.left, innerWidth - own.width - 8))}px`;
    this.note.style.top = `${place.bottom + 6}px`;
  }
}
