"use strict";
// Filters for the claims and a moving line for the timelines. Without this script the page holds the same, as plain tables.

(() => {
  const CLAIMS = "#claims:";
  const form = document.querySelector("[data-filters]");
  const rows = [...document.querySelectorAll(".claims tbody > tr[data-verdict]")];
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const verdicts = new Map(rows.map((row) => [row, JSON.parse(row.dataset.verdicts)]));
  const first = new Map(rows.map((row, place) => [row, place]));
  const sorters = {
    "": (one, other) => first.get(one) - first.get(other),
    surprise: (one, other) => other.dataset.surprise - one.dataset.surprise,
    talk: (one, other) => one.dataset.place - other.dataset.place,
    name: (one, other) => words.get(one).localeCompare(words.get(other)),
  };

  // What the controls say, as the part of the address that leads back to it; empty where they say nothing.
  function chosen() {
    const told = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value) told.set(name, told.has(name) ? `${told.get(name)},${value}` : value);
    }
    return told.toString();
  }

  function choose(text) {
    const told = new URLSearchParams(text);
    for (const box of form.querySelectorAll("[type=checkbox]")) {
      box.checked = (told.get(box.name) ?? "").split(",").includes(box.value);
    }
    for (const field of form.querySelectorAll("select, [type=search]")) {
      field.value = told.get(field.name) ?? "";
      if (field.selectedIndex === -1) field.selectedIndex = 0;
    }
  }

  function fits(row, told) {
    const found = verdicts.get(row);
    const runtime = told.get("runtime");
    const verdict = runtime ? found[runtime] : row.dataset.verdict;
    return (
      verdict !== undefined &&
      (!told.has("verdict") || told.get("verdict").split(",").includes(verdict)) &&
      (!told.has("slide") || row.dataset.slides.split("|").includes(told.get("slide"))) &&
      (told.get("search") ?? "").toLowerCase().split(/\s+/).every((word) => words.get(row).includes(word))
    );
  }

  function filter() {
    const told = new URLSearchParams(chosen());
    let shown = 0;
    for (const row of rows) {
      row.hidden = !fits(row, told);
      shown += row.hidden ? 0 : 1;
      for (const one of row.querySelectorAll("[data-runtime]")) {
        one.hidden = told.has("runtime") && one.dataset.runtime !== told.get("runtime");
      }
    }
    const body = rows[0].parentElement;
    body.append(...[...rows].sort(sorters[told.get("sort") ?? ""] ?? sorters[""]));
    form.querySelector("output").textContent = `${shown} of ${rows.length} claims`;
  }

  // Filter as the controls say, and keep that in the address.
  function change() {
    filter();
    const text = chosen();
    history.replaceState(null, "", text ? CLAIMS + text : "#claims");
  }

  // The id that an address ends with; anything else is nobody's.
  function named(hash) {
    try {
      return decodeURIComponent(hash.slice(1));
    } catch {
      return "";
    }
  }

  // Go where the address says: to the claims that it asks for, or to an element, which must not be hidden or folded then.
  function arrive() {
    if (form && location.hash.startsWith(CLAIMS)) {
      choose(location.hash.slice(CLAIMS.length));
      filter();
      document.getElementById("claims").scrollIntoView();
      return;
    }
    const target = document.getElementById(named(location.hash));
    if (!target) return;
    if (form && target.closest("[hidden]")) {
      form.reset();
      filter();
    }
    for (let folded = target.closest("details"); folded; folded = folded.parentElement.closest("details")) {
      folded.open = true;
    }
    target.scrollIntoView();
  }

  if (form && rows.length) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", change);
    form.addEventListener("reset", () => setTimeout(change));
    for (const link of document.querySelectorAll("a[data-show]")) {
      link.href = `${CLAIMS}verdict=${encodeURIComponent(link.dataset.show)}`;
    }
    filter();
  }
  addEventListener("hashchange", arrive);
  arrive();

  // A curtain over what has not happened yet, drawn aside by hand or in some seconds.
  const SECONDS = 6;
  for (const drawing of document.querySelectorAll(".drawing[data-axis]")) {
    const [begin, end] = drawing.dataset.axis.split(" ").map(Number);
    const curtain = document.createElement("div");
    curtain.className = "curtain";
    const controls = document.createElement("div");
    controls.className = "scrub";
    const play = document.createElement("button");
    play.type = "button";
    play.textContent = "Play";
    const moment = document.createElement("input");
    moment.type = "range";
    moment.max = 1000;
    moment.value = 1000;
    moment.setAttribute("aria-label", "Moment on the time axis, in thousandths");
    controls.append(play, moment);
    drawing.append(curtain);
    drawing.parentElement.before(controls);
    let running = 0;
    const show = () => {
      const place = begin + ((end - begin) * moment.value) / 1000;
      curtain.style.left = `${100 * place}%`;
      curtain.style.right = `${100 * (1 - end)}%`;
      curtain.hidden = Number(moment.value) === 1000;
    };
    const stop = () => {
      cancelAnimationFrame(running);
      running = 0;
      play.textContent = "Play";
    };
    moment.addEventListener("input", () => {
      stop();
      show();
    });
    play.addEventListener("click", () => {
      if (running) return stop();
      const from = Number(moment.value) === 1000 ? 0 : Number(moment.value);
      const since = performance.now();
      play.textContent = "Pause";
      const step = (now) => {
        moment.value = Math.min(1000, from + (1000 * (now - since)) / 1000 / SECONDS);
        show();
        if (Number(moment.value) < 1000) running = requestAnimationFrame(step);
        else stop();
      };
      running = requestAnimationFrame(step);
    });
    show();
  }
})();
