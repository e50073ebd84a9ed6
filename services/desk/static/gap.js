// G: this was asked and the knowledge base has nothing on it. It goes to the editors.
import { $, toast } from "./dom.js";

export class Gap {
  /** @param ask(command) of the page's line */
  constructor(ask) {
    this.ask = ask;
    this.dialog = $("gap");
    this.words = $("gap-words");
    this.note = $("gap-note");
    this.problem = $("gap-problem");
    $("gap-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    $("gap-close").addEventListener("click", () => this.dialog.close());
  }

  /** @param words what was asked, as far as it is known */
  open(call, words) {
    if (!call) return toast("接到电话以后才能记。");
    this.call = call;
    this.words.value = words;
    this.note.value = "";
    this.problem.textContent = "";
    this.dialog.showModal();
    (words ? this.note : this.words).focus();
  }

  async #send() {
    const words = this.words.value.trim();
    if (words.length < 2) {
      this.problem.textContent = "请写一下对方问的是什么。";
      return this.words.focus();
    }
    try {
      await this.ask({ type: "missing", call: this.call, words, note: this.note.value });
      this.dialog.close();
      toast("已记下，会交给知识采编员");
    } catch (error) {
      this.problem.textContent = error.message;
    }
  }
}
