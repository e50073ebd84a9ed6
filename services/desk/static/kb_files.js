// Import and export: by command, as yet; the page says how.
import { h } from "./dom.js";

export function filesPage(place) {
  const command = (text, what) => h("div.field", {}, h("dt", {}, what), h("dd", {}, h("code", {}, text)));
  place.replaceChildren(h("div.files", {},
    h("h2", {}, "导入和导出用命令办，请找管理员"),
    h("p", {}, "导入先说明会新增什么、改动什么，有问题的行逐行指出，再整批写入；有一行不对，就一行也不写。标为已授权的行，要写明授权人，不能是导入的人自己。"),
    h("dl.fields", {}, command("banxi kb import 文件", "导入条目"), command("banxi kb export 文件", "导出条目"), command("banxi kb offices import 文件", "导入机构")),
    h("p.soft", {}, "文件可以是 CSV 或 Excel（XLSX），条目还可以是 JSONL。导入以后，条目会出现在“全部条目”里，经过里记着导入的人和授权人。")));
}
