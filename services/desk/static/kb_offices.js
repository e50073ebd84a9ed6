// The directory: offices that callers ask for, as a list and a form.
import { h, toast } from "./dom.js";
import { ask, moment, shown } from "./kb_ask.js";
import { Form, lines, regionField } from "./kb_fields.js";
import { sure } from "./kb_sure.js";

const FIELDS = { name: "名称", region: "服务的地区", phone: "电话", address: "地址", hours: "办公时间", aliases: "别称", liaison: "联络员", liaison_phone: "联络员电话" };
const NEEDED = ["name", "region"];
const HINTS = { name: "和条目里的部门写得一样", region: "含它下面的地区", aliases: "来电人怎么叫它，一行一个", liaison_phone: "只给坐席看，不报给来电人", hours: "例如：工作日 9:00–12:00，13:30–17:00" };

const PAGE = 200; // offices the knowledge base tells at a time

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

export class OfficeForm extends Form {
  /** @param office as it is, or null for a new one; @param saved(office | null), cancelled() */
  constructor({ office = null, saved, cancelled }) {
    super({ saved, cancelled });
    this.office = office;
    this.seen = office?.updated_at ?? null;
    for (const name of Object.keys(FIELDS)) {
      if (name === "region") this.inputs[name] = regionField();
      else if (name === "aliases") this.inputs[name] = h("textarea", { name, rows: "3" });
      else this.inputs[name] = h("input", { name, maxlength: name === "name" ? "100" : "200", autocomplete: "off" });
      this.#put(name, office);
    }
    this.begin(this.#build());
  }

  values() {
    const values = Object.fromEntries(Object.entries(this.inputs).map(([name, input]) => [name, input.value.trim()]));
    return { ...values, aliases: lines(values.aliases) };
  }

  wrong(values) {
    const missing = NEEDED.find((name) => !values[name]);
    return missing && [`“${FIELDS[missing]}”不能是空的。`, missing];
  }

  async keep(values) {
    const office_id = this.office?.office_id ?? `o-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
    const { office } = await ask("put_office", { office: { ...values, office_id }, seen: this.seen });
    toast("已保存");
    return office;
  }

  async refused(error) {
    if (error.code === "conflict" && this.office) await this.#compare();
    else super.refused(error);
  }

  /** Somebody wrote or removed it meanwhile: show what, keep what was typed. */
  async #compare() {
    let theirs;
    try {
      theirs = await officeNow(this.office.office_id);
    } catch {
      return this.refuse("这个机构刚刚由别人改过，没有保存；现在读不到改了什么。您写的内容还在，请稍后再保存一次。", null);
    }
    this.seen = theirs?.updated_at ?? null;
    if (!theirs) return this.overtaken({ title: "您编辑的时候，这个机构由别人移除了", notes: ["再保存，就按下面写的重新添上。"], changes: [], go: "看过了，重新添上" });
    const before = this.office;
    this.office = theirs;
    const changes = Object.keys(FIELDS).filter((name) => shown(name, before[name]) !== shown(name, theirs[name])).map((name) => ({
      label: FIELDS[name], before: shown(name, before[name]), after: shown(name, theirs[name]), take: () => this.#put(name, theirs),
    }));
    this.overtaken({ title: `您编辑的时候，${theirs.updated_by} 改动了这个机构`, notes: [changes.length ? "" : "内容没有变，只是又保存过。"], changes });
  }

  #put(name, office) {
    if (name === "region") this.region(office?.region);
    else this.inputs[name].value = shown(name, office?.[name]);
  }

  async remove() {
    const gone = await sure({
      title: `移除“${this.office.name}”`, lead: "移除以后，来电问到它的电话、地址，不再有提示。", confirm: "移除", tone: "must_not",
      act: () => ask("remove_office", { office_id: this.office.office_id }),
    });
    if (!gone) return;
    this.settled();
    toast("已移除");
    this.saved(null);
  }

  #build() {
    const { office } = this;
    const label = (name) => this.label(name, FIELDS[name], { needed: NEEDED.includes(name), hint: HINTS[name] });
    return h("form.entry", { novalidate: true, "aria-label": "机构" },
      h("div.head", {}, h("h2", {}, office ? office.name : "新的机构"), office?.updated_by ? h("p.soft", {}, `${office.updated_by} 更新于 ${office.updated_at ? moment(office.updated_at) : "未记录"}`) : null,
        h("p.soft", {}, "电话、地址、办公时间保存后马上作数：来电问到，坐席页面会直接显示。")),
      this.conflict,
      h("div.pair", {}, label("name"), label("region")), h("div.pair", {}, label("phone"), label("hours")), label("address"), label("aliases"),
      h("div.pair", {}, label("liaison"), label("liaison_phone")), this.problem,
      this.foot("保存", h("span.spring"), office ? h("button.act.must_not", { type: "button", onclick: () => this.remove() }, "移除") : null));
  }
}

/** An office as it stands now; null where it was removed. */
async function officeNow(office_id) {
  for (let skip = 0; ; skip += PAGE) {
    const { offices, total } = await ask("offices", { text: office_id, skip, limit: PAGE });
    const found = offices.find((office) => office.office_id === office_id);
    if (found || skip + PAGE >= total) return found ?? null;
  }
}
