// Small helpers: elements, times, keys, toasts. No text ever becomes HTML.

export const $ = (id) => document.getElementById(id);

/** h("p.soft", {title}, "text", child, …) */
export function h(tag, attributes, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Put this into an element, unless it is there already: what did not change keeps its place. */
export function fill(element, ...children) {
  const wanted = h("div", {}, ...children.flat());
  if (wanted.innerHTML !== element.innerHTML) element.replaceChildren(...wanted.childNodes);
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** 222000 → "03:42"; from an hour on "1:03:42". */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const pad = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${pad(minutes)}:${pad(seconds % 60)}`;
}

/** Where a call's audio clock stands, ms. */
export function audioNow(call, now) {
  if (!call?.clock) return 0;
  return call.clock.runs ? Math.max(0, now - call.clock.wall) : call.clock.at;
}

export function ago(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 5) return "刚刚";
  if (seconds < 60) return `${seconds} 秒前`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} 分钟前`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} 小时前` : `${Math.floor(seconds / 86_400)} 天前`;
}

/** "13:58"; of another day "11月20日 13:58". */
export function whenOf(ms, now = Date.now()) {
  const [then, today] = [new Date(ms), new Date(now)];
  const time = then.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
  return then.toDateString() === today.toDateString() ? time : `${then.getMonth() + 1}月${then.getDate()}日 ${time}`;
}

/** A button that shows its key and does the same as the key. */
export function keyButton(key, label, name, options = {}) {
  return h("button.key", { type: "button", "data-key": name, "aria-keyshortcuts": name === " " ? "Space" : name, ...options }, h("kbd", {}, key), label);
}

/** Text with marks [start, end, kind, note]. */
export function markedText(text, marks) {
  const parts = [];
  let at = 0;
  const characters = [...text]; // marks count characters, not UTF-16 units
  for (const [start, end, kind, note] of marks ?? []) {
    if (start > at) parts.push(characters.slice(at, start).join(""));
    parts.push(h(kind === "corrected" ? "span.corrected" : `mark.${kind}`, { title: note }, characters.slice(start, end).join("")));
    at = end;
  }
  parts.push(characters.slice(at).join(""));
  return parts;
}

let toastTimer;
export function toast(text) {
  const element = $("toast");
  element.textContent = text;
  element.classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => element.classList.remove("on"), 2600);
}

export function announce(text) {
  $("alerts").textContent = text;
}

export function banner(text) {
  const element = $("banner");
  element.hidden = !text;
  setText(element, text ?? "");
}

/**
 * Keys work wherever the focus is, except in a text field and while a dialog has its own.
 * `table`: key → function(event); a button with data-key does the same.
 */
export function keys(table, inDialog = {}) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target;
    if (target.closest?.("input:not([type=button]), textarea, select, [contenteditable]")) return;
    if ((event.key === " " || event.key === "Enter") && target.matches?.("button:focus-visible, a:focus-visible")) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = (document.querySelector("dialog[open]") ? inDialog : table)[name];
    if (!action || (event.repeat && !name.startsWith("Arrow"))) return;
    event.preventDefault();
    action(event);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-key]");
    if (!button) return;
    if (event.detail) button.blur(); // the next space is for the card, not for this button
    table[button.dataset.key]?.(event);
  });
}

export function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("banxi-theme", root.dataset.theme);
  } catch {
    // Kept for this page only.
  }
}

export function toggleDialog(dialog) {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

/** A click beside a dialog closes it. */
export function closesOutside(...dialogs) {
  for (const dialog of dialogs) {
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Not a secure address: the old way.
    const area = h("textarea", { readonly: true, class: "heard-only" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
