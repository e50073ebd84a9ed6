// Files to the desk in parts, and from it as a download.
import { h } from "./dom.js";
import { Refusal, send } from "./kb_ask.js";

export const PART_BYTES = 400_000;
const MOST_PARTS = 50;

const refuse = (message) => new Refusal({ code: "invalid", field: "file", message });

/** Hand a file over. @param sent(share 0…1) @returns what the knowledge base says of it */
export async function upload(importId, file, sent) {
  if (!file.size) throw refuse(`“${file.name}”是空的。`);
  if (file.size > MOST_PARTS * PART_BYTES) throw refuse(`“${file.name}”超过 20 MB，请拆成几个文件。`);
  const count = Math.ceil(file.size / PART_BYTES);
  let said;
  for (let part = 0; part < count; part += 1) {
    const content = await bytes(file, part * PART_BYTES);
    said = await send(`import/${importId}?${new URLSearchParams({ file: named(file), part, last: part + 1 === count })}`, content);
    sent((part + 1) / count);
  }
  return said;
}

/** Hand over a file that is a message by itself. */
export async function uploadWhole(path, file, options) {
  if (!file.size) throw refuse(`“${file.name}”是空的。`);
  if (file.size > PART_BYTES) throw refuse(`“${file.name}”太大了：机构目录最多 400 KB。`);
  return send(`${path}?${new URLSearchParams({ file: named(file), ...options })}`, await bytes(file, 0));
}

/** Fetch a file and save it. */
export async function download(path, name) {
  const answer = await send(path);
  let content;
  try {
    content = await answer.blob();
  } catch {
    throw new Refusal({ code: "lost", field: "", message: "导出中断了，请重新导出。" });
  }
  const url = URL.createObjectURL(content);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Where a file is chosen or dropped. @param chosen(file) */
export function dropZone({ label, hint, accept, chosen }) {
  const input = h("input.heard-only", { type: "file", accept, "aria-label": label });
  const zone = h("label.drop", {}, input, h("b", {}, label), h("span.soft", {}, hint));
  const take = (file) => {
    input.value = ""; // the same file, mended, may be chosen again
    if (file) chosen(file);
  };
  input.addEventListener("change", () => take(input.files[0]));
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  zone.addEventListener("dragleave", (event) => zone.contains(event.relatedTarget) || zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  return zone;
}

/** "5 MB" as people say it. */
export const sizeOf = (file) => (file.size < 1_000_000 ? `${Math.max(1, Math.round(file.size / 1000))} KB` : `${(file.size / 1_000_000).toFixed(1)} MB`);

const named = (file) => [...file.name].slice(-200).join("");

async function bytes(file, start) {
  try {
    return await file.slice(start, start + PART_BYTES).arrayBuffer();
  } catch {
    throw refuse(`“${file.name}”读不出来：可能刚刚被改动或移走了，请重新选择。`);
  }
}
