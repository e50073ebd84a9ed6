// The call's details: what should be said, the score with its deductions and appeals, warnings.
import { $, clock, fill, h } from "./dom.js";
import { Confirm } from "./confirm.js";
import { courseList, wholeType } from "./kinds.js";
import { titleOf } from "./shift.js";

const STATES = {
  appealed: ["已申诉，等班长处理", "waits"],
  confirmed: ["班长维持扣分", "kept"],
  accepted: ["申诉通过，分数正在退回", "back"],
  returned: ["已退回", "back"],
};
const TICKS = { said: ["said", "说了"], due: ["due", "该说了"], missed: ["missed", "没有说"] };

export function noted(warning) {
  return h(`li.${warning.alarm ? "alarm" : "remind"}`, {}, h("time", {}, clock(warning.at)),
    h("span", {}, h("b", {}, warning.title), warning.words ? `“${warning.words}”` : ` ${warning.message}`,
      warning.verdict === "wrong" ? h("small", {}, "已报误报") : null));
}

export class Details {
  /** @param ask(command) of the page's line */
  constructor(ask) {
    this.ask = ask;
    this.dialog = $("details");
    this.rows = new Map(); // deduction id → {element, text}
    this.drafts = new Map(); // call/deduction → what was written when the panel closed
    this.parts = Object.fromEntries(["head", "kind", "ticks", "deductions", "unjudged", "rest"].map((name) => [name, h("section", { "data-part": name })]));
    $("details-body").replaceChildren(h("div.sheet", { tabindex: "0", autofocus: true }, Object.values(this.parts)));
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** @param earlier the call is an ended one of the list, not the one on the page */
  open(id, call, earlier = false) {
    this.#forget();
    this.call = id;
    this.earlier = earlier;
    this.#unjudged("正在取评分表…");
    this.show(id, call);
    this.dialog.showModal();
    this.#askSheet(id);
  }

  /** The call as it is now; what is being written stays. */
  show(id, call) {
    if (id !== this.call) return this.dialog.close();
    const score = call.score.score ?? this.sheet?.score ?? null;
    this.title = this.earlier ? `${titleOf(call.head)} · ` : "本通";
    fill(this.parts.head, h("h2", {}, `${this.title}${score === null ? "详情" : ` ${score} 分`}`),
      this.earlier ? h("p.soft", {}, `${call.head.number} · ${call.end.by}，${clock(call.end.at)}`) : null);
    fill(this.parts.kind, h("h3", {}, "来电类型"), wholeType(call.type, Boolean(call.end)),
      call.course.length ? courseList(call.course) : null,
      call.advice ? [h("h3", {}, "处理建议"), h("p", {}, h("b", {}, call.advice.title)), h("p", {}, call.advice.body), call.advice.avoid ? h("p.avoid", {}, h("b", {}, "避免"), call.advice.avoid) : null] : null);
    fill(this.parts.ticks, h("h3", {}, "该说的话"), call.ticks.length
      ? h("ul.checklist", {}, call.ticks.map((tick) => this.#tick(tick, call)))
      : h("p.soft", {}, "到现在还没有必须说的话。"));
    this.#deductions(call.score.deductions);
    fill(this.parts.rest,
      h("h3", {}, "提醒"),
      call.warnings.length ? h("ul.noted", {}, call.warnings.map(noted)) : h("p.soft", {}, "没有提醒。"),
      call.cards.answer?.alternatives.length ? [h("h3", {}, "可能还想问"), h("ul.noted", {}, call.cards.answer.alternatives.map((q) => h("li", {}, h("span", {}, q))))] : null);
  }

  async #askSheet(id) {
    try {
      const sheet = await this.ask({ type: "sheet", call: id });
      if (id !== this.call) return;
      this.sheet = sheet;
      const title = this.parts.head.querySelector("h2");
      if (title.textContent === `${this.title}详情`) title.textContent = `${this.title} ${sheet.score} 分`;
      this.#unjudged(sheet.unjudged.length ? h("ul.unjudged", {}, sheet.unjudged.map((item) =>
        h("li", {}, h("b", {}, item.name), h("span.soft", {}, `最多扣 ${item.points} 分 · ${item.why}`)))) : "没有留给质检员判断的项目。");
    } catch (error) {
      if (id === this.call) this.#unjudged(`${error.message}扣分和申诉不受影响。`);
    }
  }

  #unjudged(content) {
    fill(this.parts.unjudged, h("h3", {}, "机器不能判断的项目"), typeof content === "string" ? h("p.soft", { role: "status" }, content) : content);
  }

  #tick(tick, call) {
    const [kind, said] = tick.state === "due" && call.end ? TICKS.missed : TICKS[tick.state];
    return h(`li.${kind}`, {}, h("i", { "aria-hidden": "true" }), h("span", {}, tick.name), h("span.soft", {}, said),
      kind === "said" ? h("time", {}, clock(tick.at)) : null);
  }

  /** Rows stay what they are while nothing changed in them: somebody may be writing in one. */
  #deductions(list) {
    const box = this.parts.deductions;
    if (!box.firstChild) box.append(h("h3", {}, "扣分"), h("ul.deductions", {}), h("p.soft", {}, "没有扣分。"));
    const [, rows, none] = box.children;
    none.hidden = list.length > 0;
    list.forEach((item, index) => {
      const text = JSON.stringify(item);
      const known = this.rows.get(item.id);
      if (known?.text === text) return;
      const element = this.#row(item);
      if (known) known.element.replaceWith(element);
      else rows.insertBefore(element, rows.children[index] ?? null);
      this.rows.set(item.id, { element, text });
    });
  }

  #row(item) {
    const [state, tone] = STATES[item.state] ?? [];
    const back = item.state === "returned";
    const row = h(`li.deduction${back ? ".returned" : ""}`, { "data-deduction": item.id },
      h("time", {}, clock(item.at)),
      h("div.what", {},
        h(back ? "s" : "p", {}, h("b.points", {}, `−${item.points}`), h("b", {}, item.name)),
        h("p.soft", {}, item.reason, item.words && !item.reason.includes(item.words) ? ` 听到“${item.words}”` : ""),
        item.appeal ? h("p.soft", {}, `申诉理由：${item.appeal}`) : null,
        item.supervisor ? h("p.soft", {}, `班长 ${item.supervisor}${item.remark ? `：${item.remark}` : item.state === "confirmed" ? "：维持扣分" : "：同意退回"}`) : null,
        state ? h(`p.verdict.${tone}`, {}, state) : null));
    if (item.state === "stands") row.append(this.#appeal(item, row));
    return row;
  }

  #appeal(item, row) {
    const key = `${this.call}/${item.id}`;
    const button = h("button.act.appeal", { type: "button", "aria-label": `申诉：${item.name}` }, "申诉");
    const confirm = new Confirm("为什么不该扣？可以不写", "提出申诉", async (reason) => {
      await this.ask({ type: "appeal", call: this.call, deduction: item.id, reason });
      this.drafts.delete(key);
      this.dialog.querySelector(".sheet").focus();
    }, () => {
      this.drafts.delete(key);
      button.hidden = false;
      button.focus();
    });
    confirm.text.addEventListener("input", () => this.drafts.set(key, confirm.text.value));
    button.addEventListener("click", () => {
      button.hidden = true;
      confirm.text.value = this.drafts.get(key) ?? "";
      confirm.under(row.querySelector(".what"));
    });
    return button;
  }

  #forget() {
    this.call = null;
    this.sheet = null;
    this.rows.clear();
    this.parts.deductions.replaceChildren();
  }
}
