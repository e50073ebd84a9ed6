// An import of entries: a file, what it would do, who authorised it, and then all of it or nothing.
import { h } from "./dom.js";
import { CHANGED, account, ask, samePerson } from "./kb_ask.js";
import { markedChange } from "./kb_diff.js";
import { dropZone, sizeOf, upload } from "./kb_upload.js";

export const COLUMNS = { ...CHANGED, id: "编号", similar_questions: "相似问法", authorised_by: "授权人", authorised_at: "授权日期", name: "名称", aliases: "别称", address: "地址", hours: "办公时间", liaison_phone: "联络员电话", region: "地区" };
const SORTS = {
  contradiction: ["说法不一", "must_not"], duplicate: ["重复", "about_to"], overrules: ["比它更近的地区", "advice"], overruled: ["已有更近地区的说法", "advice"],
  draft: ["有草稿", "about_to"],
};
const FORMS = { GB18030: "按 GB18030 编码读的", Excel: "读的是第一张工作表", JSONL: "按 JSONL 读的" };
const SHOWN = 50;
const NEEDED = "必须有：id、question、answer、department、region、authorised（是或否）。可以有：similar_questions 和 tags（多项用分号隔开）、valid_from、valid_to、authorised_by、authorised_at、version、document、liaison、phone、intake、confidential（是或否）。最省事的办法是先导出，照着改。";

export class EntryImport {
  constructor() {
    this.place = h("div.import", { "aria-live": "polite" });
    this.problem = h("p.problem", { role: "alert" });
    this.element = h("section.file-part", { id: "import", "aria-label": "导入条目" }, h("h2", {}, "导入条目"),
      h("p.soft", {}, "先告诉您文件会新增什么、改动什么，您确定以后才写入。编号已有的条目会换成文件里的内容，文件里没有的条目不动。"),
      h("details", {}, h("summary", {}, "文件里要有哪些列"), h("p.soft", {}, NEEDED)), this.place, this.problem);
    this.#choose();
  }

  #choose() {
    this.id = null;
    this.place.replaceChildren(dropZone({
      label: "选一个文件，或拖到这里", hint: "Excel（.xlsx）、CSV 或 JSONL，最多 20 MB、20 万行", accept: ".xlsx,.csv,.jsonl", chosen: (file) => this.#hand(file),
    }));
  }

  async #hand(file) {
    this.problem.textContent = "";
    this.file = file;
    this.id = crypto.getRandomValues(new Uint32Array(4)).reduce((id, part) => id + part.toString(36), "i");
    this.authorisedBy = "";
    this.partly = false;
    const bar = h("progress", { max: "1", value: "0", "aria-label": "进度" });
    const state = h("p.soft", {}, `正在上传“${file.name}”（${sizeOf(file)}）……`);
    this.place.replaceChildren(h("div.under-way", {}, state, bar));
    try {
      this.read = await upload(this.id, file, (share) => {
        bar.value = share;
        if (share === 1) this.#waiting(`正在核对“${file.name}”……`);
      });
      this.#waiting(`正在和知识库对照，共 ${this.read.staged} 行……`);
      await this.#plan();
    } catch (error) {
      this.problem.textContent = error.message;
      this.#drop();
    }
  }

  #waiting(text) {
    this.place.replaceChildren(h("div.under-way", {}, h("p.soft", {}, text), h("progress", { "aria-label": "进度" })));
  }

  async #plan() {
    this.planned = await ask("plan", { import_id: this.id, authorised_by: this.authorisedBy || null });
    this.#show();
  }

  /** Forget the import; where that fails, it is forgotten after a day anyway. */
  #drop() {
    if (this.id !== null) ask("drop", { import_id: this.id }).catch(() => undefined);
    this.#choose();
  }

  #show() {
    const plan = this.planned;
    const writes = plan.added + plan.changed;
    const unnamed = plan.problems.some((problem) => problem.field === "authorised_by") || this.authorisedBy;
    const apply = h("button.act.primary", { type: "button", onclick: () => this.#apply() });
    const partly = h("input", { type: "checkbox", name: "partly" });
    partly.checked = this.partly;
    const ready = () => {
      this.partly = partly.checked;
      apply.disabled = !writes || (plan.bad > 0 && !this.partly);
      apply.textContent = plan.bad && this.partly ? `导入其余 ${writes} 条` : `导入 ${writes} 条`;
    };
    partly.addEventListener("change", ready);
    ready();
    this.place.replaceChildren(h("div.plan", {},
      h("div.head", {}, h("h3", {}, this.file.name), h("p.soft", {}, [`共 ${this.read.staged} 行`, FORMS[this.read.form]].filter(Boolean).join("，"))),
      h("p.figures", {}, figure("answer", "新增", plan.added), figure("advice", "改动", plan.changed), figure("gone", "不变", plan.unchanged), figure("must_not", "有问题", plan.bad), figure("about_to", "提醒", plan.warned)),
      this.read.passed_over.length ? h("p.soft", {}, `这些列不认识，没有读：${this.read.passed_over.join("、")}`) : null,
      unnamed ? this.#authorised() : null,
      problemsPart(plan),
      plan.bad && writes ? h("label.check", {}, partly, h("span", {}, `不管有问题的 ${plan.bad} 行，只导入其余的`)) : null,
      warningsPart(plan), changesPart(plan), notesPart(plan),
      h("div.actions", {}, writes ? apply : null, h("button.act", { type: "button", onclick: () => this.#drop() }, writes ? "放弃" : "换一个文件"),
        writes ? h("span.soft", {}, "写入后马上作数，经过里记着您和授权人。") : h("span.soft", {}, plan.bad ? "没有可以导入的行，请改好文件再来。" : "和知识库里的一样，不用导入。"))));
  }

  /** Who authorised the rows that name nobody. */
  #authorised() {
    const name = h("input", { name: "authorised_by", maxlength: "100", autocomplete: "off", required: true, "aria-label": "授权人" });
    name.value = this.authorisedBy;
    const problem = h("p.problem", { role: "alert" });
    const again = h("button.act", { type: "submit" }, "再核对一次");
    const form = h("form.authorised", { novalidate: true },
      h("label.ask", {}, h("span", {}, "这些答复是谁授权的"), h("small.soft", {}, "文件里标为已授权、又没有写授权人的行，记在这个人名下。不能是您自己。"), name), again, problem);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const said = name.value.trim();
      problem.textContent = !said ? "请写授权人。" : samePerson(said, account) ? "导入的人不能自己授权，请写另一个人。" : "";
      if (problem.textContent) return name.focus();
      const before = this.authorisedBy;
      this.authorisedBy = said;
      again.disabled = true;
      try {
        await this.#plan();
      } catch (error) {
        this.authorisedBy = before;
        problem.textContent = error.message;
        again.disabled = false;
      }
    });
    return form;
  }

  async #apply() {
    const { id, planned, partly } = this;
    this.problem.textContent = "";
    this.#waiting("正在写入，请不要关闭页面……");
    try {
      const done = await ask("apply", { import_id: id, authorised_by: this.authorisedBy || null, partly });
      this.#choose();
      this.place.prepend(h("p.done", { role: "status" }, `已导入“${this.file.name}”：新增 ${done.added} 条，改动 ${done.changed} 条，不变 ${done.unchanged} 条${done.bad ? `；${done.bad} 行有问题，没有导入` : ""}。 `, h("a", { href: "#all" }, "看全部条目")));
    } catch (error) {
      this.problem.textContent = error.message;
      this.planned = planned;
      if (error.code === "conflict") await this.#planAnew(error);
      else this.#show();
    }
  }

  /** The base changed since the plan was looked at: what is shown next is what would happen now. */
  async #planAnew(refused) {
    this.#waiting("知识库刚刚有别的改动，正在重新核对……");
    try {
      await this.#plan();
      this.problem.textContent = "您核对以后，知识库有了别的改动，所以什么也没有导入。下面已经重新核对，请再看一遍。";
    } catch {
      this.problem.textContent = refused.message;
      this.#show();
    }
  }
}

const figure = (tone, label, count) => h(`span.pill.${count ? tone : "gone"}`, {}, `${label} `, h("b", {}, String(count)));

const where = (line, field) => h("b", {}, `第 ${line} 行${field ? ` · ${COLUMNS[field] ?? field}` : ""}`);

/** What is wrong with rows. */
export function problemsPart({ problems, bad }) {
  if (!bad) return null;
  const named = new Set(problems.map((problem) => problem.line)).size;
  return part("must_not", `${bad} 行有问题`, problems.map(({ line, field, message }) => h("li", {}, where(line, field), ` ${message}`)), bad > named ? `还有 ${bad - named} 行没有列出。` : "");
}

function warningsPart({ warnings, warned }) {
  const rows = warnings.map(({ line, entry_id, other, sort, why }) => {
    const [label, tone] = SORTS[sort];
    return h("li", {}, h(`span.sort.${tone}`, {}, label), where(line), ` ${entry_id}${other === entry_id ? "" : ` 与 ${other}`}：${why}`);
  });
  return warned ? part("about_to", `${warned} 处请您留意（不妨碍导入）`, rows, warned > rows.length ? `还有 ${warned - rows.length} 处没有列出。` : "") : null;
}

function changesPart({ changes, added, changed }) {
  const rows = changes.map(({ line, entry_id, act, question, changes: columns }) => h("li", {},
    h(`span.sort.${act === "add" ? "answer" : "advice"}`, {}, act === "add" ? "新增" : "改动"), where(line), ` ${entry_id} ${question}`,
    columns.length ? h("dl.fields.change", {}, columns.map(([column, before, after]) => h("div.field", {}, h("dt", {}, COLUMNS[column] ?? column), h("dd", {}, markedChange(before, after))))) : null));
  const all = added + changed;
  return all ? part("answer", `会写入 ${all} 条`, rows, all > rows.length ? `还有 ${all - rows.length} 条没有列出。` : "") : null;
}

function notesPart({ notes }) {
  return notes.length ? part("advice", "读文件时做的整理", notes.map(({ line, field, message }) => h("li", {}, where(line, field), ` ${message}`)), "") : null;
}

/** A list with a heading: the first ones at once, the others on demand. */
function part(tone, title, rows, more) {
  const rest = rows.slice(SHOWN);
  return h(`div.block.${tone}`, {}, h("h3", {}, title), h("ol.rows", {}, rows.slice(0, SHOWN)),
    rest.length ? h("details", {}, h("summary", {}, `其余 ${rest.length} 项`), h("ol.rows", {}, rest)) : null, more ? h("p.soft", {}, more) : null);
}
