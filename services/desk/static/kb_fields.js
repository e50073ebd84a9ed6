// What the forms of this page have in common: labelled fields, the keys, the regions to choose from,
// and that nothing is saved twice, lost unasked or written over what another wrote meanwhile.
import { h } from "./dom.js";
import { regions } from "./kb_ask.js";
import { markedChange } from "./kb_diff.js";

export class Form {
  /** @param saved(kept), cancelled() */
  constructor({ saved, cancelled }) {
    this.saved = saved;
    this.cancelled = cancelled;
    this.inputs = {}; // by name
    this.problem = h("p.problem", { role: "alert" });
    this.conflict = h("div.conflict", { hidden: true, role: "alert" });
    this.button = null;
  }

  /** The form's element and fields are there: what they hold now is what was not written here.
   * @param untouched values that count as nothing written */
  begin(element, untouched = this.values()) {
    this.element = element;
    this.untouched = JSON.stringify(untouched);
    this.#fillRegions();
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    element.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        if (!event.repeat) this.save();
      } else if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        this.cancelled();
      }
    });
  }

  get dirty() {
    return JSON.stringify(this.values()) !== this.untouched;
  }

  /** What is in the fields is kept: leaving loses nothing. */
  settled() {
    this.untouched = JSON.stringify(this.values());
  }

  focus() {
    Object.values(this.inputs)[0].focus();
  }

  /** Has the form `keep(values)`, unless they are `wrong(values)`: [message, field]. Once at a time. */
  async save() {
    if (this.saving) return;
    const values = this.values();
    const [message, field] = this.wrong(values) ?? ["", null];
    this.refuse(message, field);
    if (message) return;
    this.saving = true;
    this.button.disabled = true;
    try {
      const kept = await this.keep(values);
      this.settled();
      this.saved(kept);
    } catch (error) {
      await this.refused(error);
    }
    this.saving = false;
    this.button.disabled = false;
  }

  /** It was not kept: @param error a Refusal */
  refused(error) {
    this.refuse(error.message, error.field);
  }

  refuse(message, field) {
    this.problem.textContent = message;
    for (const input of Object.values(this.inputs)) input.removeAttribute("aria-invalid");
    if (!field || !this.inputs[field]) return;
    this.inputs[field].setAttribute("aria-invalid", "true");
    this.inputs[field].focus();
  }

  /** Another wrote it meanwhile: shows what, above what was typed, which stays until it is saved.
   * @param title, notes sentences
   * @param changes {label, before, after, take} of each field the other changed; take() puts it into the form
   * @param go what the button to save says */
  overtaken({ title, notes, changes, go = "看过了，以下面写的为准，再保存" }) {
    const row = ({ label, before, after, take }) => {
      const taking = h("button.act", { type: "button", onclick: () => {
        take();
        taking.replaceWith(h("span.soft", {}, "已采用"));
      } }, "采用对方的");
      return h("div.field", {}, h("dt", {}, label), h("dd", {}, markedChange(before, after), " ", taking));
    };
    const again = h("button.act.primary", { type: "button", onclick: () => {
      this.conflict.hidden = true;
      this.save();
    } }, go);
    this.conflict.replaceChildren(h("h3", {}, title), ...notes.filter(Boolean).map((note) => h("p", {}, note)),
      ...(changes.length ? [h("dl.fields", {}, changes.map(row))] : []),
      h("p.soft", {}, "您写的内容都还在下面，没有保存。"), h("div.actions", {}, again));
    this.conflict.hidden = false;
    this.conflict.scrollIntoView({ block: "nearest" });
  }

  label(name, text, { needed = false, hint = "", beside = null } = {}) {
    return h(`label.${name}`, {}, h("span", {}, text, needed ? h("i", { title: "必填" }, "*") : null, hint ? h("small", {}, hint) : null, beside), this.inputs[name]);
  }

  /** The row of buttons below. */
  foot(save, ...more) {
    this.button = h("button.act.primary", { type: "submit" }, h("kbd", {}, "Ctrl 回车"), save);
    return h("div.actions.foot", {}, this.button, h("button.act", { type: "button", onclick: () => this.cancelled() }, h("kbd", {}, "Esc"), "取消"), more);
  }

  /** Choose a region; also one that the table no longer knows. */
  region(name) {
    const select = this.inputs.region;
    if (name && ![...select.options].some((option) => option.value === name)) select.append(h("option", { value: name }, name));
    select.value = name ?? "";
  }

  async #fillRegions() {
    try {
      const { all } = await regions();
      const chosen = this.inputs.region.value;
      this.inputs.region.replaceChildren(noRegion(), ...all.map(({ name, depth }) => h("option", { value: name }, "　".repeat(depth) + name)));
      this.region(chosen);
    } catch (error) {
      this.refuse(error.message, null);
    }
  }
}

const noRegion = () => h("option", { value: "" }, "请选择");

export const regionField = () => h("select", { name: "region" }, noRegion());
export const lines = (value, by = "\n") => value.split(by).map((part) => part.trim()).filter(Boolean);
