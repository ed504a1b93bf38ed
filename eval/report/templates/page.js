"use strict";
(() => {
  const form = document.querySelector(".filters");
  const cards = [...document.querySelectorAll(".card")];
  const texts = new Map();
  const text = (card) => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };
  const chips = [...form.querySelectorAll(".chip")];
  const kind = form.querySelector("[data-kind]");
  const type = form.querySelector("[data-type]");
  const find = form.querySelector("[data-find]");
  const shown = form.querySelector("[data-shown]");
  const nothing = document.querySelector(".nothing");

  const apply = () => {
    const pressed = chips.find((chip) => chip.getAttribute("aria-pressed") === "true");
    const wanted = [pressed ? pressed.dataset.token : "", kind ? kind.value : ""].filter(Boolean);
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const card of cards) {
      const tokens = card.dataset.tokens.split(/\s+/);
      const fits = wanted.every((token) => tokens.includes(token))
        && (!type.value || card.dataset.type === type.value)
        && words.every((word) => text(card).includes(word));
      card.hidden = !fits;
      count += fits;
    }
    shown.textContent = count === cards.length ? `${count} questions` : `${count} of ${cards.length} questions`;
    nothing.hidden = count > 0;
  };
  const jump = () => {
    const card = document.getElementById(location.hash.slice(1));
    if (card && card.matches(".card")) {
      card.hidden = false;
      card.open = true;
      card.scrollIntoView();
    }
  };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches(".chip")) {
      for (const chip of chips) chip.setAttribute("aria-pressed", String(chip === button));
      apply();
    } else {
      for (const card of cards) if (!card.hidden) card.open = button.dataset.open === "true";
    }
  });
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", jump);
  form.hidden = false;
  apply();
  jump();
})();
