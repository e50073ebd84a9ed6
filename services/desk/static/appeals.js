// Appeals that wait for a supervisor: a quiet list, each accepted or refused with a few words.
import { Confirm } from "./confirm.js";
import { $, ago, clock, h, keyButton, setText, toast, whenOf } from "./dom.js";

const keyOf = (appeal) => `${appeal.call}/${appeal.id}`;

export class Appeals {
  /** @param ask(command) of the page's line */
  constructor(ask) {
    this.ask = ask;
    this.items = new Map(); // key → {element, text, appeal}
    this.chosen = null;
  }

  /** What is open now; what is being written stays. */
  show(calls, now) {
    const list = [...calls.values()].flatMap((call) => (call.appeals ?? []).map((appeal) => ({ ...appeal, head: call.head })));
    list.sort((a, b) => a.appealed - b.appealed);
    const present = new Set(list.map(keyOf));
    for (const [key, { element }] of this.items) {
      if (present.has(key)) continue;
      element.remove();
      this.items.delete(key);
      if (this.chosen === key) this.chosen = null;
    }
    const box = $("appeal-list");
    list.forEach((appeal, index) => {
      const key = keyOf(appeal);
      const text = JSON.stringify(appeal);
      const known = this.items.get(key);
      if (known?.text === text) return;
      const element = this.#item(appeal, key);
      if (known) known.element.replaceWith(element);
      else box.insertBefore(element, box.children[index] ?? null);
      this.items.set(key, { element, text, appeal });
    });
    $("appeals").hidden = !list.length;
    setText($("appeal-count"), String(list.length));
    this.second(now);
  }

  second(now) {
    for (const { element, appeal } of this.items.values()) setText(element.querySelector(".count"), ago(now - appeal.appealed));
  }

  /** The next one, from the first on. */
  next() {
    const keys = [...this.items.keys()];
    if (!keys.length) return toast("现在没有申诉。");
    this.#pick(keys[(keys.indexOf(this.chosen) + 1) % keys.length]);
  }

  decide(accepted) {
    const key = this.chosen ?? this.items.keys().next().value;
    if (!key) return toast("现在没有申诉。");
    this.#pick(key);
    const { element, appeal } = this.items.get(key);
    element.querySelector(".confirm")?.remove();
    const buttons = element.querySelector(".actions");
    buttons.hidden = true;
    const confirm = new Confirm("附言，可以不写", accepted ? "同意退回" : "维持扣分", async (remark) => {
      await this.ask({ type: "decide", call: appeal.call, deduction: appeal.id, accepted, remark });
      toast(`工号 ${appeal.agent}：${accepted ? "已同意退回" : "已维持扣分"}`);
    }, () => (buttons.hidden = false));
    confirm.under(element);
  }

  #pick(key) {
    this.chosen = key;
    for (const [id, { element }] of this.items) element.classList.toggle("chosen", id === key);
    this.items.get(key)?.element.scrollIntoView({ block: "nearest" });
  }

  #item(appeal, key) {
    const act = (shown, label, accepted) => {
      const button = keyButton(shown, label, undefined, { "aria-keyshortcuts": shown });
      button.classList.add("act");
      button.addEventListener("click", () => {
        this.#pick(key);
        this.decide(accepted);
      });
      return button;
    };
    return h("article.plea", { "data-key-of": key },
      h("div.top", {}, h("b.agent", {}, appeal.agent), h("b.title", {}, `${appeal.name} −${appeal.points}`), h("span.count")),
      h("p.heard", {}, `${clock(appeal.at)} `, appeal.words ? [`听到 `, h("em", {}, `“${appeal.words}”`)] : appeal.reason),
      appeal.words && !appeal.reason.includes(appeal.words) ? h("p.reason", {}, appeal.reason) : null,
      h("p.own", {}, h("b.soft", {}, "坐席："), appeal.appeal || h("span.soft", {}, "没有写理由")),
      h("p.reason", {}, `${whenOf(appeal.head.started)} 的通话 · ${appeal.head.number}`),
      h("div.actions", {}, act("Y", "同意退回", true), act("N", "维持扣分", false)));
  }
}
