// The knowledge editors' page: which view, which item, and that nothing written is lost.
import { $, banner, closesOutside, h, keys, setText, toggleDialog, toggleTheme, toast } from "./dom.js";
import { SIGNED_OUT, STANDING, account, ask, daysTo } from "./kb_ask.js";
import { EntryPage } from "./kb_entry.js";
import { filesPage } from "./kb_files.js";
import { EntryForm } from "./kb_form.js";
import { GapPage, draftFor, gapSource } from "./kb_gaps.js";
import { List } from "./kb_list.js";
import { OfficeForm, officeSource } from "./kb_offices.js";
import { sure } from "./kb_sure.js";
import { connect } from "./live.js";

const REFRESH_MS = 15_000;
const SOON_DAYS = 30;
const VIEWS = ["drafts", "all", "gaps", "offices", "files"];
const FILTERS = [["all", "全部"], ["answer", "可以答"], ["transfer", "只转接"], ["reported", "坐席有意见"], ["expiring", "快到期"], ["expired", "已过期"], ["withdrawn", "已撤回"]];
const HINTS = {
  drafts: ["选一条来看", "左边是等人授权的草稿。自己起草的，要由另一位采编员授权。"],
  all: ["选一条来看", "按 J、K 上下选择，按 / 搜索，按 N 起草新条目。"],
  gaps: ["选一个缺口来看", "来电问到而知识库里没有的，都记在这里，问得多的在前。"],
  offices: ["选一个机构来改", "问电话、地址、办公时间的来电，直接从这里答。"],
};

let view = null;
let current = null;
let form = null;
let opened = 0;
let refreshing = null;
let again = false;

const list = new List((id) => go(view, id));
const entry = new EntryPage($("content"), {
  changed: () => refresh(),
  edit: (detail) => edit(detail),
});
const gap = new GapPage($("content"), {
  draft: (which) => write({ start: draftFor(which), gap: which.gap_id }),
  openEntry: (id) => go("all", id),
  changed: () => refresh(),
});

const entries = (filters, empty) => ({
  filters,
  search: true,
  size: 50,
  async load({ filter, text, skip, limit }) {
    const { entries: found, total, counts } = await ask("list", { show: filter, text, skip, limit });
    setText($("undecided"), counts.undecided ? String(counts.undecided) : "");
    return { rows: found.map((line) => ({ ...line, id: line.entry_id })), total, counts };
  },
  row: entryRow,
  empty,
});

const SOURCES = {
  drafts: entries([["undecided", "待授权"]], () => "没有等待授权的草稿。"),
  all: entries(FILTERS, (filter) => (filter === "all" ? "知识库还是空的。按 N 起草第一条，或按 5 导入。" : "没有这样的条目。")),
  gaps: gapSource,
  offices: officeSource,
};

function entryRow(line) {
  const soon = line.standing === "answer" && line.valid_to && daysTo(line.valid_to) <= SOON_DAYS;
  const tone = { draft: "about_to", answer: "answer", transfer: "advice", scheduled: "about_to", expired: "gone", withdrawn: "gone" }[line.standing];
  return [
    h("b.title", {}, line.question),
    h("span.under", {}, h(`b.state.${tone}`, {}, STANDING[line.standing]), h("span.soft", {}, `${line.department} · ${line.region}`)),
    line.drafted_by || soon || line.wrong || line.outdated ? h("span.under", {},
      line.drafted_by ? h("b.flag", {}, `${line.drafted_by} 起草，待授权`) : null,
      soon ? h("b.flag", {}, `还有 ${daysTo(line.valid_to)} 天到期`) : null,
      line.wrong ? h("b.flag", {}, `不对 ${line.wrong}`) : null,
      line.outdated ? h("b.flag", {}, `过时 ${line.outdated}`) : null) : null,
  ];
}

/** Go somewhere, unless there is something unsaved and it is to be kept. */
async function go(toView, id = null, { moved = false } = {}) {
  if (document.querySelector("dialog[open]") || !(await mayLeave())) {
    if (moved) history.pushState(null, "", address(view, current));
    return;
  }
  form = null;
  const turned = toView !== view;
  [view, current] = [toView, id];
  if (!moved && location.hash !== address(view, id)) history.pushState(null, "", address(view, id));
  for (const tab of $("tabs").children) tab.setAttribute("aria-current", tab.dataset.view === view ? "page" : "false");
  $("main").dataset.view = view;
  $("main").dataset.showing = id === null && view !== "files" ? "list" : "item";
  setText($("new-label"), view === "offices" ? "添一个" : "起草");
  $("new").hidden = view === "gaps";
  const listed = turned && SOURCES[view] ? list.use(SOURCES[view]) : null;
  list.mark(id);
  await show(listed);
  list.mark(id);
}

async function show(listed) {
  const mine = (opened += 1);
  if (view === "files") return filesPage($("content"));
  if (current === null) return hint();
  try {
    if (view === "gaps" || view === "offices") {
      await listed;
      const row = list.rows.find(({ id }) => id === current);
      if (!row) return hint();
      if (view === "gaps") gap.show(row);
      else editOffice(row);
    } else {
      await entry.open(current, () => mine === opened);
    }
  } catch (error) {
    if (mine === opened) $("content").replaceChildren(h("p.problem", { role: "alert" }, error.message));
  }
}

function hint() {
  const [title, text] = HINTS[view];
  $("content").replaceChildren(h("div.idle", {}, h("h1", {}, title), h("p", {}, text)));
}

const address = (toView, id) => `#${toView}${id === null ? "" : `/${encodeURIComponent(id)}`}`;

function whereTo() {
  const [name, id] = location.hash.slice(1).split("/");
  try {
    return [VIEWS.includes(name) ? name : "drafts", id ? decodeURIComponent(id) : null];
  } catch {
    return ["drafts", null];
  }
}

async function mayLeave() {
  if (!form?.dirty) return true;
  return Boolean(await sure({ title: "还有没保存的内容", lead: "现在离开，刚才写的就丢了。", confirm: "不保存，离开", cancel: "继续写", tone: "must_not" }));
}

function put(newForm) {
  form = newForm;
  opened += 1;
  $("main").dataset.showing = "item";
  $("content").replaceChildren(form.element);
  $("item").scrollTop = 0;
  form.focus();
}

function edit(detail) {
  fillDepartments();
  put(new EntryForm({ detail, saved: (kept) => saved(kept), cancelled: () => cancel() }));
}

/** A new entry. */
async function write({ start = {}, gap: closes = null } = {}) {
  if (!(await mayLeave())) return;
  fillDepartments();
  put(new EntryForm({ start, gap: closes, saved: (kept) => saved(kept), cancelled: () => cancel() }));
}

async function saved(detail) {
  form = null;
  if (view === "drafts" || view === "all") {
    current = detail.entry_id;
    history.replaceState(null, "", address(view, current));
    entry.detail = detail;
    entry.show();
    await refresh();
    list.mark(current);
  } else await go("drafts", detail.entry_id);
}

async function editOffice(office) {
  const after = (kept) => {
    form = null;
    list.load().then(() => go("offices", kept?.office_id ?? null));
  };
  if (office === null && !(await mayLeave())) return;
  put(new OfficeForm({ office, saved: after, cancelled: () => cancel() }));
}

async function cancel() {
  if (document.querySelector("dialog[open]") || !(await mayLeave())) return;
  form = null;
  document.activeElement.blur(); // the next key is the page's at once
  if (view === "offices" || current === null) return go(view, null);
  await show();
}

async function fillDepartments() {
  try {
    const { offices } = await ask("offices", { limit: 200 });
    $("departments").replaceChildren(...[...new Set(offices.map((office) => office.name))].map((name) => h("option", { value: name })));
  } catch {
    // Names to choose from are a help; without them one types.
  }
}

/** Numbers, list and the open entry anew; what changes while that is read is read once more. */
function refresh() {
  again = true;
  refreshing ??= readAll().finally(() => (refreshing = null));
  return refreshing;
}

async function readAll() {
  while (again) {
    again = false;
    await Promise.all([list.load({ quietly: true }), countGaps(), readAgain()]);
  }
}

/** The open entry as it is now, also behind a dialog: what somebody took back stays nowhere. */
async function readAgain() {
  if (form || !["drafts", "all"].includes(view) || current === null || entry.detail?.entry_id !== current) return;
  try {
    const mine = opened;
    const detail = await ask("read", { entry_id: current });
    if (mine !== opened || form || JSON.stringify(detail) === JSON.stringify(entry.detail)) return;
    entry.detail = detail;
    entry.show();
  } catch {
    // It stays as it was; the next time will tell.
  }
}

async function countGaps() {
  try {
    const { total } = await ask("gaps", { state: "open", limit: 1 });
    setText($("open-gaps"), total ? String(total) : "");
  } catch {
    setText($("open-gaps"), "");
  }
}

const onEntry = () => !form && current !== null && ["drafts", "all"].includes(view) && entry.detail?.entry_id === current;
const onGap = () => !form && current !== null && view === "gaps" && gap.gap?.gap_id === current;

function escape() {
  if (form) cancel();
  else if (current !== null) go(view, null);
}

keys({
  ArrowDown: () => list.step(1), j: () => list.step(1), ArrowUp: () => list.step(-1), k: () => list.step(-1),
  "/": () => !$("find").hidden && view !== "files" && ($("main").dataset.showing === "list" || innerWidth > 900 ? $("find").focus() : go(view, null).then(() => $("find").focus())),
  n: () => (view === "offices" ? editOffice(null) : view === "files" || view === "gaps" ? go("drafts").then(() => view === "drafts" && write()) : write()),
  e: () => (onEntry() ? edit(entry.detail) : onGap() && gap.gap.state === "open" ? gap.draft(gap.gap) : form || toast("先选一条。")),
  a: () => onEntry() && entry.decide("answer"),
  t: () => onEntry() && entry.decide("transfer"),
  r: () => (onEntry() ? entry.decide("refused") : onGap() && gap.reopen()),
  w: () => (onEntry() ? entry.withdraw() : onGap() && gap.dismiss()),
  d: () => onEntry() && entry.discard(),
  ...Object.fromEntries(VIEWS.map((name, index) => [String(index + 1), () => go(name)])),
  Escape: escape,
  l: toggleTheme,
  "?": () => toggleDialog($("help")),
}, { "?": () => $("help").close(), l: toggleTheme });

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented || event.repeat || document.querySelector("dialog[open]")) return;
  form?.save();
});
$("tabs").addEventListener("click", (event) => {
  const tab = event.target.closest("a");
  if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(tab.dataset.view);
});
$("back").addEventListener("click", escape);
addEventListener("popstate", () => go(...whereTo(), { moved: true }));
addEventListener("beforeunload", (event) => {
  if (form?.dirty) event.preventDefault();
});
closesOutside($("help"));
setInterval(() => document.visibilityState === "visible" && refresh(), REFRESH_MS);

connect(`/as/${account}/kb/live`, {
  change: () => refresh(),
  state(state, attempts) {
    if (state === "open") banner(null);
    else if (state === "deaf") banner("系统内部的线路断开了，正在恢复。这里可能不是最新的。");
    else if (attempts === 1) banner("连接断开了，正在重新连接。这里可能不是最新的，写的内容还在。");
  },
  signedOut: () => banner(SIGNED_OUT),
});
await go(...whereTo());
countGaps();
