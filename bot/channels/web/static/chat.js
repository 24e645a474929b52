// The chat without page loads. The forms of the page work without this file too;
// the elements built here are those of templates/turn.html: change both together.
// All text enters the page as text nodes, never as markup.
"use strict";
(() => {
  const GIVE_UP_MS = 15000;
  const PATIENCE_MS = 300;
  const COUNT_FROM = 40; // characters left when the counter appears
  const SILENT = "您问得有点快，请过一会儿再问。";
  const LISTED = ["fact", "item"];
  const VOTED = ["answer", "choices", "list", "none"];

  const turns = document.getElementById("turns");
  const composer = document.getElementById("composer");
  const input = document.getElementById("text");
  const counter = document.getElementById("count");
  const touch = matchMedia("(pointer: coarse)").matches;
  const session = token();
  let busy = false;

  // A session lasts as long as the page shows its turns: a reload starts afresh.
  function token() {
    const bytes = crypto.getRandomValues(new Uint8Array(18));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function copy(id) {
    return document.getElementById(id).content.firstElementChild.cloneNode(true);
  }

  function chips(labels) {
    const made = element("form", "chips");
    Object.assign(made, { method: "post", action: "/#latest" });
    for (const label of labels) {
      const chip = element("button", "chip", label);
      Object.assign(chip, { name: "text", value: label });
      made.append(chip);
    }
    return made;
  }

  function title(name, place) {
    return element("h2", "title", name, ...(place ? [element("span", "place", place)] : []));
  }

  function caution(text) {
    const made = copy("caution");
    made.lastElementChild.append(text);
    return made;
  }

  function paragraph(kind, text) {
    if (kind === "title") return title(...text.split("｜"));
    if (kind === "caution") return caution(text);
    return element(kind === "heading" ? "h2" : "p", kind, text);
  }

  function paragraphs(blocks) {
    const made = [];
    for (const { kind, text } of blocks) {
      const last = made[made.length - 1];
      if (!LISTED.includes(kind)) made.push(paragraph(kind, text));
      else if (last && last.className === `${kind}s`) last.append(element("li", "", text));
      else made.push(element("ul", `${kind}s`, element("li", "", text)));
    }
    return made;
  }

  function votes(row) {
    const made = copy("votes");
    made.elements.namedItem("id").value = row;
    return made;
  }

  function question(text) {
    const bubble = element("div", "bubble", element("span", "sr", "您问："), element("p", "said", text));
    return element("li", "turn mine", bubble);
  }

  function reply(answer) {
    const given = answer.blocks || [];
    const blocks = given.length ? given : [{ kind: "summary", text: answer.text || SILENT }];
    const bubble = element("div", "bubble", element("span", "sr", "答复："), ...paragraphs(blocks));
    if (answer.options && answer.options.length) {
      const hint = answer.status === "answer" ? "相关的做法：" : "点一个看看：";
      bubble.append(element("p", "hint", hint), chips(answer.options.map((option) => option.label)));
    }
    const turn = element("li", "turn", bubble);
    turn.dataset.status = answer.status;
    if (answer.id && VOTED.includes(answer.status)) turn.append(votes(answer.id));
    return turn;
  }

  function failure(asked, text) {
    const turn = copy("failure");
    turn.querySelector("button").addEventListener("click", () => {
      if (busy) return;
      asked.remove();
      turn.remove();
      ask(text);
    });
    return turn;
  }

  // Rejects when there is no usable reply: no network, too slow, or a broken server.
  async function post(path, body) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), GIVE_UP_MS);
    try {
      const response = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...body, session }),
        signal: stop.signal,
      });
      if (response.status >= 500) throw new Error(String(response.status));
      return await response.json();
    } finally {
      clearTimeout(timer);
    }
  }

  // A long reply is read from its top; a short question above it stays in view.
  function reveal(asked, answered) {
    const first = asked.offsetHeight < innerHeight / 4 ? asked : answered;
    first.scrollIntoView({ block: "start" });
  }

  async function ask(text) {
    busy = true;
    const asked = turns.appendChild(question(text));
    asked.scrollIntoView({ block: "nearest" });
    const wait = copy("typing");
    const timer = setTimeout(() => {
      turns.append(wait);
      wait.scrollIntoView({ block: "nearest" });
    }, PATIENCE_MS);
    let turn;
    try {
      const answer = await post("/api/ask", { text });
      turn = reply(answer.error ? { status: "error", text: answer.error } : answer);
    } catch {
      turn = failure(asked, text);
    }
    clearTimeout(timer);
    wait.remove();
    reveal(asked, turns.appendChild(turn));
    busy = false;
  }

  async function vote(votes, pressed) {
    const thanks = votes.querySelector(".thanks");
    try {
      const id = Number(votes.elements.namedItem("id").value);
      const result = await post("/api/feedback", { id, verdict: pressed.value });
      if (result.error) throw new Error(result.error);
      for (const each of votes.querySelectorAll(".vote")) each.setAttribute("aria-pressed", String(each === pressed));
      thanks.textContent = pressed.value === "up" ? "谢谢，记下了。" : "谢谢，我们会改进。";
    } catch {
      thanks.textContent = "没有记上，请再点一次。";
    }
  }

  function fit() {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
    const left = input.maxLength - input.value.length;
    counter.textContent = left > COUNT_FROM ? "" : left > 0 ? `还可写 ${left} 字` : "写满了";
  }

  document.addEventListener("submit", (event) => {
    const own = event.target === composer;
    const pressed = event.submitter;
    if (!own && !pressed) return; // an old browser: the form goes the way without script
    event.preventDefault();
    if (pressed && pressed.name === "verdict") {
      vote(event.target, pressed);
      return;
    }
    const text = (own ? input.value : pressed.value).trim();
    if (busy || !text) return;
    if (own) {
      input.value = "";
      fit();
      if (touch) input.blur(); // the keyboard would hide the reply
    }
    ask(text);
  });

  input.addEventListener("input", fit);
  input.addEventListener("keydown", (event) => {
    const composing = event.isComposing || event.keyCode === 229; // an IME takes this Enter
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    composer.querySelector(".send").click();
  });
  fit();
  if (!touch) input.focus({ preventScroll: true });
})();
