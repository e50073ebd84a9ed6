// `H`: the agent's own ended calls of the shift, each with its score and what became of appeals.
import { $, fill, h, whenOf } from "./dom.js";
import { unknown } from "./kinds.js";

/** How a call of the list is named: when it began. */
export const titleOf = (head) => `${whenOf(head.started)} 的通话`;

export class Shift {
  /**
   * @param open(row) a call was chosen
   * @param decided(row) a supervisor decided an appeal while the page was open
   */
  constructor(open, decided) {
    this.decided = decided;
    this.dialog = $("shift");
    this.list = $("ended");
    this.rows = new Map(); // call id → {row, text}
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) open(this.rows.get(button.dataset.call).row);
    });
    this.dialog.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const buttons = [...this.list.querySelectorAll("button")];
      const next = buttons.indexOf(document.activeElement) + step;
      buttons[Math.max(0, Math.min(buttons.length - 1, next))]?.focus();
    });
  }

  get isOpen() {
    return this.dialog.open;
  }

  toggle() {
    if (this.isOpen) return this.dialog.close();
    this.dialog.showModal();
    this.list.querySelector("button")?.focus();
  }

  /** The list as it is now. Returns the ids of calls in which something changed. */
  show(rows) {
    const before = this.rows;
    this.rows = new Map(rows.map((row) => [row.call, { row, text: JSON.stringify(row) }]));
    const changed = [...this.rows].filter(([id, { text }]) => before.get(id)?.text !== text);
    if (!changed.length && before.size === this.rows.size) return [];
    $("shift-key").hidden = !rows.length;
    $("shift-none").hidden = rows.length > 0;
    const chosen = this.list.contains(document.activeElement) ? document.activeElement.dataset.call : null;
    fill(this.list, rows.map((row) => this.#row(row)));
    if (chosen) this.list.querySelector(`[data-call="${chosen}"]`)?.focus();
    for (const [id, { row }] of changed) {
      const known = before.get(id)?.row;
      if (known && row.accepted + row.refused > known.accepted + known.refused) this.decided(row);
    }
    return changed.map(([id]) => id);
  }

  #row(row) {
    const said = [
      row.open ? h("span.waits", {}, row.open > 1 ? `${row.open} 项申诉等班长处理` : "申诉等班长处理") : null,
      row.accepted ? h("span.back", {}, row.accepted > 1 ? `${row.accepted} 项申诉通过` : "申诉通过") : null,
      row.refused ? h("span.kept", {}, row.refused > 1 ? `${row.refused} 项维持扣分` : "维持扣分") : null,
    ].filter(Boolean);
    return h("li", {}, h("button", { type: "button", "data-call": row.call },
      h("time", {}, whenOf(row.started)),
      h("span.kind", {}, row.type ?? unknown(true)),
      h("span.soft", {}, row.number),
      h("span.said", {}, said.length ? said : row.deductions ? h("span.soft", {}, `扣分 ${row.deductions} 项`) : null),
      h("b", {}, row.score === null ? "—" : `${row.score} 分`)));
  }
}
