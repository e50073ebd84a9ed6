// `/`: the knowledge base, without leaving the call.
import { $, copy, h, toast } from "./dom.js";

const PATIENCE_MS = 300; // so long what was found may stand while it is asked whether it still does
const LABELS = { answer: "可以答", announced: "统一口径", transfer: "请转接" };

export class Search {
  /** @param missing(words) nothing was found for these words */
  constructor(ask, missing) {
    this.ask = ask;
    this.dialog = $("search");
    this.input = $("search-text");
    this.list = $("found");
    this.note = $("search-note");
    this.hits = [];
    this.chosen = 0;
    this.asked = 0;
    $("search-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run();
    });
    this.input.addEventListener("input", () => {
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.#run(), 350);
    });
    const noted = () => {
      const words = this.input.value.trim();
      this.dialog.close();
      missing(words);
    };
    $("missing").addEventListener("click", noted);
    this.dialog.addEventListener("close", () => this.input.blur()); // the next key is the page's at once
    this.dialog.addEventListener("keydown", (event) => {
      const typing = event.target === this.input;
      if (event.key.toLowerCase() === "g" && (typing ? event.altKey : !event.ctrlKey && !event.metaKey)) {
        event.preventDefault();
        event.stopPropagation();
        return noted();
      }
      if (event.isComposing) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        this.#choose(this.chosen + (event.key === "ArrowDown" ? 1 : -1));
      }
      if (event.key === "Enter" && !this.pause && this.hits.length) {
        event.preventDefault();
        this.#copy();
      }
    });
  }

  /** @param text looked for at once, where there is any */
  open(call, text = "") {
    this.call = call;
    if (text) this.input.value = text;
    this.#show([], ""); // what was found before may count no more
    this.#run();
    this.dialog.showModal();
    this.input.select();
    this.input.focus();
  }

  /** The base has changed: what counts no more goes, what does stays where it is. */
  async again() {
    if (!this.dialog.open || !this.input.value.trim()) return;
    this.anew = true;
    if (this.checking) return;
    this.checking = true;
    while (this.anew) {
      this.anew = false;
      this.late ??= setTimeout(() => this.#show([], "正在重新查…"), PATIENCE_MS);
      await this.#run({ quietly: true });
    }
    this.checking = false;
  }

  async #run({ quietly = false } = {}) {
    clearTimeout(this.pause);
    this.pause = undefined;
    const text = this.input.value.trim();
    const mine = (this.asked += 1);
    if (!text) return this.#show([], "");
    if (!quietly) this.note.textContent = "正在查…";
    try {
      const hits = await this.ask({ type: "search", text, call: this.call ?? null });
      if (mine === this.asked) this.#show(hits, hits.length ? "" : "知识库里没有合适的内容。可以记下这个问题，转给主管部门。", quietly);
    } catch (error) {
      if (mine === this.asked) this.#show([], error.message);
    }
  }

  /** @param kept whether it is the same search: what was chosen stays so, or nothing is */
  #show(hits, note, kept = false) {
    clearTimeout(this.late);
    this.late = undefined;
    const chosen = kept ? this.list.children[this.chosen]?.dataset.id : undefined;
    const there = new Map([...this.list.children].map((item) => [item.dataset.as, item]));
    const items = hits.map((hit) => there.get(JSON.stringify(hit)) ?? this.#item(hit));
    for (const item of there.values()) if (!items.includes(item)) item.remove();
    // What is there already is not moved: words in it may be selected.
    items.forEach((item, at) => this.list.children[at] === item || this.list.insertBefore(item, this.list.children[at] ?? null));
    this.hits = hits;
    const at = chosen === undefined ? 0 : hits.findIndex((hit) => hit.id === chosen);
    this.note.textContent = at < 0 && hits.length ? "刚才选中的那一条已经撤下，请重新选。" : note;
    this.#mark(at);
  }

  #item(hit) {
    return h(`li.${hit.kind === "transfer" ? "advice" : "answer"}`,
      { "data-id": hit.id, "data-as": JSON.stringify(hit), onclick: (event) => this.#choose([...this.list.children].indexOf(event.currentTarget)) },
      h("div.top", {}, h("b", {}, hit.question), h("span.label", {}, LABELS[hit.kind])),
      hit.answer ? h("p.body", {}, hit.answer) : h("p.why", {}, "这一条还没有授权，不能直接答复，请转给主管部门。"),
      hit.source ? h("p.soft", {}, hit.source.map(([name, value]) => (name === "部门" || name === "地区" || name === "版本" ? value : `${name} ${value}`)).join(" · ")) : null);
  }

  #choose(index) {
    if (!this.hits.length) return;
    this.#mark(Math.max(0, Math.min(this.hits.length - 1, index)));
    this.list.children[this.chosen].scrollIntoView({ block: "nearest" });
  }

  #mark(index) {
    this.chosen = index;
    [...this.list.children].forEach((item, at) => item.classList.toggle("chosen", at === index));
  }

  async #copy() {
    const hit = this.hits[this.chosen];
    if (!hit) return;
    await copy(hit.answer ?? hit.source?.map((row) => row.join(" ")).join("，") ?? hit.question);
    toast("已复制");
  }
}
