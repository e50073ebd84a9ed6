// The conversation: newest at the bottom, anchored there until somebody scrolls up.
import { $, clock, h, markedText, setText } from "./dom.js";

const NAMES = { agent: "坐席", caller: "来电" };
const NEAR = 48;
const GESTURE_MS = 1000; // scrolling goes on for a while after the hand has left

export class Transcript {
  constructor() {
    this.scroll = $("scroll");
    this.lines = $("lines");
    this.latest = $("latest");
    this.known = new Map();
    this.open = new Map();
    this.following = true;
    this.unseen = 0;
    this.touched = -Infinity;
    for (const gesture of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      this.scroll.addEventListener(gesture, () => (this.touched = performance.now()), { passive: true });
    }
    this.scroll.addEventListener("scroll", () => {
      // A page that changes its size scrolls too; only a reader who scrolls stops following.
      const now = performance.now();
      const reader = now - this.touched < GESTURE_MS;
      if (reader) this.touched = now;
      if (reader || this.#near()) this.following = this.#near();
      if (this.following) this.unseen = 0;
      this.#way();
    }, { passive: true });
    this.latest.addEventListener("click", () => this.toLatest());
    new ResizeObserver(() => this.following && this.#bottom()).observe(this.scroll);
  }

  clear() {
    this.lines.replaceChildren();
    this.known.clear();
    this.open.clear();
    this.toLatest();
  }

  toLatest() {
    this.following = true;
    this.unseen = 0;
    this.#bottom();
    this.#way();
  }

  /** Finals: a Map of id → line. */
  finals(lines) {
    for (const [id, line] of lines) {
      const known = this.known.get(id);
      if (known?.line === line) continue;
      const element = this.#line(line, markedText(line.text, line.marks));
      element.dataset.line = id;
      if (known) known.element.replaceWith(element);
      else {
        this.lines.insertBefore(element, this.#after(line.at));
        if (!this.following) this.unseen += 1;
      }
      this.known.set(id, { line, element });
    }
    this.#tidy();
  }

  /** Open utterances, pale until they are final; `speaking` those who make a sound without words yet. */
  partials(partials, speaking, now) {
    for (const role of ["agent", "caller"]) {
      const partial = partials.find((p) => p.role === role);
      let element = this.open.get(role);
      if (!partial && !speaking.includes(role)) {
        element?.remove();
        this.open.delete(role);
        continue;
      }
      if (!element) {
        element = this.#line({ role, at: partial?.at ?? now }, []);
        element.classList.add("partial");
        this.open.set(role, element);
      }
      const text = element.lastChild;
      if (partial) {
        setText(text, `${partial.text}…`);
        setText(element.querySelector("time"), clock(partial.at));
      } else if (!text.querySelector(".voice")) {
        text.replaceChildren(h("span.voice", { title: "正在说话" }, h("i"), h("i"), h("i")));
      }
      this.lines.append(element);
    }
    this.#tidy();
  }

  #line(line, text) {
    return h(`div.line.${line.role}`, { "data-at": line.at },
      h("div.when", {}, h("time", {}, clock(line.at)), h("span", {}, NAMES[line.role])), h("p", {}, text));
  }

  #after(at) {
    const finals = [...this.lines.children].filter((e) => !e.classList.contains("partial"));
    return finals.find((e) => Number(e.dataset.at) > at) ?? this.lines.querySelector(".partial");
  }

  #tidy() {
    let before;
    for (const element of this.lines.children) {
      const role = element.classList.contains("agent") ? "agent" : "caller";
      element.classList.toggle("goes-on", role === before);
      before = role;
    }
    if (this.following) this.#bottom();
    this.#way();
  }

  /** The newest stays in sight, whatever made the page another size. */
  keep() {
    if (this.following && !this.#near()) this.#bottom();
  }

  #near() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #bottom() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  #way() {
    this.latest.hidden = this.following;
    this.latest.replaceChildren("回到最新", this.unseen ? ` · ${this.unseen} 句新的` : "", " ", h("kbd", {}, "End"));
  }
}
