// The knowledge editor on top of a form that works without this file: highlighting, problems while one types,
// results without leaving the page. All text enters the page as text nodes, or as a page of our own that was parsed.
"use strict";
(() => {
  const PAUSE_MS = 250; // after the last key, before the draft is checked
  const PREVIEW_MS = 1500; // after a clean check, before the preview is made anew
  const LIVE_MS = 1500;
  const LIVE_TRIES = 160;
  const LOST = "没有连上服务器，您写的还在这里；请稍后再试。";

  const form = document.getElementById("draft");
  const area = document.getElementById("content");
  const list = document.getElementById("problems");
  const tally = document.getElementById("tally");
  const outcome = document.getElementById("outcome");
  const entries = document.getElementById("entry");
  const { EditorState, EditorView, HighlightStyle, setDiagnostics, setup, syntaxHighlighting, tags } = CodeMirror;
  const opened = area.value;
  let lines = [];
  let leaving = false;
  let checking = null;
  let asking = null;
  let timer = 0;
  let previewing = 0;

  const colours = HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--jade)", fontWeight: "600" },
    { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
    { tag: [tags.string, tags.content], color: "var(--ink)" },
    { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--c4)" },
  ]);
  const looks = EditorView.theme({
    "&": { height: "100%", color: "var(--ink)", fontSize: ".9375rem" },
    "&.cm-focused": { outline: "none" },
    ".cm-scroller": { fontFamily: "ui-monospace, Consolas, monospace", lineHeight: "1.65" },
    ".cm-content": { caretColor: "var(--ink)" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", borderRight: "1px solid var(--line)" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--tint) 55%, transparent)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
      backgroundColor: "color-mix(in srgb, var(--c2) 45%, transparent)",
    },
    ".cm-selectionMatch": { backgroundColor: "var(--amber)" },
    ".cm-tooltip, .cm-panels": { backgroundColor: "var(--surface)", color: "var(--ink)", borderColor: "var(--edge)" },
    ".cm-lint-marker": { width: ".7em", height: ".7em", marginTop: ".45em", borderRadius: "50%", content: "''" },
    ".cm-lint-marker-error": { backgroundColor: "var(--c4)" },
    ".cm-lint-marker-warning": { border: "2px solid var(--c4)" },
    ".cm-lintRange": { backgroundImage: "none !important", textDecoration: "underline wavy var(--c4)" },
    ".cm-diagnostic": { maxWidth: "34rem", fontFamily: "var(--sans)", whiteSpace: "normal" },
  });
  const said = {
    "Find": "查找", "Replace": "换成", "next": "下一个", "previous": "上一个", "all": "全选", "match case": "分大小写",
    "regexp": "正则", "by word": "整词", "replace": "替换", "replace all": "全部替换", "close": "关闭",
  };

  // The editor lives in a shadow tree: there its styles may be built by script under a strict content policy.
  const host = document.createElement("div");
  host.className = "editor";
  area.before(host);
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        setup,
        syntaxHighlighting(colours),
        looks,
        EditorState.phrases.of(said),
        EditorView.contentAttributes.of({ "aria-label": "内容", lang: "zh-CN", tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed();
          else if (update.selectionSet) choose();
        }),
      ],
    }),
  });
  area.hidden = true;

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function changed() {
    area.value = view.state.doc.toString();
    clearTimeout(timer);
    clearTimeout(previewing);
    timer = setTimeout(check, PAUSE_MS);
  }

  async function post(address, abort) {
    const body = new URLSearchParams(new FormData(form));
    return fetch(address, { method: "POST", body, signal: abort.signal });
  }

  async function check() {
    checking?.abort();
    checking = new AbortController();
    try {
      const reply = await post(form.dataset.check, checking);
      if (!reply.ok) throw new Error(String(reply.status));
      const found = await reply.json();
      show(found.problems);
      offer(found.items);
      if (found.items.length && !found.problems.some((one) => one.error)) previewing = setTimeout(preview, PREVIEW_MS);
    } catch (error) {
      if (error.name !== "AbortError") tally.textContent = LOST;
    }
  }

  function show(problems) {
    const doc = view.state.doc;
    const own = problems.filter((one) => !one.file).map((one) => {
      const line = doc.line(Math.min(Math.max(one.line, 1), doc.lines));
      const from = Math.min(line.from + one.column - 1, line.to);
      const severity = one.error ? "error" : "warning";
      return { from, to: line.to, severity, message: `${one.message}（${one.code}）` };
    });
    view.dispatch(setDiagnostics(view.state, own));
    const errors = problems.filter((one) => one.error).length;
    tally.textContent = problems.length ? `${errors} 个错误，${problems.length - errors} 个提醒` : "";
    list.replaceChildren(...(problems.length ? problems.map(item) : [element("li", "fine", "没有问题。")]));
  }

  function item(one) {
    const link = element("a", "", `${one.file ? one.file + " " : ""}第 ${one.line} 行`);
    link.href = "#content";
    link.dataset.line = one.file ? "" : one.line;
    const state = element("span", one.error ? "state bad" : "state", `${one.error ? "错误" : "提醒"} ${one.code}`);
    return element("li", one.error ? "error" : "warning", link, " ", state, " ", one.message);
  }

  function offer(items) {
    if (!items.length) return;
    lines = items;
    const chosen = entries.value;
    entries.replaceChildren(...items.map((one) => new Option(one.title, one.id)));
    if (items.some((one) => one.id === chosen)) entries.value = chosen;
    choose();
  }

  // The entry that the cursor stands in is the one to preview.
  function choose() {
    if (!view.hasFocus) return;
    const at = view.state.doc.lineAt(view.state.selection.main.head).number;
    const here = lines.findLast((one) => one.line <= at);
    if (here) entries.value = here.id;
  }

  function go(number) {
    const line = view.state.doc.line(Math.min(Math.max(number, 1), view.state.doc.lines));
    view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: "center" }) });
    view.focus();
  }

  function preview() {
    if (!asking) ask(form.action);
  }

  async function ask(address) {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    outcome.setAttribute("aria-busy", "true");
    try {
      const page = new DOMParser().parseFromString(await (await post(address, mine)).text(), "text/html");
      const found = page.getElementById("outcome");
      outcome.replaceChildren(...(found ? found.childNodes : [element("p", "notice bad", LOST)]));
    } catch (error) {
      if (error.name !== "AbortError") outcome.replaceChildren(element("p", "notice bad", LOST));
    } finally {
      if (asking === mine) {
        asking = null;
        outcome.removeAttribute("aria-busy");
      }
    }
  }

  form.addEventListener("submit", (event) => {
    const address = event.submitter?.formAction ?? form.action;
    if (address.endsWith("/save")) {
      leaving = true;
      return;
    }
    event.preventDefault();
    ask(address);
  });
  entries.addEventListener("change", () => ask(form.action));
  document.addEventListener("click", (event) => {
    const line = Number(event.target.closest?.("a[data-line]")?.dataset.line);
    if (!line) return;
    event.preventDefault();
    go(line);
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && area.value !== opened) event.preventDefault();
  });

  async function follow(live, tries) {
    if (live.dataset.state !== "waiting" || !tries) return;
    await new Promise((resolve) => setTimeout(resolve, LIVE_MS));
    try {
      const found = await (await fetch(live.dataset.address)).json();
      live.dataset.state = found.state;
      if (live.textContent !== found.text) live.textContent = found.text;
      live.classList.toggle("bad", found.state === "refused");
    } catch {
      // asked again in a moment
    }
    follow(live, tries - 1);
  }

  const live = document.getElementById("live");
  if (live) follow(live, LIVE_TRIES);
  if (Number(form.dataset.line)) go(Number(form.dataset.line));
  check();
})();
