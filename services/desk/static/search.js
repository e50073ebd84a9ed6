// `/`: the knowledge base, without leaving the call.
import { $, copy, h, toast } from "./dom.js";

const LABELS = { answer: "可以答", announced: "统一口径", transfer: "请转接" };

export class Search {
  /** @param missing(words) nothing was found for these words */
  constructor(ask, missing) {
    this.ask = ask;
    this.dialog = $("search");
    this.input = $("search-text");
    this.list = $("found");
    this.note = $("search-note");
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
      if (event.key === "Enter" && !this.pause && this.list.children.length) {
        event.preventDefault();
        this.#copy();
      }
    });
  }

  /** @param text looked for at once, where there is any */
  open(call, text = "") {
    this.call = call;
    if (text) {
      this.input.value = text;
      this.#run();
    }
    this.dialog.showModal();
    this.input.select();
    this.input.focus();
  }

  async #run() {
    clearTimeout(this.pause);
    this.pause = undefined;
    const text = this.input.value.trim();
    const mine = (this.asked += 1);
    if (!text) return this.#show([], "");
    this.note.textContent = "正在查…";
    try {
      const hits = await this.ask({ type: "search", text, call: this.call ?? null });
      if (mine === this.asked) this.#show(hits, hits.length ? "" : "知识库里没有合适的内容。可以记下这个问题，转给主管部门。");
    } catch (error) {
      if (mine === this.asked) this.#show([], error.message);
    }
  }

  #show(hits, note) {
    this.hits = hits;
    this.note.textContent = note;
    this.list.replaceChildren(...hits.map((hit, index) =>
      h(`li.${hit.kind === "transfer" ? "advice" : "answer"}`, { onclick: () => this.#choose(index) },
        h("div.top", {}, h("b", {}, hit.question), h("span.label", {}, LABELS[hit.kind])),
        hit.answer ? h("p.body", {}, hit.answer) : h("p.why", {}, "这一条还没有授权，不能直接答复，请转给主管部门。"),
        hit.source ? h("p.soft", {}, hit.source.map(([name, value]) => (name === "部门" || name === "地区" || name === "版本" ? value : `${name} ${value}`)).join(" · ")) : null)));
    this.#choose(0);
  }

  #choose(index) {
    const items = [...this.list.children];
    if (!items.length) return;
    this.chosen = Math.max(0, Math.min(items.length - 1, index));
    items.forEach((item, i) => item.classList.toggle("chosen", i === this.chosen));
    items[this.chosen].scrollIntoView({ block: "nearest" });
  }

  async #copy() {
    const hit = this.hits[this.chosen];
    await copy(hit.answer ?? hit.source?.map((row) => row.join(" ")).join("，") ?? hit.question);
    toast("已复制");
  }
}
