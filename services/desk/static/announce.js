// The supervisors' side of agreed wordings: publish one, see who has read it, take it back.
import { $, h, setText, toast, whenOf } from "./dom.js";

const MOST_TOPICS = 20, LONGEST_TOPIC = 100;

export class Announcements {
  /** @param ask(command) of the page's line */
  constructor(ask) {
    this.ask = ask;
    this.dialog = $("announce");
    this.form = $("announce-form");
    this.items = new Map(); // id → {element, show}
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#publish();
    });
    this.form.addEventListener("keydown", (event) => {
      if (event.isComposing || event.repeat) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
      if (event.key !== "Escape") return;
      event.preventDefault(); // the dialog stays open, and what was written stays
      this.#fold();
    });
    $("announce-new").addEventListener("click", () => this.write());
    $("announce-cancel").addEventListener("click", () => this.#fold());
    this.form.elements.body.addEventListener("input", () => this.#count());
    this.#count();
  }

  get isOpen() {
    return this.dialog.open;
  }

  open() {
    this.dialog.showModal();
    this.dialog.querySelector(".sheet").focus();
  }

  /** The form, with what was written before. */
  write() {
    if (!this.isOpen) this.open();
    this.form.hidden = false;
    $("announce-new").hidden = true;
    this.form.elements.title.focus();
    this.form.scrollIntoView({ block: "nearest" });
  }

  #fold() {
    this.form.hidden = true;
    $("announce-new").hidden = false;
    $("announce-new").focus();
  }

  /** What stands now. */
  show(wordings, places) {
    const { list = [], heard = false } = wordings ?? {};
    const box = $("standing");
    const present = new Set(list.map((item) => item.id));
    for (const [id, { element }] of this.items) {
      if (present.has(id)) continue;
      element.remove();
      this.items.delete(id);
    }
    list.forEach((item, index) => {
      if (!this.items.has(item.id)) this.items.set(item.id, this.#item(item));
      const { element, show } = this.items.get(item.id);
      show(item);
      if (box.children[index] !== element) box.insertBefore(element, box.children[index] ?? null);
    });
    $("announce-none").hidden = list.length > 0;
    setText($("announce-count"), list.length ? String(list.length) : "");
    setText($("announce-note"), heard ? "" : "知识库暂时没有回应，下面可能不是最新的，正在重试。");
    this.#regions(places);
  }

  #regions(places) {
    const names = Object.keys(places?.parents ?? {});
    const text = names.join("\n");
    if (text === this.known) return;
    this.known = text;
    const select = this.form.elements.region;
    const chosen = select.value;
    select.replaceChildren(h("option", { value: "" }, "全部地区"), ...names.map((name) => h("option", { value: name }, name)));
    select.value = names.includes(chosen) ? chosen : "";
  }

  /** A row keeps its place and what is being done in it; only figures change. */
  #item(item) {
    const bar = h("i", {});
    const count = h("b", {});
    const missing = h("p.people", {});
    const more = h("details", {}, h("summary", {}, "还没有阅的坐席"), missing);
    const done = h("span.done", {}, "全部已阅");
    const take = h("button.act", { type: "button", "aria-label": `撤回：${item.title}` }, "撤回");
    const sure = this.#sure(item, take);
    take.addEventListener("click", () => {
      take.hidden = true;
      sure.hidden = false;
      sure.querySelector("button").focus();
    });
    const element = h("li.stands", { "data-id": item.id },
      h("div.top", {}, h("b.title", {}, item.title), take),
      sure,
      h("p.body", {}, item.body),
      item.topics.length ? h("p.soft", {}, `来电人会说：${item.topics.join("；")}`) : null,
      h("p.soft", {}, `${item.by} · ${whenOf(item.since)} 起`, item.until ? ` · 到 ${whenOf(item.until)} 自动撤下` : " · 撤回前一直有效", ` · ${item.region ? `仅 ${item.region}` : "全部地区"}`),
      h("div.receipts", {}, h("div.bar", { "aria-hidden": "true" }, bar), count, more, done));
    const show = ({ read, unread }) => {
      const all = read.length + unread.length;
      bar.style.width = all ? `${(read.length / all) * 100}%` : "0";
      setText(count, all ? `${read.length}/${all} 已阅` : "还没有坐席账号");
      setText(missing, unread.join("、"));
      more.hidden = !unread.length;
      done.hidden = !all || unread.length > 0;
    };
    return { element, show };
  }

  #sure(item, take) {
    const problem = h("p.problem", { role: "alert" });
    const back = () => {
      sure.hidden = true;
      take.hidden = false;
      take.focus();
    };
    const no = h("button.act", { type: "button", onclick: back }, "不撤回");
    const yes = h("button.act.primary", { type: "button" }, "确认撤回");
    yes.addEventListener("click", async () => {
      setText(problem, "");
      yes.disabled = true;
      try {
        await this.ask({ type: "unannounce", wording: item.id });
        toast(`已撤回：${item.title}`);
        this.dialog.querySelector(".sheet").focus();
      } catch (error) {
        setText(problem, error.message);
      }
      yes.disabled = false;
    });
    const sure = h("div.sure", { hidden: true, role: "group", "aria-label": "撤回吗" },
      h("span", {}, "撤回后，坐席页面上立即不再显示。"), no, yes, problem);
    sure.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault(); // the dialog stays open
      back();
    });
    return sure;
  }

  #count() {
    const { body } = this.form.elements;
    setText($("announce-length"), `${[...body.value].length}/1000`);
  }

  async #publish() {
    if (this.sending) return;
    const { title, body, topics, region, until } = this.form.elements;
    const lines = topics.value.split(/[\n；;]/).map((line) => line.trim()).filter(Boolean);
    const end = until.value ? new Date(until.value).getTime() : null;
    const wrong = [
      [title, !title.value.trim(), "请写明是什么话题。"],
      [body, !body.value.trim(), "请写上统一的说法。"],
      [body, [...body.value].length > 1000, "说法最多 1000 个字，请写短一些。"],
      [topics, lines.length > MOST_TOPICS, `来电人的说法最多写 ${MOST_TOPICS} 句。`],
      [topics, lines.some((line) => line.length > LONGEST_TOPIC), `来电人的每句说法最多 ${LONGEST_TOPIC} 个字。`],
      [until, until.validity.badInput || (end !== null && end <= Date.now()), "结束时间要在现在之后。"],
    ].find(([, is]) => is);
    setText($("announce-problem"), wrong ? wrong[2] : "");
    for (const field of [title, body, topics, until]) field.setAttribute("aria-invalid", String(field === wrong?.[0]));
    if (wrong) return wrong[0].focus();
    this.sending = true;
    $("announce-send").disabled = true;
    try {
      await this.ask({
        type: "announce",
        title: title.value.trim(),
        body: body.value.trim(),
        topics: lines,
        region: region.value || null,
        until: end === null ? null : new Date(end).toISOString(),
      });
      this.form.reset();
      this.#count();
      this.#fold();
      toast("已发布，坐席页面上都有了");
    } catch (error) {
      setText($("announce-problem"), error.message);
    }
    $("announce-send").disabled = false;
    this.sending = false;
  }
}
