// One entry: what counts, what awaits a decision, what was done; and the decisions.
import { h, toast } from "./dom.js";
import { ACTS, CHANGED, STANDING, account, ask, daysTo, moment, samePerson } from "./kb_ask.js";
import { difference } from "./kb_diff.js";
import { reasonField, sure } from "./kb_sure.js";

const TONES = { draft: "about_to", answer: "answer", transfer: "advice", scheduled: "about_to", expired: "gone", withdrawn: "gone" };
const SOON_DAYS = 30;

export class EntryPage {
  /** @param place where it stands; @param changed(detail) after an act; @param edit(detail) opens the form */
  constructor(place, { changed, edit }) {
    this.place = place;
    this.changed = changed;
    this.edit = edit;
    this.detail = null;
  }

  /** @param wanted() whether it still is, once it is read */
  async open(id, wanted = () => true) {
    const detail = await ask("read", { entry_id: id });
    if (!wanted()) return;
    this.detail = detail;
    this.show();
  }

  show() {
    const { detail } = this;
    const title = (detail.in_force ?? detail.scheduled ?? detail.draft ?? detail.latest)?.question ?? detail.entry_id;
    this.place.replaceChildren(...[
      h("div.head", {},
        h("div.top", {}, pill(detail), h("span.soft", {}, detail.entry_id), h("span.spring"), counts(detail)),
        h("h2", {}, title),
        h("div.actions", {},
          act("E", detail.draft ? "继续编辑" : "编辑", () => this.edit(detail)),
          ["answer", "transfer", "scheduled"].includes(detail.standing) ? act("W", "撤回", () => this.withdraw()) : null)),
      detail.draft ? this.#draft() : null,
      detail.scheduled ? this.#block(`从 ${detail.scheduled_from} 起是这样`, difference(detail.in_force, detail.scheduled), "about_to") : null,
      detail.in_force ? this.#inForce() : null,
      !detail.in_force && detail.latest ? this.#block("以前是这样（现在不作数）", difference(null, detail.latest), "gone") : null,
      history(detail.history)].filter(Boolean));
  }

  get own() {
    return samePerson(this.detail?.drafted_by, account);
  }

  #block(title, content, tone, ...after) {
    return h(`section.block.${tone}`, {}, h("h3", {}, title), content, after);
  }

  #draft() {
    const { detail } = this;
    const cannot = cannotAnswer(detail.draft);
    const decide = this.own
      ? h("div.decide", {}, h("p.own", {}, "您起草的，需由他人授权。"), h("div.actions", {}, act("D", "放弃草稿", () => this.discard())))
      : h("div.decide", {}, cannot ? h("p.own", {}, cannot) : null, h("div.actions", {},
        cannot ? null : act("A", "授权答复", () => this.decide("answer"), "primary"),
        act("T", "授权为只转接", () => this.decide("transfer"), cannot ? "primary" : ""),
        act("R", "退回", () => this.decide("refused"))));
    const title = detail.in_force ? "待授权的改动" : "待授权的新条目";
    return this.#block(`${title} · ${detail.drafted_by} 起草`, difference(detail.in_force, detail.draft), "about_to.pending", decide);
  }

  #inForce() {
    const { detail } = this;
    const now = detail.in_force;
    const transfer = detail.standing === "transfer";
    return h(`section.block.${transfer ? "advice" : "answer"}`, {},
      h("h3", {}, transfer ? "现在：不答复，转给主管部门" : "现在可以这样答"),
      now.answer ? h("p.answer", {}, now.answer) : null,
      transfer && now.answer ? h("p.soft", {}, "这段答复没有授权，不会出现在坐席页面上。") : null,
      h("p.source", {}, sourceLine(now, detail)),
      now.phone || now.liaison ? h("p.source", {}, [now.liaison && `联络员 ${now.liaison}`, now.phone && `电话 ${now.phone}`].filter(Boolean).join(" · ")) : null,
      now.similar.length ? h("details.rest", {}, h("summary", {}, `相似问法 ${now.similar.length} 条`), h("ul.wordings", {}, now.similar.map((text) => h("li", {}, text)))) : null,
      now.tags.length || now.intake || now.confidential ? h("p.tags", {}, [now.intake, now.confidential ? "不对外" : null, ...now.tags].filter(Boolean).map((tag) => h("span.tag", {}, tag))) : null);
  }

  async decide(decision) {
    const { detail } = this;
    if (!detail?.draft) return;
    if (this.own) return toast("这份草稿是您自己起草的，要由另一位采编员决定。");
    if (decision === "answer" && cannotAnswer(detail.draft)) return toast(cannotAnswer(detail.draft));
    const words = {
      answer: ["授权答复", "授权后，坐席会把这段答复读给来电人。请核对答复、地区和有效期。授权人会记为您。", "授权答复"],
      transfer: ["授权为只转接", "授权后，来电问到时请坐席转给主管部门，不显示答复。授权人会记为您。", "授权为只转接"],
      refused: ["退回草稿", "草稿会收起来，现在作数的内容不变。起草人能在经过里看到您的理由。", "退回"],
    }[decision];
    const refused = decision === "refused";
    const result = await sure({
      title: words[0], lead: words[1], confirm: words[2],
      fields: [
        refused ? null : h("label.ask", {}, h("span", {}, "从哪天起（不填就是马上）"), h("input", { type: "date", name: "from_day", "aria-label": "从哪天起", min: today() })),
        reasonField(refused ? "哪里要改" : "例如：已和业务科核对", refused),
      ].filter(Boolean),
      act: ({ from_day, reason }) => ask("decide", { entry_id: detail.entry_id, revision: detail.revision, decision, from_day: from_day || null, reason: reason.trim() })
        .catch((error) => this.#stale(error)),
    });
    this.#done(result, { answer: "已授权答复", transfer: "已授权为只转接", refused: "已退回" }[decision]);
  }

  async discard() {
    const { detail } = this;
    if (!detail?.draft || !this.own) return;
    const result = await sure({
      title: "放弃草稿", lead: "草稿会收起来，现在作数的内容不变。", confirm: "放弃草稿", tone: "must_not",
      act: () => ask("discard", { entry_id: detail.entry_id, revision: detail.revision }).catch((error) => this.#stale(error)),
    });
    this.#done(result, "已放弃草稿");
  }

  async withdraw() {
    const { detail } = this;
    if (!detail || !["answer", "transfer", "scheduled"].includes(detail.standing)) return;
    const choice = (value, label, note, checked) => h("label.choice", {}, h("input", { type: "radio", name: "becomes", value, checked }), h("span", {}, h("b", {}, label), h("small", {}, note)));
    const result = await sure({
      title: "撤回这一条", lead: "马上撤回：一秒之内，所有坐席页面都不再显示这段答复。", confirm: "撤回", tone: "must_not",
      fields: [
        h("fieldset", {}, detail.standing === "transfer" ? null : choice("transfer", "改为只转接", "来电问到时，请坐席转给主管部门", true),
          choice("absent", "当作没有这一条", "来电问到时，什么也不提示", detail.standing === "transfer")),
        reasonField("为什么撤回，例如：政策有变", true),
      ],
      act: ({ becomes, reason }) => ask("withdraw", { entry_id: detail.entry_id, becomes, reason: reason.trim() }),
    });
    this.#done(result, "已撤回");
  }

  /** Somebody was faster: show how it is now, behind the dialog that says so. */
  async #stale(error) {
    if (error.code === "conflict" || error.code === "not_found") {
      await this.open(this.detail.entry_id).catch(() => undefined);
      error.message = "这一条刚刚由别人改动过，没有办成。请取消，看过新的内容再决定。";
    }
    throw error;
  }

  #done(detail, said) {
    if (!detail) return;
    this.detail = detail;
    this.show();
    toast(said);
    this.changed(detail);
  }
}

export function pill({ standing, in_force: now }) {
  const soon = standing === "answer" && now?.valid_to && daysTo(now.valid_to) <= SOON_DAYS;
  return h(`span.pill.${TONES[standing]}`, {}, STANDING[standing], soon ? h("small", {}, `还有 ${daysTo(now.valid_to)} 天到期`) : null);
}

export function act(key, label, does, kind = "") {
  return h(`button.act${kind ? `.${kind}` : ""}`, { type: "button", "aria-keyshortcuts": key, onclick: does }, h("kbd", {}, key), label);
}

function cannotAnswer(fields) {
  if (fields.confidential) return "这一条标为不对外，只能授权为只转接。";
  return fields.answer.trim() ? "" : "草稿没有写答复，只能授权为只转接。";
}

function counts({ used, wrong, outdated }) {
  if (!used && !wrong && !outdated) return h("span.soft", {}, "还没有坐席反馈");
  const reported = (label, n) => h(n ? "b.reported" : "span", {}, `${label} ${n}`);
  return h("span.counts", { title: "坐席对这一条的反馈" }, `采用 ${used} · `, reported("不对", wrong), " · ", reported("过时", outdated));
}

function sourceLine(fields, { authorised_by: by, authorised_at: at }) {
  const authority = by ? `授权：${by}${at ? ` ${at}` : ""}` : "授权：未记录";
  return [fields.department, fields.region, fields.document ?? "依据：未记录", authority,
    fields.valid_from ? `${fields.valid_from} 起` : null, fields.valid_to ? `有效至 ${fields.valid_to}` : "长期有效", fields.version ? `版本 ${fields.version}` : null].filter(Boolean).join(" · ");
}

function history(deeds) {
  if (!deeds.length) return null;
  return h("section.history", {}, h("h3", {}, "经过"), h("ol", {}, deeds.map((deed) => h("li", {},
    h("time", {}, moment(deed.at)), h("div", {}, h("p", {}, h("b", {}, deed.by), ` ${ACTS[deed.act]}`, deed.reason ? `：${deed.reason}` : ""),
      deed.changes.length ? h("details", {}, h("summary", {}, `改了 ${deed.changes.map(([field]) => CHANGED[field] ?? field).join("、")}`),
        h("dl.fields", {}, deed.changes.map(([field, before, after]) => h("div.field", {}, h("dt", {}, CHANGED[field] ?? field), h("dd", {}, h("span.change", {}, before ? h("del", {}, before) : null, after ? h("ins", {}, after) : null)))))) : null)))));
}

function today() {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}
