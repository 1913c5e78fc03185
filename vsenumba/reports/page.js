"use strict";
document.documentElement.classList.add("js");
const copies = JSON.parse(document.getElementById("copies").textContent);
const tip = document.getElementById("tip"), said = document.getElementById("said");
let quiet = 0;
function say(text) {
  said.textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => { said.textContent = ""; }, 4000);
}

// Tables: a click on a header sorts by it, numbers from the largest, names from A; another click turns the order.
// What is not defined comes last either way.
const names = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
function sortBy(table, column) {
  const header = table.tHead.rows[0].cells[column], isNumber = header.classList.contains("number");
  const before = header.getAttribute("aria-sort");
  const rising = before ? before === "descending" : !isNumber;
  const keyed = Array.from(table.tBodies[0].rows, row => {
    const cell = row.cells[column];
    return { row, key: isNumber ? cell.dataset.value : cell.textContent };
  });
  keyed.sort((a, b) => {
    if (a.key === "" || b.key === "") return (a.key === "") - (b.key === "");
    const order = isNumber ? a.key - b.key : names.compare(a.key, b.key);
    return rising ? order : -order;
  });
  table.tBodies[0].append(...keyed.map(one => one.row));
  for (const one of table.tHead.rows[0].cells) one.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", rising ? "ascending" : "descending");
}
for (const table of document.querySelectorAll("table")) {
  Array.from(table.tHead.rows[0].cells, (header, column) =>
    header.querySelector("button").addEventListener("click", () => sortBy(table, column)));
}

// Copying: the rows in the order in which they are shown.
function textOf(key, format) {
  const copy = copies[key][format], rows = document.getElementById("table-" + key).tBodies[0].rows;
  const lines = Array.from(rows, row => copy.rows[row.dataset.row]);
  return [copy.before, ...lines, ...(copy.after ? [copy.after] : [])].join("\n") + "\n";
}
async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied" + (button.dataset.format ? " as " + button.textContent : ""));
  } catch {
    // The browser does not let the page write to the clipboard: offer the text to be copied by hand.
    let box = button.parentNode.querySelector("textarea");
    if (!box) {
      box = document.createElement("textarea");
      box.className = "offered";
      box.readOnly = true;
      box.setAttribute("aria-label", "Text to copy");
      button.parentNode.append(box);
    }
    box.value = text;
    box.select();
    say("Press Ctrl-C or Cmd-C to copy the text");
  }
}
document.addEventListener("click", event => {
  const button = event.target.closest(".copy button");
  if (!button) return;
  const { table, format, text } = button.dataset;
  copy(button, table ? textOf(table, format) : document.getElementById(text).textContent + "\n");
});

// Charts: the nearest point says its values, under the pointer or with the arrow keys.
function show(point) {
  for (const one of document.querySelectorAll(".point.now")) one.classList.remove("now");
  tip.hidden = !point;
  if (!point) return;
  point.classList.add("now");
  tip.textContent = point.dataset.tip;
  const place = point.querySelector(".dot, .bar").getBoundingClientRect(), size = tip.getBoundingClientRect();
  const left = place.left + place.width / 2 - size.width / 2, above = place.top - size.height - 8;
  tip.style.left = Math.max(4, Math.min(left, innerWidth - size.width - 4)) + "px";
  tip.style.top = (above > 4 ? above : place.bottom + 8) + "px";
}
function nearest(points, x, y, most) {
  let best = null, least = most;
  for (const point of points) {
    const distance = Math.hypot(point.dataset.x - x, point.dataset.y - y);
    if (distance < least) [best, least] = [point, distance];
  }
  return best;
}
for (const chart of document.querySelectorAll("svg.chart")) {
  const points = Array.from(chart.querySelectorAll(".point"));
  for (const point of points) {
    const title = point.querySelector("title");
    point.dataset.tip = title.textContent;
    title.remove();
  }
  let now = -1;
  chart.addEventListener("pointermove", event => {
    const box = chart.getBoundingClientRect(), scale = chart.viewBox.baseVal.width / box.width;
    const hit = event.target.closest(".point");
    show(nearest(points, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale, 28) || hit);
  });
  chart.addEventListener("pointerleave", () => show(null));
  chart.addEventListener("blur", () => show(null));
  chart.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") show(null);
    if (step && points.length) {
      event.preventDefault();
      now = (now + step + points.length) % points.length;
      show(points[now]);
      say(points[now].dataset.tip);
    }
  });
}
addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
addEventListener("scroll", () => show(null), { passive: true });
