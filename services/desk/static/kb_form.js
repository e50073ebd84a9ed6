// Writing an entry: all its fields, what stands near it, and what others did meanwhile.
import { h, toast } from "./dom.js";
import { ACTS, FIELDS, INTAKES, account, ask, regions, samePerson, shown } from "./kb_ask.js";
import { differing } from "./kb_diff.js";
import { Form, lines, regionField } from "./kb_fields.js";

const PAUSE_MS = 700;
const LEAST_TO_CHECK = 4;
const NEEDED = ["question", "department", "region"];
const SORTS = {
  duplicate: ["重复", "about_to"], contradiction: ["说法不一", "must_not"], overrules: ["比它更近的地区", "advice"], overruled: ["已有更近地区的说法", "advice"],
};
const EMPTY = {
  question: "", answer: "", department: "", region: "", similar: [], valid_from: null, valid_to: null, document: null, version: null, liaison: null, phone: null,
  intake: null, tags: [], confidential: false,
};

/** What an editor goes on from: the draft, else what will count, counts or counted. */
export const startOf = (detail) => detail.draft ?? detail.scheduled ?? detail.in_force ?? detail.latest ?? EMPTY;

export class EntryForm extends Form {
  /**
   * @param detail the entry, or null for a new one
   * @param start what it begins with, for a new one
   * @param gap id of the gap it closes
   * @param saved(detail), cancelled()
   */
  constructor({ detail = null, start = {}, gap = null, saved, cancelled }) {
    super({ saved, cancelled });
    this.id = detail?.entry_id ?? null;
    this.revision = detail?.revision ?? 0;
    this.base = detail ? startOf(detail) : EMPTY;
    this.gap = gap;
    this.near = h("div.near", { "aria-live": "polite" });
    const element = this.#build(detail);
    this.#put({ ...this.base, ...start });
    this.begin(element, detail ? this.values() : EMPTY);
    element.addEventListener("input", () => this.#touched());
    this.#touched();
  }

  values() {
    const text = (name) => this.inputs[name].value.trim();
    const values = {};
    for (const name of Object.keys(EMPTY)) values[name] = text(name) || (typeof EMPTY[name] === "string" ? "" : null);
    values.similar = lines(this.inputs.similar.value);
    values.tags = lines(this.inputs.tags.value, /[，,、;；\s]+/);
    values.confidential = this.inputs.confidential.checked;
    return values;
  }

  wrong(fields) {
    const missing = NEEDED.find((name) => !fields[name]);
    if (missing) return [`“${FIELDS[missing]}”不能是空的。`, missing];
    return fields.valid_from && fields.valid_to && fields.valid_from > fields.valid_to ? ["有效期的最后一天早于第一天。", "valid_to"] : null;
  }

  async keep(fields) {
    const detail = await ask("draft", { entry_id: this.id, revision: this.revision, fields, gap_id: this.gap });
    toast("已保存，等另一位采编员授权");
    return detail;
  }

  async refused(error) {
    if (error.code === "conflict" && error.field === "revision" && this.id) await this.#compare(error);
    else super.refused(error);
  }

  /** Somebody changed it meanwhile: show what, keep what was typed. */
  async #compare(refused) {
    let detail;
    try {
      detail = await ask("read", { entry_id: this.id });
    } catch {
      return this.refuse(refused.message, null);
    }
    const theirs = startOf(detail);
    const last = detail.history[0];
    const changes = differing(this.base, theirs).map((field) => ({
      label: FIELDS[field], before: shown(field, this.base[field]), after: shown(field, theirs[field]),
      take: () => {
        this.#put({ [field]: theirs[field] });
        this.#touched();
      },
    }));
    this.overtaken({
      title: last ? `您编辑的时候，${last.by} ${ACTS[last.act]}了这一条` : "您编辑的时候，这一条有了改动",
      notes: [last?.reason, changes.length ? "" : "内容没有变，只是状态变了。"], changes,
    });
    this.revision = detail.revision;
    this.base = theirs;
  }

  #put(fields) {
    for (const [name, value] of Object.entries(fields)) {
      if (name === "confidential") this.inputs[name].checked = Boolean(value);
      else if (name === "region") this.region(value);
      else this.inputs[name].value = shown(name, value);
    }
  }

  #touched() {
    const { answer, similar } = this.inputs;
    this.count.textContent = `${[...answer.value].length} / 3000`;
    this.count.classList.toggle("over", [...answer.value].length > 3000);
    similar.rows = Math.min(12, Math.max(3, similar.value.split("\n").length + 1));
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.#check(), PAUSE_MS);
  }

  async #check() {
    const fields = this.values();
    if (!this.element.isConnected || fields.question.length < LEAST_TO_CHECK) return this.near.replaceChildren();
    const mine = (this.checks = (this.checks ?? 0) + 1);
    // What is not chosen yet does not keep the question from being compared.
    const whole = { ...fields, department: fields.department || "—", region: fields.region || (await regions().catch(() => ({ home: "—" }))).home };
    const same = JSON.stringify(whole);
    if (same === this.checked) return;
    try {
      const { alike } = await ask("check", { entry_id: this.id, fields: whole });
      if (mine !== this.checks) return;
      this.checked = same;
      this.near.replaceChildren(...(alike.length ? [h("h3", {}, "相近的条目"), h("ol", {}, alike.map(alikeItem))] : []));
    } catch (error) {
      // What is half written is no matter for a complaint; the next pause asks again.
      if (mine === this.checks && error.code === "unavailable") this.near.replaceChildren(h("p.soft", {}, "暂时查不了有没有重复的条目。"));
    }
  }

  #build(detail) {
    const input = (name, options = {}) => h("input", { name, maxlength: "200", autocomplete: "off", ...options });
    const area = (name, options = {}) => h("textarea", { name, ...options });
    this.inputs = {
      question: input("question", { maxlength: "300" }),
      answer: area("answer", { rows: "6" }),
      similar: area("similar", { rows: "3" }),
      department: input("department", { maxlength: "100", list: "departments" }),
      region: regionField(),
      valid_from: input("valid_from", { type: "date" }), valid_to: input("valid_to", { type: "date" }),
      document: input("document"), version: input("version"), liaison: input("liaison"), phone: input("phone", { inputmode: "tel" }),
      intake: h("select", { name: "intake" }, h("option", { value: "" }, "不限"), INTAKES.map((intake) => h("option", { value: intake }, intake))),
      tags: input("tags"), confidential: h("input", { name: "confidential", type: "checkbox" }),
    };
    this.count = h("small.count");
    const label = (name, hint, beside) => this.label(name, FIELDS[name], { needed: NEEDED.includes(name), hint, beside });
    const foreign = detail?.draft && !samePerson(detail.drafted_by, account);
    return h("form.entry", { novalidate: true, "aria-label": this.id ? "编辑条目" : "起草条目" },
      h("div.head", {}, h("h2", {}, this.id ? `编辑 ${this.id}` : "起草新条目"),
        foreign ? h("p.own", {}, `这是 ${detail.drafted_by} 的草稿。您保存以后，它就是您起草的，要由别人授权。`) : null),
      this.conflict,
      label("question", "用规范的说法"), label("answer", "坐席会照着读；没有答复就只能转接", this.count), this.near,
      label("similar", "来电人会怎么问，一行一条"),
      h("div.pair", {}, label("department"), label("region", "含它下面的地区")),
      h("div.pair", {}, label("valid_from", "不填就是一直有效"), label("valid_to", "含这一天")),
      h("div.pair", {}, label("document"), label("version")),
      h("div.pair", {}, label("liaison"), label("phone")),
      h("div.pair", {}, label("intake"), label("tags", "用空格或顿号隔开")),
      h("label.check", {}, this.inputs.confidential, h("span", {}, "不对外", h("small", {}, "答复不给来电人听，只转接"))),
      this.problem,
      this.foot("保存草稿", h("span.soft", {}, "保存的是草稿，另一位采编员授权以后才作数。")));
  }
}

function alikeItem(alike) {
  const [label, tone] = SORTS[alike.sort];
  return h("li", {}, h(`b.sort.${tone}`, {}, label), h("a", { href: `#all/${encodeURIComponent(alike.entry_id)}`, target: "_blank", rel: "noopener" }, alike.question), h("span.soft", {}, ` ${alike.region}${alike.why ? ` · ${alike.why}` : ""}`));
}
