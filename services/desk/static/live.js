// The page's line to the desk: numbered messages, so that nothing is missed and nothing doubled.

const PATIENCE_MS = 10_000; // the desk beats every 3 s
const SIGNED_OUT = 4401;
const ANSWER_MS = 8_000;
const NO_ANSWER = "系统暂时没有回应，请稍后再试。";
const NOT_CONNECTED = "现在连不上系统，请等连接恢复后再试。";

/**
 * @param path of the socket
 * @param on.change(model, callId | null, names) after each message; null = everything
 * @param on.state("open" | "lost" | "deaf", attempts) of the connection; "deaf": the desk itself hears nothing
 * @param on.signedOut() the session is over; it is tried on. Where there is none, the page is left
 */
export function connect(path, on) {
  const signedOut = on.signedOut ?? (() => location.assign("/"));
  const model = { calls: new Map(), figures: {} };
  const waiting = new Map();
  let epoch = "", last = 0, socket, attempts = 0, asked = 0, offset = 0, heard = Date.now(), retry, hears = true;

  function open() {
    clearTimeout(retry);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const mine = (socket = new WebSocket(`${scheme}//${location.host}${path}`));
    heard = Date.now();
    mine.onopen = () => mine.send(JSON.stringify({ type: "hello", epoch, last }));
    mine.onmessage = (event) => socket === mine && take(JSON.parse(event.data));
    mine.onclose = (event) => {
      if (socket !== mine) return;
      for (const { fail } of waiting.values()) fail(new Error(NOT_CONNECTED));
      waiting.clear();
      attempts += 1;
      if (event.code !== SIGNED_OUT) on.state("lost", attempts);
      else signedOut();
      if (event.code === SIGNED_OUT && !on.signedOut) return;
      if (attempts % 3 === 0) stillSignedIn();
      retry = setTimeout(open, Math.min(5000, 300 * 2 ** Math.min(attempts, 5)) * (0.75 + Math.random() / 2));
    };
  }

  async function stillSignedIn() {
    try {
      const answer = await fetch(location.pathname, { redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 403) signedOut();
    } catch {
      // The desk cannot be reached: that is what the banner says already.
    }
  }

  function take(message) {
    heard = Date.now();
    if (message.type === "beat") {
      offset = message.now - Date.now();
      if (hears !== message.hears) on.state((hears = message.hears) ? "open" : "deaf", 0);
      return;
    }
    if (message.type === "reply") return reply(message);
    if (attempts || !epoch) {
      attempts = 0;
      on.state(hears ? "open" : "deaf", 0);
    }
    if (message.type === "snapshot") {
      ({ epoch, n: last } = message);
      model.calls = new Map(Object.entries(message.calls).map(([id, call]) => [id, entry(call)]));
      model.figures = message.figures;
      return on.change(model, null, null);
    }
    if (message.n <= last) return; // had it already
    if (message.n !== last + 1) return socket.close(); // one is missing: come back and be told
    last = message.n;
    if (message.figures) {
      Object.assign(model.figures, message.figures);
      return on.change(model, null, ["figures"]);
    }
    if (message.gone) {
      model.calls.delete(message.gone);
      return on.change(model, message.gone, ["gone"]);
    }
    const call = model.calls.get(message.call) ?? entry({ set: {}, lines: {} });
    const fresh = !model.calls.has(message.call);
    model.calls.set(message.call, call);
    Object.assign(call, message.set);
    for (const [id, line] of Object.entries(message.lines ?? {})) call.lines.set(id, line);
    const names = [...Object.keys(message.set ?? {}), ...(message.lines ? ["lines"] : [])];
    on.change(model, message.call, fresh ? null : names);
  }

  function entry(call) {
    return { ...call.set, lines: new Map(Object.entries(call.lines)) };
  }

  function reply(message) {
    const asking = waiting.get(message.to);
    waiting.delete(message.to);
    if (!asking) return;
    if (message.ok) asking.done(message.data);
    else asking.fail(new Error(message.message));
  }

  setInterval(() => {
    if (socket.readyState === WebSocket.OPEN && Date.now() - heard > PATIENCE_MS) {
      const dead = socket;
      dead.close();
      if (dead === socket) dead.onclose({ code: 1006 }); // a dead line closes only after minutes
      socket = { readyState: WebSocket.CLOSED };
    }
  }, 1000);
  addEventListener("online", open);
  open();

  return {
    model,
    /** The desk's wall clock, ms since 1970. */
    now: () => Date.now() + offset,
    /** Ask the desk to do something; rejects with a sentence for people. */
    ask(command) {
      if (socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error(NOT_CONNECTED));
      const id = (asked += 1);
      return new Promise((done, fail) => {
        waiting.set(id, { done, fail });
        setTimeout(() => waiting.delete(id) && fail(new Error(NO_ANSWER)), ANSWER_MS);
        socket.send(JSON.stringify({ ...command, id }));
      });
    },
  };
}
