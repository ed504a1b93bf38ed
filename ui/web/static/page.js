/* What the page does without the server: footnotes, keys, copying, the sheet on phones.
   Gradio's patching resets attributes set here, so they are set again after every change. */
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const seen = (element) => element.getClientRects().length > 0;
  const phone = matchMedia("(max-width: 768px)");
  let chosen = null; // { ev, claim, segments }: the pressed footnote
  let turn = null; // whose evidence is shown
  let newest = -1;
  let unseen = 0; // the question that is still to be brought to the top
  let returnTo = null;
  let landing = ""; // where the focus goes should what was pressed go away
  let reading = ""; // the paper that was pressed in the list, until it is there
  let turning = null; // the page of the list that is to be left
  let seeking = false; // whether the question is sought, from another tab

  let words = false; // whether two answers are set word against word
  const FOOTNOTES = ":is(#past, #live, .sides) .cite[data-ev]";
  const set = (element, name, value) => { if (element.getAttribute(name) !== value) element.setAttribute(name, value); };
  const toggle = (element, name, on) => { if (element.classList.contains(name) !== on) element.classList.toggle(name, on); };

  function segmentsOf(mark) {
    const first = document.getElementById(mark.ev);
    if (!first) return [];
    const found = [first];
    while (found.length < mark.segments && found.at(-1).nextElementSibling) found.push(found.at(-1).nextElementSibling);
    return found;
  }

  const isChosen = (button) => !!chosen && button.dataset.ev === chosen.ev && button.dataset.claim === chosen.claim;
  const turnOf = (mark) => mark.claim.match(/^t(\d+)/)[1];

  function apply() {
    const sections = all("#evcol .evturn");
    const last = Math.max(-1, ...sections.map((section) => Number(section.dataset.turn)));
    if (last !== newest) { // a new question: its evidence takes the place of what was looked at
      newest = last; turn = String(last); chosen = null;
      unseen = last > 1 ? last : 0;
    }
    const cites = all(FOOTNOTES);
    if (!cites.some(isChosen)) chosen = null; // it went with its answer, and its keys will name other sentences
    const question = unseen && document.getElementById(`t${unseen}`); // once what was before it is above it
    if (question && all("#past .turn").length >= unseen - 1) { unseen = 0; question.scrollIntoView({ block: "start" }); }
    for (const section of sections) toggle(section, "on", section.dataset.turn === turn);
    for (const button of cites) set(button, "aria-pressed", String(isChosen(button)));
    const active = new Set(chosen ? segmentsOf(chosen) : []);
    for (const segment of all(".paper.active, .abstract .active")) if (!active.has(segment)) segment.classList.remove("active");
    for (const segment of active) toggle(segment, "active", true);
    for (const button of all("[data-step]")) button.disabled = !cites.length;
    for (const panel of all(".pick")) panel.hidden = !chosen || panel.dataset.pick !== chosen.claim;
    for (const hint of all("[data-hint]")) hint.hidden = !!chosen && hint.closest(".evturn").dataset.turn === turnOf(chosen);
    for (const claim of all(".claim[id]")) toggle(claim, "current", !!chosen && claim.id === chosen.claim);
    for (const sides of all(".sides")) toggle(sides, "worddiff", words);
    for (const button of all("[data-worddiff]")) set(button, "aria-pressed", String(words));
  }

  function pick(button) {
    chosen = { ev: button.dataset.ev, claim: button.dataset.claim, segments: Number(button.dataset.segments) };
    const [segment] = segmentsOf(chosen), box = segment?.closest("#evcol, .beside");
    if (!box || box.id) turn = turnOf(chosen); // what a run answered has its evidence below it
    apply();
    if (!box) return;
    const folded = segment.closest("details");
    if (folded) folded.open = true;
    openSheet(button, box);
    const panel = one(`.pick[data-pick="${CSS.escape(chosen.claim)}"]`);
    const head = one("#evhead, .evhead", box)?.offsetHeight ?? 0;
    box.style.setProperty("--fn-head", `${head}px`);
    const covered = head + (panel ? panel.offsetHeight + 12 : 0); // both stay on top
    const place = segment.getBoundingClientRect(), free = box.clientHeight - covered;
    const down = place.top - box.getBoundingClientRect().top - covered - Math.max(0, (free - place.height) / 3);
    box.scrollTo({ top: Math.max(0, box.scrollTop + down) });
    if (!box.id && !phone.matches) segment.scrollIntoView({ block: "nearest" });
  }

  function openSheet(from, box) {
    if (!phone.matches) return;
    returnTo = from;
    document.body.classList.add("sheet");
    one(".closer", box)?.focus({ preventScroll: true });
  }

  function closeSheet() {
    const open = document.body.classList.contains("sheet");
    document.body.classList.remove("sheet");
    const back = returnTo && document.contains(returnTo) ? returnTo : currentMark();
    if (open) back?.focus();
    else if (chosen) { chosen = null; apply(); }
    returnTo = null;
  }

  const marks = () => all(FOOTNOTES).filter(seen);
  const currentMark = () => marks().find(isChosen);

  function step(by) {
    const list = marks();
    if (!list.length) return;
    let at = list.indexOf(document.activeElement);
    if (at < 0) at = list.indexOf(currentMark());
    if (at < 0 && by < 0) at = list.length;
    const next = list[Math.min(list.length - 1, Math.max(0, at + by))];
    next.scrollIntoView({ block: "nearest" });
    if (!phone.matches) next.focus({ preventScroll: true });
    returnTo = next;
    pick(next);
  }

  let quiet = 0, heard = "", explained = null, looked = null;
  function say(text, loud = true) {
    const line = one("#said");
    if (!line) return;
    line.textContent = text;
    line.classList.toggle("loud", loud);
    clearTimeout(quiet);
    quiet = setTimeout(() => { line.classList.remove("loud"); }, 3500);
  }
  function listen() { // what the server has to say
    const told = one("#told span");
    const number = told ? told.dataset.number : "";
    if (number && number !== heard) say(told.textContent, "toast" in told.dataset);
    heard = number;
    const why = one("#why h3");
    if (why && why !== explained) one("#evcol").scrollTo({ top: 0 });
    explained = why;
    if (!all(".sides").some((sides) => sides.dataset.looked === looked)) looked = null;
    const found = all(".sides").find(seen);
    if (!found || found.dataset.looked === looked) return;
    looked = found.dataset.looked;
    if (chosen && Number(turnOf(chosen)) >= 9000) { chosen = null; apply(); } // its keys now name other sentences
    (one(".looked", found.parentElement) ?? found).scrollIntoView({ block: "start" });
  }

  const QUESTION = "#question textarea";
  // What vanishes when it is pressed would leave the focus nowhere; on touch the question would bring up the keyboard.
  const LANDINGS = {
    "[data-act=turn_page], [data-act=remove]": "#papers .card, #papers .note",
    "#decide button": "#add > button",
    "[data-act=close_why]": ".pick:not([hidden]) [data-act=why]",
    "[data-act=ask], [data-act=retry], #anew, #composer .submit-button, #composer .stop-button": QUESTION,
  };
  function land() {
    if (!landing || document.activeElement !== document.body || (landing === QUESTION && matchMedia("(pointer: coarse)").matches)) return;
    one(landing)?.focus({ preventScroll: true });
  }

  function follow() { // what was asked for by a press, once it is there
    const paper = reading && one(`#paper [data-paper="${CSS.escape(reading)}"]`);
    if (paper) {
      reading = "";
      if (phone.matches) { paper.scrollIntoView({ block: "start" }); one("h2", paper).focus({ preventScroll: true }); }
    }
    const list = one("#papers");
    if (turning !== null && one(".pager span", list)?.textContent !== turning) {
      turning = null;
      if (list.getBoundingClientRect().top < 0) list.scrollIntoView({ block: "start" });
    }
    if (seeking) seek();
  }

  function seek() {
    const area = one(QUESTION);
    if (!seeking && area && !seen(area)) window.footnoteAct?.({ act: "tab", value: "ask" });
    seeking = !!area && !seen(area);
    if (!seeking) area?.focus();
  }

  async function copy(text, button) {
    try { await navigator.clipboard.writeText(text); } catch { // not offered on a page that is neither local nor https
      const area = document.createElement("textarea");
      area.value = text; area.className = "unseen"; document.body.append(area); area.select();
      document.execCommand("copy"); area.remove(); button.focus({ preventScroll: true });
    }
    say("Copied");
    const before = button.dataset.before ??= button.textContent; // pressed again, it says "Copied" still
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1200);
  }

  function compose(text) {
    const area = one(QUESTION);
    if (!area) return;
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, .said");
    if (!button) return;
    const data = button.dataset;
    landing = Object.entries(LANDINGS).find(([pressed]) => button.matches(pressed))?.[1] ?? "";
    if (button.matches(".cite[data-ev]")) { event.preventDefault(); pick(button); }
    else if (button.matches(".said")) { const mark = one(".cite[data-ev]", button.closest(".claim")); if (mark && !String(getSelection())) pick(mark); }
    else if ("worddiff" in data) { words = !words; apply(); }
    else if ("step" in data) step(Number(data.step));
    else if ("close" in data) closeSheet();
    else if ("help" in data) one("#keys")?.showModal();
    else if ("copy" in data) copy(document.getElementById(data.copy)?.textContent ?? "", button);
    else if ("copyquote" in data) copy(chosen ? segmentsOf(chosen).map((segment) => segment.textContent).join("") : "", button);
    else if ("back" in data) (one(`#papers .card[data-value="${CSS.escape(data.back)}"]`) ?? one("#papers .card"))?.focus();
    else if ("compose" in data) compose(data.compose);
    else if ("closest" in data) { turn = data.closest; chosen = null; apply(); openSheet(button, one("#evcol")); one("#evcol").scrollTo({ top: 0 }); }
    else if ("act" in data) {
      const sure = "sure" in data;
      if (sure && event.detail > 1) return; // a double click is one press
      if (sure && !button.classList.contains("asked")) {
        const before = button.textContent;
        button.classList.add("asked"); button.textContent = data.sure;
        setTimeout(() => { button.classList.remove("asked"); button.textContent = before; }, 4000);
        return;
      }
      if (data.act === "paper") { reading = data.value; requestAnimationFrame(follow); } // it may be there already
      if (data.act === "turn_page") turning = one("#papers .pager span").textContent;
      const comment = one("[data-comment]", button.closest(".sheetlet") ?? document.createElement("i"));
      window.footnoteAct?.({ act: data.act, turn: Number(data.turn ?? 0), value: data.value ?? "", comment: comment?.value ?? "" });
      const menu = button.closest("details.feedback");
      if (menu) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    const writing = event.target.closest("input, textarea, select, [contenteditable=true]");
    if (one("dialog[open]")) return;
    if (event.key === "Escape") { if (writing) event.target.blur(); else closeSheet(); return; }
    if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "/") { event.preventDefault(); seek(); }
    else if (event.key === "?") one("#keys")?.showModal();
  });

  const underline = (event, on) => {
    const paper = event.target.closest?.(":is(#evcol, .beside) .paper");
    if (!paper) return;
    for (const button of all(`.cite[data-ev^="${CSS.escape(paper.id)}-"]`)) toggle(button.closest(".claim"), "rests", on);
  };
  document.addEventListener("mouseover", (event) => underline(event, true));
  document.addEventListener("mouseout", (event) => underline(event, false));

  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => { landing = ""; seeking = false; }, true);

  let waits = ""; // the question that waited when last looked at; one that was lost on its way is sent once more
  let reminded = false; // harmless if it was not lost: a question is taken up once
  setInterval(() => {
    const now = one("#live .asking[data-waits]")?.dataset.turn ?? "";
    if (now !== waits) reminded = false;
    else if (now && !reminded) { reminded = true; window.footnoteAct?.({ act: "remind" }); }
    waits = now;
  }, 4000);

  window.addEventListener("focus", () => window.footnoteAct?.({ act: "look" })); // papers may have come or gone meanwhile

  const onlyStreams = (records) => { // a draft has no footnotes: nothing to set again, however long the page is
    const live = one("#live");
    return live?.querySelector(".asking") && records.every((record) => live.contains(record.target));
  };
  let waiting = false;
  new MutationObserver((records) => {
    if (landing) requestAnimationFrame(() => setTimeout(land)); // by then what is hidden or disabled has lost the focus
    if (waiting || onlyStreams(records)) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; apply(); listen(); follow(); });
  }).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-pressed", "class"] });
})();
