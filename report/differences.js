"use strict";
// Compares any two sides cell by cell with Welch's interval, from the means and standard errors that the page holds.

// The cells that two sides have in common, and how many there are of those that they have not, by reason.
function compareSides(data, there, here) {
  const column = Object.fromEntries(data.columns.map((name, place) => [name, place]));
  const text = (work, name) => data.texts[work[column[name]]];
  const cells = (side) => {
    const found = new Map();
    let work = 0;
    side.at.forEach((step, place) => {
      work += step;
      const row = data.works[work];
      const key = ["workload", "size", "strategy", "workers", "pool", "metric"].map((name) => row[column[name]]);
      const freedom = Array.isArray(side.freedom) ? side.freedom[place] : side.freedom;
      found.set(key.join(), { work: row, number: work, value: side.value[place], error: side.error[place], freedom });
    });
    return found;
  };
  const [others, own] = [cells(there), cells(here)];
  const rows = [];
  const left = [];
  const leave = (work, reason) => left.push({ metric: text(work, "metric"), reason });
  const amount = (one, other, name, unit) =>
    `${other.work[column[name]].toLocaleString("en")} ${unit} on A, ${one.work[column[name]].toLocaleString("en")} on B`;
  for (const [key, one] of own) {
    const other = others.get(key);
    if (!other) leave(one.work, "only measured on B");
    else if (one.work[column.parameter] === null || other.work[column.parameter] === null) {
      leave(one.work, "what the size stands for is not known");
    } else if (one.work[column.parameter] !== other.work[column.parameter]) {
      leave(one.work, amount(one, other, "parameter", text(one.work, "unit")));
    } else if (one.number !== other.number) {
      leave(one.work, amount(one, other, "tasks", "tasks"));
    } else rows.push(compareCells(data, text, one, other, column));
  }
  for (const [key, other] of others) if (!own.has(key)) leave(other.work, "only measured on A");
  correct(rows);
  return { rows, left };
}

// One cell of both sides: the ratio B ÷ A with its interval. Welch, Biometrika 34 (1947), 28-35.
function compareCells(data, text, one, other, column) {
  const metric = text(one.work, "metric");
  const { plain, better } = data.metrics[metric];
  const difference = one.value - other.value;
  const [mine, theirs] = [one.error ** 2, other.error ** 2];
  const known = one.error !== null && other.error !== null;
  const freedom = (mine + theirs) ** 2 / (mine ** 2 / one.freedom + theirs ** 2 / other.freedom);
  const error = Math.sqrt(mine + theirs);
  const half = known ? quantile(0.975, freedom) * error : NaN;
  const ratio = (by) => (plain ? (other.value > 0 ? 1 + by / other.value : NaN) : Math.exp(by));
  const size = (value) => (plain ? value : Math.exp(value));
  const [low, high] = [ratio(difference - half), ratio(difference + half)];
  const workers = text(one.work, "strategy") === "sequential" ? "" : ` × ${one.work[column.workers]}`;
  const warm = text(one.work, "pool") === "warm" ? ", warm" : "";
  return {
    metric,
    gain: Math.sign(difference) * better,
    cell: `${text(one.work, "workload")}, ${text(one.work, "size")}: ${text(one.work, "strategy")}${workers}${warm}`,
    there: size(other.value),
    here: size(one.value),
    estimate: ratio(difference),
    low,
    high,
    beyond: known && low > -Infinity ? Math.max(low > 0 ? Math.log(low) : -Infinity, high > 0 ? -Math.log(high) : Infinity) : -Infinity,
    p: known ? twoSided(difference / error, freedom) : NaN,
  };
}

// Add q and what it says: all cells of two sides are one family. Benjamini & Hochberg, J. Royal Stat. Soc. B 57 (1995).
function correct(rows) {
  const tested = rows.filter((row) => Number.isFinite(row.p)).sort((one, other) => other.p - one.p);
  let least = 1;
  tested.forEach((row, place) => {
    least = Math.min(least, (row.p * tested.length) / (tested.length - place));
    row.q = least;
  });
  for (const row of rows) {
    row.outcome = row.q === undefined ? "unknown" : row.q > 0.05 ? "alike" : row.gain > 0 ? "better" : "worse";
  }
}

(() => {
  const place = document.querySelector("[data-differences]");
  const held = document.getElementById("cells");
  if (!place || !held) return;
  const data = JSON.parse(held.textContent);
  const form = place.querySelector("form");
  const box = place.querySelector(".box");
  const uncompared = place.querySelector(".uncompared");
  const MOST = 300;
  const SIGNS = { better: "↑", worse: "↓", alike: "=", unknown: "?" };
  const TONES = { better: "confirmed", worse: "refuted", alike: "not-tested", unknown: "not-tested" };
  const far = (row) => (Number.isNaN(row.beyond) ? -1e9 : Math.max(row.beyond, -1e9));
  const COLUMNS = [
    { name: "Cell", sort: (one, other) => one.cell.localeCompare(other.cell) },
    { name: "A", sort: (one, other) => one.there - other.there },
    { name: "B", sort: (one, other) => one.here - other.here },
    { name: "B ÷ A", sort: (one, other) => one.estimate - other.estimate },
    { name: "Interval beyond 1 by", sort: (one, other) => far(one) - far(other), turned: true },
    { name: "After correction", sort: (one, other) => (one.q ?? 2) - (other.q ?? 2) },
  ];
  let sorted = { column: 4, turned: true };
  let found = { rows: [], left: [] };

  const made = (kind, text, name = "") => {
    const element = document.createElement(kind);
    if (text !== undefined) element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  const digits = (value) => (value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3))));

  function quantity(value, metric) {
    if (!Number.isFinite(value)) return "–";
    if (metric === "speedup") return `${digits(value)}\u2009×`;
    const scales =
      metric === "seconds"
        ? [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]]
        : [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "bytes"]];
    const [scale, unit] = scales.find(([least]) => value >= least) ?? scales[scales.length - 1];
    return `${digits(value / scale)}\u00a0${unit}`;
  }

  function ratio(row) {
    const cell = made("span", undefined, "number");
    if (!Number.isFinite(row.estimate)) {
      cell.textContent = "–";
      return cell;
    }
    const places = row.estimate < 10 ? 2 : row.estimate < 100 ? 1 : 0;
    const figure = (value) => value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
    const bounds = Number.isFinite(row.low) && Number.isFinite(row.high) ? `[${figure(row.low)}, ${figure(row.high)}]` : "no interval";
    cell.append(made("b", `${figure(row.estimate)}\u2009×`), " ", made("span", bounds, "bounds"));
    return cell;
  }

  function surely(row) {
    const by = far(row);
    if (by === -1e9) return "–";
    return by <= 0 ? "holds 1" : `${digits(100 * Math.expm1(by))}\u00a0%`;
  }

  function verdict(row) {
    return made("span", `${SIGNS[row.outcome]} ${row.outcome}`, `badge ${TONES[row.outcome]}`);
  }

  function draw() {
    const words = form.elements.filter.value.toLowerCase().split(/\s+/);
    const metric = form.elements.metric.value;
    const own = found.rows.filter((row) => row.metric === metric);
    const rows = own.filter((row) => words.every((word) => row.cell.toLowerCase().includes(word)));
    rows.sort(COLUMNS[sorted.column].sort);
    if (sorted.turned) rows.reverse();
    const head = made("tr");
    COLUMNS.forEach((column, number) => {
      const heading = made("th");
      heading.scope = "col";
      const button = made("button", column.name);
      button.type = "button";
      button.addEventListener("click", () => {
        sorted = { column: number, turned: sorted.column === number ? !sorted.turned : Boolean(column.turned) };
        draw();
        box.querySelectorAll("th button")[number].focus();
      });
      if (number === sorted.column) heading.setAttribute("aria-sort", sorted.turned ? "descending" : "ascending");
      heading.append(button);
      head.append(heading);
    });
    const body = made("tbody");
    for (const row of rows.slice(0, MOST)) {
      const line = made("tr");
      const name = made("th", row.cell);
      name.scope = "row";
      const cells = [quantity(row.there, metric), quantity(row.here, metric), ratio(row), surely(row), verdict(row)];
      line.append(
        name,
        ...cells.map((content, number) => {
          const cell = made("td");
          cell.dataset.label = COLUMNS[number + 1].name;
          cell.append(content);
          return cell;
        }),
      );
      body.append(line);
    }
    const table = made("table", undefined, "cards differences");
    const top = made("thead");
    top.append(head);
    table.append(top, body);
    box.replaceChildren(rows.length ? table : made("p", own.length ? "No cell has all of these words." : "No cell in common."));
    told(rows, own);
  }

  function told(rows, own) {
    const count = (outcome) => rows.filter((row) => row.outcome === outcome).length;
    const parts = ["better", "worse", "alike", "unknown"].filter(count).map((outcome) => `${count(outcome)} ${outcome}`);
    const shown = rows.length > MOST ? `; the first ${MOST} are shown` : "";
    form.querySelector("output").textContent = `${rows.length} of ${own.length} cells compared${parts.length ? `: ${parts.join(", ")}` : ""}${shown}`;
    const reasons = new Map();
    for (const one of found.left) {
      if (one.metric === form.elements.metric.value) reasons.set(one.reason, (reasons.get(one.reason) ?? 0) + 1);
    }
    uncompared.replaceChildren(
      ...[...reasons].sort((one, other) => other[1] - one[1]).map(([reason, number]) =>
        made("li", `${number} ${number === 1 ? "cell" : "cells"} not compared: ${reason}`),
      ),
    );
  }

  function compare() {
    found = compareSides(data, data.sides[form.elements.there.value], data.sides[form.elements.here.value]);
    draw();
  }

  for (const [name, { words }] of Object.entries(data.metrics)) {
    const option = made("option", words);
    option.value = name;
    form.elements.metric.append(option);
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.filter.addEventListener("input", draw);
  form.elements.metric.addEventListener("change", draw);
  for (const name of ["there", "here"]) form.elements[name].addEventListener("change", compare);
  place.hidden = false;
  compare();
})();
