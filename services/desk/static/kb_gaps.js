// What callers asked and the base did not hold: looked at, drafted for, or put away.
import { h, toast } from "./dom.js";
import { ask, moment } from "./kb_ask.js";
import { act } from "./kb_entry.js";
import { reasonField, sure } from "./kb_sure.js";

const STATES = { open: "待补", drafted: "已起草", answered: "已补上", dismissed: "不补" };
const TONES = { open: "about_to", drafted: "about_to", answered: "done", dismissed: "gone" };
const MOST_SIMILAR = 20;

export const gapSource = {
  filters: Object.entries(STATES),
  search: false,
  size: 30,
  async load({ filter, skip, limit }) {
    const { gaps, total } = await ask("gaps", { state: filter, skip, limit });
    return { rows: gaps.map((gap) => ({ ...gap, id: gap.gap_id })), total, counts: { [filter]: total } };
  },
  row: (gap) => [
    h("b.title", {}, gap.words),
    h("span.under", {}, h("b.times", {}, `问过 ${gap.times} 次`), h("span.soft", {}, `最近 ${moment(gap.last_at)}`), gap.asked.some((asked) => asked.note) ? h("span.soft", {}, "有坐席备注") : null),
  ],
  empty: (filter) => ({ open: "没有待补的缺口。来电问到而知识库里没有的，会自动记在这里。", drafted: "没有已起草、还没授权的。", answered: "还没有补上的缺口。", dismissed: "没有放下不补的。" })[filter],
};

/** What a new entry begins with that closes a gap. */
export function draftFor(gap) {
  const counted = new Map();
  for (const { region } of gap.asked) if (region) counted.set(region, (counted.get(region) ?? 0) + 1);
  const [region] = [...counted].sort((a, b) => b[1] - a[1])[0] ?? [];
  const similar = [...new Set(gap.asked.map((asked) => asked.words.trim()))].filter((words) => words && words !== gap.words && words.length <= 300);
  return { question: gap.words.slice(0, 300), region: region ?? "", similar: similar.slice(0, MOST_SIMILAR) };
}

export class GapPage {
  /** @param place where it stands; @param draft(gap) opens the form; @param openEntry(id); @param changed(gap) */
  constructor(place, { draft, openEntry, changed }) {
    this.place = place;
    this.draft = draft;
    this.openEntry = openEntry;
    this.changed = changed;
    this.gap = null;
  }

  show(gap) {
    this.gap = gap;
    const regions = [...new Set(gap.asked.map((asked) => asked.region).filter(Boolean))];
    this.place.replaceChildren(...[
      h("div.head", {},
        h("div.top", {}, h(`span.pill.${TONES[gap.state]}`, {}, STATES[gap.state]), h("span.soft", {}, `第一次 ${moment(gap.first_at)}`)),
        h("h2", {}, gap.words),
        h("p.soft", {}, `问过 ${gap.times} 次${regions.length ? ` · ${regions.join("、")}` : ""}`),
        h("div.actions", {},
          gap.state === "open" ? act("E", "起草条目", () => this.draft(gap), "primary") : null,
          gap.state === "open" ? act("W", "不补", () => this.dismiss()) : null,
          gap.state === "dismissed" || gap.state === "drafted" ? act("R", "重新打开", () => this.reopen()) : null)),
      gap.entry_id ? h("section.block.answer", {}, h("h3", {}, "补它的条目"),
        h("p", {}, `问过的 ${gap.times} 次里，这一条现在能答 ${gap.would_serve} 次。`),
        h("div.actions", {}, h("button.act", { type: "button", onclick: () => this.openEntry(gap.entry_id) }, `看条目 ${gap.entry_id}`))) : null,
      h("section.history", {}, h("h3", {}, gap.asked.length < gap.times ? `最近 ${gap.asked.length} 次` : "来电人的原话"), h("ol", {}, gap.asked.map((asked) => h("li", {},
        h("time", {}, moment(asked.at)), h("div", {}, h("p", {}, `“${asked.words}”`),
          asked.region ? h("p.soft", {}, asked.region) : null,
          asked.note ? h("p.note", {}, h("b", {}, `坐席${asked.noted_by ? ` ${asked.noted_by} ` : ""}备注：`), asked.note) : null)))))].filter(Boolean));
  }

  async dismiss() {
    const { gap } = this;
    if (gap?.state !== "open") return;
    const result = await sure({
      title: "这个缺口不补", lead: "它会移到“不补”里，以后还可以重新打开。", confirm: "不补", fields: [reasonField("例如：不属于热线的范围", false)],
      act: ({ reason }) => ask("handle_gap", { gap_id: gap.gap_id, act: "dismiss", reason: reason.trim() }),
    });
    this.#done(result, "已移到“不补”");
  }

  async reopen() {
    const { gap } = this;
    if (!gap || !["dismissed", "drafted"].includes(gap.state)) return;
    try {
      this.#done(await ask("handle_gap", { gap_id: gap.gap_id, act: "reopen" }), "已重新打开");
    } catch (error) {
      toast(error.message);
    }
  }

  #done(result, said) {
    if (!result) return;
    this.show(result.gap);
    toast(said);
    this.changed(result.gap);
  }
}
