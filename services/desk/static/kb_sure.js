// "Are you sure?": says what will happen, asks for what it needs, stays open where it was refused.
import { $, h } from "./dom.js";

/**
 * @param lead what will happen
 * @param fields elements with the fields; their named inputs come back by name
 * @param tone "must_not" where something is taken away
 * @param act(values) does it; a Refusal is shown and the dialog stays
 * @returns what `act` gave, or null where it was cancelled
 */
export function sure({ title, lead, fields = [], confirm, cancel = "取消", tone = "", act = async () => true }) {
  const dialog = $("sure");
  const problem = h("p.problem", { role: "alert" });
  const yes = h(`button.act.primary${tone ? `.${tone}` : ""}`, { type: "submit" }, h("kbd", {}, "Ctrl 回车"), confirm);
  const no = h("button.act", { type: "button" }, h("kbd", {}, "Esc"), cancel);
  const form = h("form.sheet.sure", { novalidate: true }, h("h2", { id: "sure-title" }, title), h("p.lead", {}, lead), fields, problem, h("div.actions", {}, yes, no));
  return new Promise((done) => {
    let result = null;
    let busy = false;
    const finish = () => {
      document.activeElement.blur(); // the next key is the page's at once
      dialog.close();
      done(result); // the dialog's own event comes later than the next key may
    };
    const send = async () => {
      if (busy) return;
      const missing = [...form.querySelectorAll("[required]")].find((field) => !field.value.trim());
      if (missing) {
        problem.textContent = `请写${missing.getAttribute("aria-label") ?? "理由"}。`;
        missing.focus();
        return;
      }
      busy = true;
      yes.disabled = true;
      problem.textContent = "";
      try {
        result = await act(Object.fromEntries(new FormData(form)));
        finish();
      } catch (error) {
        problem.textContent = error.message;
      }
      busy = false;
      yes.disabled = false;
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    form.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        if (!busy) finish();
      } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        event.stopPropagation();
        if (!event.repeat) send();
      }
    });
    no.addEventListener("click", () => busy || finish());
    dialog.oncancel = (event) => {
      if (busy) event.preventDefault();
    };
    // Only what closes it otherwise: the event of a dialog before may still be on its way.
    dialog.onclose = () => dialog.open || done(result);
    dialog.replaceChildren(form);
    dialog.showModal();
    (form.querySelector("textarea") ?? (tone ? no : yes)).focus();
  });
}

export const reasonField = (hint, required) => h("label.ask", {}, h("span", {}, required ? "理由" : "说明（可以不写）"),
  h("textarea", { name: "reason", rows: "2", maxlength: "500", placeholder: hint, required, "aria-label": required ? "理由" : "说明" }));
