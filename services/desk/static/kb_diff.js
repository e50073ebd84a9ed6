// What differs between two versions of an entry: pure, but for the elements it makes.
import { h } from "./dom.js";
import { FIELDS, shown } from "./kb_ask.js";

const MOST_CELLS = 4_000_000;
const LEAST_COMMON = 2; // shorter common runs between two changes are noise

/** [[kind, text], …] with kind "same" | "gone" | "new": from one text to the other. */
export function pieces(before, after) {
  const [a, b] = [[...before], [...after]];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const middle = between(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const all = [["same", a.slice(0, head).join("")], ...middle, ["same", a.slice(a.length - tail).join("")]];
  return all.filter(([, text]) => text);
}

function between(a, b) {
  if (!a.length || !b.length || a.length * b.length > MOST_CELLS) return [["gone", a.join("")], ["new", b.join("")]];
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] = a[i] === b[j] ? longest[(i + 1) * width + j + 1] + 1 : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const found = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    let same = "";
    while (i < a.length && j < b.length && a[i] === b[j]) {
      same += a[i];
      i += 1;
      j += 1;
    }
    let [gone, fresh] = ["", ""];
    while ((i < a.length || j < b.length) && !(i < a.length && j < b.length && a[i] === b[j])) {
      const drop = j >= b.length || (i < a.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1]);
      if (drop) gone += a[i++];
      else fresh += b[j++];
    }
    found.push({ same, gone, fresh });
  }
  const merged = [];
  for (const run of found) {
    const last = merged.at(-1);
    if (last && [...run.same].length < LEAST_COMMON) {
      last.gone += run.same + run.gone;
      last.fresh += run.same + run.fresh;
    } else merged.push({ ...run });
  }
  return merged.flatMap(({ same, gone, fresh }) => [["same", same], ["gone", gone], ["new", fresh]]);
}

/** Names of the fields in which two versions differ, in the order of the form. */
export function differing(before, after) {
  return Object.keys(FIELDS).filter((field) => shown(field, before?.[field]) !== shown(field, after?.[field]));
}

export function markedChange(before, after) {
  if (!before) return h("span", {}, after);
  const tags = { same: "span", gone: "del", new: "ins" };
  return h("span.change", {}, pieces(before, after).map(([kind, text]) => h(tags[kind], {}, text)));
}

/** Field by field: what differs with its marks, what is the same folded away. */
export function difference(before, after) {
  const changed = before ? differing(before, after) : [];
  const rest = Object.keys(FIELDS).filter((field) => !changed.includes(field) && shown(field, after[field]) && !(field === "confidential" && !after[field]));
  const row = (field, content) => h(`div.field${field === "answer" || field === "question" ? ".large" : ""}`, {}, h("dt", {}, FIELDS[field]), h("dd", {}, content));
  const plain = (field) => row(field, shown(field, after[field]));
  if (!before) return h("dl.fields", {}, rest.map(plain));
  return h("div", {},
    changed.length ? h("dl.fields", {}, changed.map((field) => row(field, markedChange(shown(field, before[field]), shown(field, after[field])))))
      : h("p.soft", {}, "和现在的内容没有差别。"),
    rest.length ? h("details.rest", {}, h("summary", {}, `没有改动的 ${rest.length} 项`), h("dl.fields", {}, rest.map(plain))) : null);
}
