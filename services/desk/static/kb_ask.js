// Asks the knowledge base, by way of the desk; and the words for what it says.
import { banner } from "./dom.js";

export const account = document.body.dataset.account;

const LOST = "连不上系统，没有办成。写的内容还在，请稍后再试。";
export const SIGNED_OUT = "登录已经过期。请在另一个标签页重新登录，再回到这里继续：写的内容还在。";

/** It was not done. The message is a sentence for people. */
export class Refusal extends Error {
  constructor({ code, field, message }) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

/** Posts to a path of the page's own; gives the data (of a file, the answer), or throws a Refusal. */
export async function send(path, body) {
  let answer;
  try {
    answer = await fetch(`/as/${account}/kb/${path}`, { method: "POST", body });
  } catch {
    throw new Refusal({ code: "lost", field: "", message: LOST });
  }
  if (answer.status === 401) {
    banner(SIGNED_OUT);
    throw new Refusal({ code: "signed_out", field: "", message: SIGNED_OUT });
  }
  if (answer.status === 413) throw new Refusal({ code: "invalid", field: "", message: "内容太大了，没有办成。" });
  if (!answer.ok) throw new Refusal({ code: "internal", field: "", message: "没有办成，请刷新页面后再试。" });
  banner(null);
  if (!answer.headers.get("content-type")?.startsWith("application/json")) return answer;
  const said = await answer.json();
  if (!said.ok) throw new Refusal(said);
  return said.data;
}

export const ask = (verb, request = {}) => send(`ask/${verb}`, JSON.stringify(request));

let asked;
/** Regions as [{name, depth}], each below what it lies in; and the site's own. Asked once. */
export function regions() {
  asked ??= ask("regions").then(({ regions: all, home }) => {
    const below = (parent, depth) => all.filter((region) => region.parent === parent).flatMap((region) => [{ name: region.name, depth }, ...below(region.name, depth + 1)]);
    return { all: below(null, 0), home };
  });
  asked.catch(() => (asked = undefined)); // the next who needs them asks again
  return asked;
}

const folded = (name) => (name ?? "").normalize("NFKC").replace(/\s/gu, "").toLowerCase();
/** Whether two names are one person's, as the knowledge base compares them. */
export const samePerson = (a, b) => Boolean(a && b) && folded(a) === folded(b);

export const FIELDS = {
  question: "问题", answer: "答复", similar: "相似问法", department: "部门", region: "适用地区", valid_from: "有效期从", valid_to: "有效期至",
  document: "依据文件", version: "版本", liaison: "联络员", phone: "电话", intake: "来电种类", tags: "标签", confidential: "不对外",
};
/** What the record of changes names beside the fields that are written. */
export const CHANGED = { ...FIELDS, authorised: "授权" };
export const INTAKES = ["业务咨询", "基础信息查询", "投诉", "建议", "举报"];
export const STANDING = { draft: "新草稿", answer: "可以答", transfer: "只转接", scheduled: "到日生效", expired: "已过期", withdrawn: "已撤回" };
export const ACTS = {
  drafted: "起草", discarded: "放弃草稿", authorised: "授权答复", referred: "授权为只转接", refused: "退回草稿", withdrawn: "撤回", imported: "导入", removed: "移除",
};

/** The value of a field as people read it; "" where nothing is recorded. */
export function shown(field, value) {
  if (field === "confidential") return value ? "是，只转接" : "否";
  if (Array.isArray(value)) return value.join(field === "tags" ? "、" : "\n");
  return value ?? "";
}

/** "2026-11-22 19:40", local time. */
export function moment(iso) {
  const at = new Date(iso);
  const pad = (n) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

/** Whole days from today to a day "2026-12-01"; negative where it is past. */
export function daysTo(day, now = new Date()) {
  const [year, month, date] = day.split("-").map(Number);
  return Math.round((Date.UTC(year, month - 1, date) - Date.UTC(now.getFullYear(), now.getMonth(), now.getDate())) / 86_400_000);
}
