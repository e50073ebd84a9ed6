// A field for a few optional words, confirmed by Enter and taken back by Escape.
import { h } from "./dom.js";

export const MAX_WORDS = 500;

export class Confirm {
  /**
   * @param hint what may be written
   * @param what Enter does
   * @param done(words) does it; rejects with a sentence for people
   * @param cancelled() after Escape
   */
  constructor(hint, what, done, cancelled) {
    this.text = h("textarea", { rows: "2", maxlength: String(MAX_WORDS), placeholder: hint, "aria-label": hint });
    this.problem = h("p.problem", { role: "alert" });
    this.element = h("div.confirm", {}, this.text, h("p.soft", {}, h("kbd", {}, "回车"), ` ${what}　`, h("kbd", {}, "Esc"), " 取消"), this.problem);
    this.text.addEventListener("keydown", (event) => {
      if (event.isComposing) return; // Enter and Escape belong to the input method
      if (event.key === "Escape") {
        event.preventDefault(); // the dialog stays open
        event.stopPropagation();
        this.close();
        cancelled();
      } else if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        if (!event.repeat) this.#send(done);
      }
    });
  }

  get isOpen() {
    return this.element.isConnected;
  }

  under(place) {
    place.append(this.element);
    this.text.focus();
    this.element.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.element.remove();
    this.problem.textContent = "";
  }

  async #send(done) {
    if (this.sending) return;
    this.sending = true;
    this.problem.textContent = "";
    this.text.readOnly = true;
    try {
      await done(this.text.value.trim());
      this.close();
    } catch (error) {
      this.problem.textContent = error.message;
    }
    this.text.readOnly = false;
    this.sending = false;
  }
}
