// Import and export: what a file would do is shown before it does it; nothing is half done.
import { h } from "./dom.js";
import { EntryImport } from "./kb_import.js";
import { OfficeImport } from "./kb_import_offices.js";
import { download } from "./kb_upload.js";

const FORMS = [["xlsx", "Excel"], ["csv", "CSV"], ["jsonl", "JSONL"]];
let page;

// A file let go beside its place opens nothing: it would take the page away.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());

/** The page stays as it is while one looks at others: an import goes on. */
export function filesPage(place) {
  page ??= h("div.files", {}, new EntryImport().element, new OfficeImport().element, exportPart());
  place.replaceChildren(page);
}

function exportPart() {
  const problem = h("p.problem", { role: "alert" });
  const state = h("p.soft", { role: "status" });
  const buttons = FORMS.map(([form, label]) => h("button.act", { type: "button", "data-form": form, onclick: () => fetchFile(form) }, label));
  async function fetchFile(form) {
    problem.textContent = "";
    state.textContent = "正在导出……";
    for (const button of buttons) button.disabled = true;
    try {
      await download(`export/${form}`, `知识库条目.${form}`);
      state.textContent = "已导出，请到浏览器的下载里找。";
    } catch (error) {
      state.textContent = "";
      problem.textContent = error.message;
    }
    for (const button of buttons) button.disabled = false;
  }
  return h("section.file-part", { id: "export", "aria-label": "导出条目" }, h("h2", {}, "导出条目"),
    h("p.soft", {}, "导出所有授权过的条目，改好以后可以再导入。文件里也有只转接、不对外的内容，请像知识库一样保管。草稿和到日才生效的改动不在里面。谁在什么时候导出过，会留下记录。"),
    h("div.actions", {}, buttons), state, problem);
}
