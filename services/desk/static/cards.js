// At most three cards, each in its place. A card slides in once, and nothing moves while the
// pointer is at work among them.
import { $, ago, announce, copy, h, keyButton, markedText, setText, toast } from "./dom.js";

const SLOTS = ["wrong", "answer", "moment"];
const READING_MS = 3000;

/** Department, region and version speak for themselves; what is missing is named. */
function part(name, value) {
  const missing = value.startsWith("未记录");
  const bare = ["部门", "地区", "版本"].includes(name) && !missing;
  return h(missing ? "span.missing" : "span", {}, bare ? "" : `${name}${name === "授权" ? "：" : " "}`, h("b", {}, value));
}

export class Cards {
  /** @param alarmed() a new card says that something must not be */
  constructor(alarmed) {
    this.alarmed = alarmed;
    this.column = $("cards");
    this.places = Object.fromEntries(SLOTS.map((slot) => [slot, this.column.querySelector(`[data-slot=${slot}]`)]));
    this.shown = {};
    this.wanted = {};
    this.gone = [];
    this.expanded = false;
    this.advice = null; // what holds for the whole call, on the page or not
    this.recalled = null; // id of the moment's card that the advice was called back over
    this.met = new Set(); // a card slides in once
    this.pointer = 0;
    this.column.addEventListener("pointermove", () => (this.pointer = performance.now()));
    this.column.addEventListener("pointerleave", () => {
      this.pointer = 0;
      this.#settle();
    });
  }

  get(slot) {
    const card = this.shown[slot] ?? null;
    return card?.gone ? null : card;
  }

  clear() {
    this.wanted = {};
    this.gone = [];
    this.advice = null;
    this.recalled = null;
    this.met.clear();
    this.pointer = 0;
    this.#settle();
  }

  /** @param gone ids of answers that were taken back */
  show(cards, advice, gone) {
    this.wanted = cards ?? {};
    this.gone = gone ?? [];
    this.advice = advice;
    this.#settle();
  }

  /** Call the advice back to the page, or put it away again. Returns whether there is any. */
  recall(wanted = this.recalled === null) {
    const there = this.shown.moment?.id === this.advice?.id && this.recalled === null;
    if (wanted && (!this.advice || there)) return false;
    this.recalled = wanted ? this.wanted.moment?.id ?? "" : null;
    this.expanded = wanted;
    this.pointer = 0; // a key asked for it
    this.#settle();
    return true;
  }

  /** The card a place should show: called back, the advice; but what is new comes first. */
  #wanted(slot) {
    const card = this.wanted[slot] ?? null;
    if (slot !== "moment" || this.recalled === null) return card;
    if (this.advice && (!card || card.id === this.recalled)) return this.advice;
    this.recalled = null;
    return card;
  }

  /** What time changes: ages, and cards whose moment has passed. */
  tick(now) {
    for (const slot of SLOTS) {
      const card = this.wanted[slot];
      if (card?.expires && card.expires <= now) this.wanted = { ...this.wanted, [slot]: this.#under(slot, card, now) };
      const age = this.places[slot].querySelector(".age");
      if (age && this.shown[slot]) setText(age, ago(now - this.shown[slot].at));
    }
    this.#settle();
  }

  #isNew(card) {
    const [name, before] = [`${card.id} ${card.at}`, this.met.size];
    return this.met.add(name).size > before;
  }

  /** What comes when a card leaves by itself: the advice beneath it. */
  #under(slot, card, now) {
    const advice = slot === "moment" ? this.advice : null;
    return advice?.stands && advice.id !== card.id && !(advice.expires && advice.expires <= now) ? advice : null;
  }

  #settle() {
    const reading = this.pointer && performance.now() - this.pointer < READING_MS;
    for (const slot of SLOTS) {
      const [card, before] = [this.#wanted(slot), this.shown[slot] ?? null];
      if (card === before) continue;
      const same = card && before && card.id === before.id;
      if (reading && !same) {
        if (before && !before.gone && this.gone.includes(before.id)) this.#empty(slot, before);
        continue;
      }
      if (same && JSON.stringify(card) === JSON.stringify(before)) {
        this.shown[slot] = card;
        continue;
      }
      this.shown[slot] = card;
      const element = card && this.#card(slot, card);
      if (element && !same && this.#isNew(card)) element.classList.add("new");
      // A hint, and what may yet be withdrawn, is seen; only what is certain is said aloud, once.
      const firm = slot === "wrong" && card && !card.quiet;
      if (firm && !(same && !before.quiet)) {
        announce(`${card.label}。${card.body || card.why}`);
        this.alarmed();
      }
      this.places[slot].replaceChildren(...(element ? [element] : []));
    }
    $("advice-key").classList.toggle("away", !this.advice || this.shown.moment?.id === this.advice.id);
    this.#narrow();
  }

  /** A card that was taken back while somebody reads: its words go at once, its place stays. */
  #empty(slot, card) {
    const element = this.places[slot].firstChild;
    element.style.minHeight = `${element.getBoundingClientRect().height}px`;
    element.replaceChildren(h("p.soft", {}, "这一条刚刚撤下了，请不要再用。"));
    this.shown[slot] = { ...card, gone: true };
  }

  /** On a narrow page two cards; the third is named and one key away. */
  #narrow() {
    const standing = SLOTS.filter((slot) => this.shown[slot]);
    const third = standing.length === 3 ? (this.expanded ? standing[1] : standing[2]) : null;
    for (const slot of SLOTS) this.places[slot].classList.toggle("third", slot === third);
    const more = $("more");
    more.hidden = !third;
    if (third) more.replaceChildren(h("kbd", {}, "N"), `还有 1 张：${this.shown[third].title || this.shown[third].label}`);
  }

  turn() {
    this.expanded = !this.expanded;
    this.#narrow();
  }

  #card(slot, card) {
    const transfer = card.kind === "transfer";
    return h(`article.card.${card.tone}${card.quiet ? ".quiet" : ""}`, { "data-id": card.id, "data-target": card.target },
      h("div.top", {},
        h("b.label", {}, card.label),
        card.pending ? h("b.pending", {}, "待确认") : null,
        card.title && card.title !== card.label ? h("h2", {}, card.title) : null,
        card.verdict === "useful" ? h("b.done", {}, "✓ 已采用") : null,
        h("span.meta", {}, slot === "answer" && card.confidence ? `把握 ${card.confidence.toFixed(2)}` : h("span.age", {}, "刚刚"),
          card.origin ? ` · ${card.origin}` : "")),
      card.heard ? h("p.heard", {}, "听到：“", h("em", {}, card.heard.words), card.heard.rest, "”") : null,
      card.body ? h("p.body", {}, slot === "wrong" || transfer ? h("span.may", {}, "可以说") : null, markedText(card.body, card.asked.map(([start, end]) => [start, end, "part", "对方问的是这一部分"]))) : null,
      card.aloud.length ? h("ul.aloud", {}, card.aloud.map(([name, text]) => this.#piece(name, text))) : null,
      card.note ? h("p.mind", {}, h("b", {}, "注意"), card.note) : null,
      card.avoid ? h("p.avoid", {}, h("b", {}, "避免"), card.avoid) : null,
      card.why && !card.heard ? h("p.why", { title: card.why }, card.why) : null,
      card.source ? h("p.source", {}, card.source.flatMap(([name, value], index) => [index ? " · " : "", part(name, value)])) : null,
      h("div.actions", {}, this.#actions(slot, transfer)),
      card.alternatives.length ? h("p.others", {}, h("span", {}, "也可能是问"), card.alternatives.map((question, index) => keyButton(String(5 + index), question, String(5 + index)))) : null);
  }

  #piece(name, text) {
    const take = async () => {
      await copy(text);
      toast(`已复制${name}`);
    };
    return h("li", {}, h("span.name", {}, name), h("span.text", {}, text), h("button.take", { type: "button", "aria-label": `复制${name}：${text}`, onclick: take }, "复制"));
  }

  #actions(slot, transfer) {
    if (slot === "wrong") return [keyButton("空格", "知道了", " "), keyButton("R", "误报", "r")];
    if (slot === "moment") return [keyButton("3", "收起", "3")];
    return [keyButton("1", transfer ? "已转接" : "已采用", "1"), keyButton("2", "不对", "2"), keyButton("4", "过时", "4"), keyButton("C", "复制", "c")];
  }
}
