// Agreed wordings on the agent's page: a quiet row of titles above the conversation. What is not
// read yet, or was opened, stands in front with its text; what the caller brought up is marked.
import { $, fill, h, keyButton, toast, whenOf } from "./dom.js";

export class Wordings {
  /** @param ask(command) of the page's line */
  constructor(ask) {
    this.ask = ask;
    this.box = $("wordings");
    this.list = [];
    this.places = null; // the site's regions
    this.call = null; // the live call on the page
    this.opened = null; // id of the one whose text was asked for
    this.met = null; // ids that were told
    this.box.addEventListener("click", (event) => {
      const chip = event.target.closest(".chip");
      if (!chip) return;
      if (event.detail) chip.blur();
      this.#open(this.opened === chip.dataset.id ? null : chip.dataset.id);
    });
  }

  /** What stands now; undefined before the desk has said so. */
  show(list, places, now) {
    this.places = places ?? null;
    this.told = list ?? [];
    const fresh = this.told.filter((item) => !item.read && this.met && !this.met.has(item.id));
    if (list) this.met = new Set([...(this.met ?? []), ...list.map((item) => item.id)]);
    if (fresh.length) $("told").textContent = `新的统一口径：${fresh.map((item) => item.title).join("；")}`;
    this.second(now);
  }

  /** The call on the page, or null. */
  of(call) {
    this.call = call && !call.end ? call : null;
    this.#render();
  }

  /** What ends does not wait for the desk to say so. */
  second(now) {
    const left = (this.told ?? []).filter((item) => !item.until || item.until > now);
    if (left.length === this.list.length && left.every((item, index) => item === this.list[index])) return;
    this.list = left;
    this.#render();
  }

  /** The next one's text; after the last none. */
  next() {
    const ids = this.#sorted().map((item) => item.id);
    if (!ids.length) return toast("现在没有统一口径。");
    const at = ids.indexOf(this.opened);
    this.#open(ids[at + 1] ?? null);
  }

  close() {
    if (this.opened) this.#open(null);
  }

  /** 已阅: said of what was seen whole, so what is cut off is opened first. */
  async read() {
    const item = this.#front();
    if (!item || item.read) return toast(this.list.length ? "统一口径都已阅。" : "现在没有统一口径。");
    const text = this.box.querySelector(".body");
    if (text.scrollHeight > text.clientHeight + 1 && this.opened !== item.id) return this.#open(item.id);
    try {
      await this.ask({ type: "seen", wording: item.id });
      if (this.opened === item.id) this.opened = null;
      toast(`已阅：${item.title}`);
      this.#render();
    } catch (error) {
      toast(error.message);
    }
  }

  #open(id) {
    this.opened = id;
    this.#render();
  }

  /** What the caller brought up first, then what is not read yet, the newest first. */
  #sorted() {
    const rank = (item) => (this.#why(item) ? 2 : 0) + (item.read || this.#elsewhere(item) ? 0 : 1);
    return [...this.list].sort((a, b) => rank(b) - rank(a) || b.since - a.since);
  }

  #front() {
    const items = this.#sorted();
    return items.find((item) => item.id === this.opened) ?? items.find((item) => !item.read) ?? null;
  }

  #why(item) {
    return this.call?.wordings?.[item.id] ?? "";
  }

  /** Whether it is for other regions than this call's. */
  #elsewhere(item) {
    if (!item.region || !this.call || !this.places) return false;
    for (let at = this.call.head.region ?? this.places.home; at; at = this.places.parents[at]) if (at === item.region) return false;
    return true;
  }

  #render() {
    const items = this.#sorted();
    this.box.hidden = !items.length;
    const front = this.#front();
    const chips = items.filter((item) => item !== front);
    fill(this.box, front ? this.#whole(front) : [], chips.length ? h("div.chips", {},
      h("b.label", {}, front ? "另有" : "统一口径"),
      chips.map((item) => this.#chip(item)),
      front && this.opened !== front.id ? null : keyButton("W", front ? "下一条" : "打开", "w")) : []);
  }

  #chip(item) {
    const why = this.#why(item);
    const away = this.#elsewhere(item);
    return h(`button.chip${why ? ".fits" : ""}${item.read ? "" : ".unread"}${away ? ".away" : ""}`,
      { type: "button", "data-id": item.id, "aria-expanded": "false", title: why || null },
      h("span", {}, item.title),
      why ? h("small", {}, "本通提到") : null,
      item.read ? null : h("small", {}, "未读"),
      item.region ? h("small", {}, `仅 ${item.region}`) : null);
  }

  #whole(item) {
    const why = this.#why(item);
    const open = this.opened === item.id;
    const unread = this.list.filter((other) => !other.read && other !== item).length;
    return h(`article.wording${item.read ? "" : ".unread"}${why ? ".fits" : ""}${open ? ".open" : ""}`, { "data-id": item.id },
      h("div.top", {},
        h("b.label", {}, "统一口径"),
        item.read ? null : h("b.new", {}, "未读"),
        h("h2", {}, item.title),
        why ? h("b.now", {}, "本通提到") : null,
        this.#elsewhere(item) ? h("b.away", {}, "不是这通电话的地区") : null),
      h("p.body", { tabindex: open ? "0" : null }, item.body),
      why ? h("p.why", { title: why }, why) : null,
      h("div.actions", {},
        item.read ? null : keyButton("Y", "已阅", "y"),
        open ? keyButton("Esc", "收起", "Escape") : keyButton("W", "全文", "w"),
        unread ? h("span.soft", {}, `还有 ${unread} 条未读`) : null,
        h("span.meta", {}, `班长 ${item.by} · ${whenOf(item.since)} 起`, item.until ? ` · 到 ${whenOf(item.until)}` : "", item.region ? ` · 仅 ${item.region}` : "")));
  }
}
