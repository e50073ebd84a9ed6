// The directory: offices that callers ask for, as a list and a form.
import { h, toast } from "./dom.js";
import { ask, moment, regions } from "./kb_ask.js";
import { sure } from "./kb_sure.js";

const FIELDS = { name: "名称", region: "服务的地区", phone: "电话", address: "地址", hours: "办公时间", aliases: "别称", liaison: "联络员", liaison_phone: "联络员电话" };
const HINTS = { name: "和条目里的部门写得一样", region: "含它下面的地区", aliases: "来电人怎么叫它，一行一个", liaison_phone: "只给坐席看，不报给来电人", hours: "例如：工作日 9:00–12:00，13:30–17:00" };

export const officeSource = {
  filters: [],
  search: true,
  size: 50,
  async load({ text, skip, limit }) {
    const { offices, total } = await ask("offices", { text, skip, limit });
    return { rows: offices.map((office) => ({ ...office, id: office.office_id })), total };
  },
  row: (office) => [h("b.title", {}, office.name), h("span.under", {}, h("span.soft", {}, [office.region, office.phone || "没有电话", office.address].filter(Boolean).join(" · ")))],
  empty: () => "机构目录还是空的。按 N 添一个，或按 5 导入。",
};

export class OfficeForm {
  /** @param office as it is, or null for a new one; @param saved(office | null), cancelled() */
  constructor({ office = null, saved, cancelled }) {
    this.office = office;
    this.saved = saved;
    this.cancelled = cancelled;
    this.problem = h("p.problem", { role: "alert" });
    this.inputs = {};
    for (const name of Object.keys(FIELDS)) {
      const value = name === "aliases" ? (office?.aliases ?? []).join("\n") : office?.[name] ?? "";
      if (name === "region") this.inputs[name] = h("select", { name }, h("option", { value }, value || "请选择"));
      else if (name === "aliases") this.inputs[name] = h("textarea", { name, rows: "3" });
      else this.inputs[name] = h("input", { name, maxlength: name === "name" ? "100" : "200", autocomplete: "off" });
      this.inputs[name].value = value;
    }
    this.button = h("button.act.primary", { type: "submit" }, h("kbd", {}, "Ctrl 回车"), "保存");
    const label = (name) => h("label", {}, h("span", {}, FIELDS[name], ["name", "region"].includes(name) ? h("i", { title: "必填" }, "*") : null, HINTS[name] ? h("small", {}, HINTS[name]) : null), this.inputs[name]);
    this.element = h("form.entry", { novalidate: true, "aria-label": "机构" },
      h("div.head", {}, h("h2", {}, office ? office.name : "新的机构"), office?.updated_by ? h("p.soft", {}, `${office.updated_by} 更新于 ${office.updated_at ? moment(office.updated_at) : "未记录"}`) : null,
        h("p.soft", {}, "电话、地址、办公时间保存后马上作数：来电问到，坐席页面会直接显示。")),
      h("div.pair", {}, label("name"), label("region")), h("div.pair", {}, label("phone"), label("hours")), label("address"), label("aliases"),
      h("div.pair", {}, label("liaison"), label("liaison_phone")), this.problem,
      h("div.actions.foot", {}, this.button, h("button.act", { type: "button", onclick: () => cancelled() }, h("kbd", {}, "Esc"), "取消"), h("span.spring"),
        office ? h("button.act.must_not", { type: "button", onclick: () => this.remove() }, "移除") : null));
    this.untouched = JSON.stringify(this.values());
    this.#fillRegions();
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.element.addEventListener("keydown", (event) => {
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

  focus() {
    this.inputs.name.focus();
  }

  values() {
    const values = Object.fromEntries(Object.entries(this.inputs).map(([name, input]) => [name, input.value.trim()]));
    return { ...values, aliases: values.aliases.split("\n").map((alias) => alias.trim()).filter(Boolean) };
  }

  async save() {
    if (this.saving) return;
    const values = this.values();
    const missing = ["name", "region"].find((name) => !values[name]);
    this.problem.textContent = missing ? `“${FIELDS[missing]}”不能是空的。` : "";
    if (missing) return this.inputs[missing].focus();
    this.saving = true;
    this.button.disabled = true;
    try {
      const office_id = this.office?.office_id ?? `o-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
      const { office } = await ask("put_office", { office: { ...values, office_id } });
      this.untouched = JSON.stringify(this.values());
      toast("已保存");
      this.saved(office);
    } catch (error) {
      this.problem.textContent = error.message;
    }
    this.saving = false;
    this.button.disabled = false;
  }

  async remove() {
    const gone = await sure({
      title: `移除“${this.office.name}”`, lead: "移除以后，来电问到它的电话、地址，不再有提示。", confirm: "移除", tone: "must_not",
      act: () => ask("remove_office", { office_id: this.office.office_id }),
    });
    if (!gone) return;
    this.untouched = JSON.stringify(this.values());
    toast("已移除");
    this.saved(null);
  }

  async #fillRegions() {
    try {
      const { all } = await regions();
      const select = this.inputs.region;
      const chosen = select.value;
      const known = all.some((region) => region.name === chosen);
      select.replaceChildren(h("option", { value: "" }, "请选择"), ...all.map(({ name, depth }) => h("option", { value: name }, "　".repeat(depth) + name)), ...(chosen && !known ? [h("option", { value: chosen }, chosen)] : []));
      select.value = chosen;
    } catch (error) {
      this.problem.textContent = error.message;
    }
  }
}
