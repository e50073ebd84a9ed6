// An import of the directory: a short file, what it would do, and then all of it or nothing.
import { h } from "./dom.js";
import { problemsPart } from "./kb_import.js";
import { dropZone, uploadWhole } from "./kb_upload.js";

export class OfficeImport {
  constructor() {
    this.place = h("div.import", { "aria-live": "polite" });
    this.problem = h("p.problem", { role: "alert" });
    this.element = h("section.file-part", { id: "import-offices", "aria-label": "导入机构目录" }, h("h2", {}, "导入机构目录"),
      h("p.soft", {}, "列名：id、name、region，以及 aliases、phone、address、hours、liaison、liaison_phone。编号已有的机构会换成文件里的内容，文件里没有的不动。"), this.place, this.problem);
    this.#choose();
  }

  #choose() {
    this.place.replaceChildren(dropZone({ label: "选一个文件，或拖到这里", hint: "Excel（.xlsx）或 CSV，最多 400 KB、1000 个机构", accept: ".xlsx,.csv", chosen: (file) => this.#look(file) }));
  }

  async #look(file) {
    const said = await this.#ask(file, true, `正在核对“${file.name}”……`);
    if (!said) return;
    const writes = said.added + said.changed;
    this.place.replaceChildren(h("div.plan", {}, h("h3", {}, file.name),
      h("p.figures", {}, figures(said)), problemsPart(said),
      h("div.actions", {}, writes && !said.bad ? h("button.act.primary", { type: "button", onclick: () => this.#apply(file) }, `导入 ${writes} 个`) : null,
        h("button.act", { type: "button", onclick: () => this.#choose() }, writes && !said.bad ? "放弃" : "换一个文件"),
        said.bad ? h("span.soft", {}, "有一行不对，就一行也不写：请改好文件再来。") : writes ? null : h("span.soft", {}, "和目录里的一样，不用导入。"))));
  }

  async #apply(file) {
    const said = await this.#ask(file, false, "正在写入……");
    if (!said) return;
    this.#choose();
    const done = said.bad ? `“${file.name}”有 ${said.bad} 行不对，什么也没有导入。` : `已导入“${file.name}”：${figures(said)}。`;
    this.place.prepend(h("p.done", { role: "status" }, done));
  }

  async #ask(file, dryRun, state) {
    this.problem.textContent = "";
    this.place.replaceChildren(h("div.under-way", {}, h("p.soft", {}, state), h("progress", { "aria-label": "进度" })));
    try {
      return await uploadWhole("import-offices", file, { dry_run: dryRun });
    } catch (error) {
      this.problem.textContent = error.message;
      this.#choose();
      return null;
    }
  }
}

const figures = ({ added, changed, unchanged }) => `新增 ${added} 个，改动 ${changed} 个，不变 ${unchanged} 个`;
