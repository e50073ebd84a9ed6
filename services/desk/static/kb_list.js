// The list on the left: filters, search, pages, and which one is open.
import { $, h, setText } from "./dom.js";

const PAUSE_MS = 250;

export class List {
  /** @param open(id) opens one on the right */
  constructor(open) {
    this.open = open;
    this.source = null;
    this.rows = [];
    this.chosen = null;
    this.asked = 0;
    $("find").addEventListener("input", () => {
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.#again(), PAUSE_MS);
    });
    $("find").addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") {
        if ($("find").value) {
          $("find").value = "";
          this.#again();
        } else $("find").blur();
      } else if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        $("find").blur();
        if (this.rows.length && !this.rows.some((row) => row.id === this.chosen)) this.open(this.rows[0].id);
      }
    });
  }

  /**
   * Show another kind of thing.
   * @param source {filters: [[name, label]], search: bool, size, load({filter, text, skip, limit}) → {rows: [{id, …}], total, counts}, row(item) → children, empty(filter, text) → words}
   */
  use(source) {
    this.source = source;
    this.filter = source.filters[0]?.[0] ?? "";
    this.skip = 0;
    this.rows = [];
    this.counts = {};
    $("find").value = "";
    $("find").hidden = !source.search;
    $("list").replaceChildren();
    $("none").hidden = true;
    $("pager").hidden = true;
    this.#filters();
    return this.load();
  }

  mark(id) {
    this.chosen = id;
    for (const item of $("list").children) {
      const is = item.dataset.id === id;
      item.firstChild.setAttribute("aria-current", String(is));
      if (is) item.scrollIntoView({ block: "nearest" });
    }
  }

  step(by) {
    if (!this.rows.length) return;
    const at = this.rows.findIndex((row) => row.id === this.chosen);
    const next = at < 0 ? 0 : Math.max(0, Math.min(this.rows.length - 1, at + by));
    if (next !== at) this.open(this.rows[next].id);
  }

  /** Read the page again. Quietly: after what somebody waits for, and what is there stays where the base does not answer. */
  load({ quietly = false } = {}) {
    if (quietly) return Promise.resolve(this.awaited).then(() => this.#read(true));
    this.awaited = this.#read(false);
    return this.awaited;
  }

  async #read(quietly) {
    const { source } = this;
    if (!source) return;
    const mine = (this.asked += 1);
    const text = $("find").value.trim();
    try {
      const { rows, total, counts } = await source.load({ filter: this.filter, text, skip: this.skip, limit: source.size });
      if (mine !== this.asked) return;
      if (!rows.length && this.skip && total) {
        this.skip = Math.floor((total - 1) / source.size) * source.size;
        return this.#read(quietly);
      }
      this.counts = counts ?? {};
      $("list-problem").textContent = "";
      this.#show(rows, total, text);
    } catch (error) {
      if (mine === this.asked && !quietly) $("list-problem").textContent = error.message;
    }
  }

  #again() {
    this.skip = 0;
    return this.load();
  }

  #filters() {
    const { filters } = this.source;
    $("filters").hidden = filters.length < 2;
    $("filters").replaceChildren(...filters.map(([name, label]) =>
      h("button.type", { type: "button", "aria-pressed": String(name === this.filter), onclick: () => {
        this.filter = name;
        this.#filters();
        this.#again();
      } }, label, this.counts[name] ? h("b", {}, String(this.counts[name])) : null)));
  }

  #show(rows, total, text) {
    this.rows = rows;
    const wanted = rows.map((row) => [row.id, JSON.stringify(row)]);
    const present = new Map([...$("list").children].map((item) => [item.dataset.id, item]));
    const items = wanted.map(([id, as], index) => {
      const old = present.get(id);
      if (old?.dataset.as === as) return old; // keeps the focus
      return h("li", { "data-id": id, "data-as": as }, h("button.row", { type: "button", "aria-current": String(id === this.chosen), onclick: () => this.open(id) }, this.source.row(rows[index])));
    });
    const same = items.length === $("list").children.length && items.every((item, index) => $("list").children[index] === item);
    if (!same) $("list").replaceChildren(...items);
    this.#filters();
    $("none").hidden = rows.length > 0;
    if (!rows.length) setText($("none"), text ? `没有找到含有“${text}”的。` : this.source.empty(this.filter));
    this.#pager(total);
  }

  #pager(total) {
    const { size } = this.source;
    $("pager").hidden = total <= size;
    const to = (skip) => () => {
      this.skip = skip;
      $("side").scrollTop = 0;
      this.load();
    };
    $("pager").replaceChildren(
      h("button.act", { type: "button", disabled: this.skip === 0, onclick: to(Math.max(0, this.skip - size)) }, "上一页"),
      h("span.soft", {}, `第 ${this.skip + 1}–${Math.min(total, this.skip + size)} 条，共 ${total} 条`),
      h("button.act", { type: "button", disabled: this.skip + size >= total, onclick: to(this.skip + size) }, "下一页"));
  }
}
