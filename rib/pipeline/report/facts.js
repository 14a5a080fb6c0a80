"use strict";
// What ran, how long it took and where it fell back. Text goes in as textContent only: names come from users.
const report = JSON.parse(document.getElementById("report").textContent);
const $ = (id) => document.getElementById(id);

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const number = (value, digits = 2) => String(Number(value.toFixed(digits)));
const seconds = (value) => value >= 100 ? `${Math.round(value)} s` : value >= 10 ? `${value.toFixed(1)} s` : `${value.toFixed(2)} s`;
const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

function rows(table, pairs) {
  for (const [name, value] of pairs) {
    const row = table.insertRow();
    row.append(element("td", name), element("td", value));
  }
}

function tiles(pairs) {
  for (const [value, label] of pairs) {
    const tile = element("div", "", { class: "tile" });
    tile.append(element("b", value), element("span", label));
    $("tiles").append(tile);
  }
}

function bars(times, total) {
  const longest = Math.max(...times.map(([, value]) => value), 1e-9);
  for (const [name, value] of times) {
    const bar = element("div", "", { class: "bar" }), track = element("div"), fill = element("i");
    fill.style.width = `${100 * value / longest}%`;
    track.append(fill);
    bar.append(element("span", name), track, element("span", seconds(value)));
    $("times").append(bar);
  }
  const sum = element("div", "", { class: "bar total" });
  sum.append(element("span", "Together"), element("span"), element("span", seconds(total)));
  $("times").append(sum);
}

function fallbacks(list) {
  if (!list.length) $("fallbacks").append(element("p", "Nowhere: the person was found in every keyframe.", { class: "note" }));
  for (const each of list.slice(0, 200)) {
    const jump = element("button", "", { class: "jump", title: "Go there" });
    jump.append(element("span", `${each.start_s.toFixed(2)}–${each.end_s.toFixed(2)} s`), element("span", each.why));
    jump.addEventListener("click", () => document.dispatchEvent(new CustomEvent("go", { detail: each.start_s })));
    $("fallbacks").append(jump);
  }
  if (list.length > 200) $("fallbacks").append(element("p", `and ${list.length - 200} more: intervals.csv has all`, { class: "note" }));
}

function stills(list) {
  for (const each of list) {
    const still = element("figure", "", { title: each.why }), told = `${each.start_s.toFixed(1)}–${each.end_s.toFixed(1)} s`;
    still.append(element("img", "", { src: each.picture, alt: "" }), element("b", told), element("span", each.why));
    $("stills").append(still);
  }
}

function people(list, end) {
  $("people").hidden = !list.length;
  for (const each of list) curve(`${each.id}: drawn in ${each.drawn} of ${each.intervals}`, each.start_s, each.there, 1, end, "people");
}

function curve(label, starts, values, most, end, into = "curves") {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "svg"), area = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const x = (second) => (1000 * second / end).toFixed(1), y = (value) => (40 - 38 * Math.min(value / most, 1)).toFixed(1);
  const steps = values.map((value, i) => `L${x(starts[i])} ${y(value)}L${x(i + 1 < starts.length ? starts[i + 1] : end)} ${y(value)}`);
  area.setAttribute("d", `M0 40${steps.join("")}L1000 40Z`);
  line.setAttribute("viewBox", "0 0 1000 41");
  line.setAttribute("preserveAspectRatio", "none");
  line.append(area);
  line.addEventListener("click", (event) => {
    const box = line.getBoundingClientRect();
    document.dispatchEvent(new CustomEvent("go", { detail: end * (event.clientX - box.left) / box.width }));
  });
  const row = element("div", "", { class: "curve" });
  row.append(element("span", label), line);
  $(into).append(row);
}

function curves(found, end) {
  if (!found) return;
  $("curves").hidden = false;
  const fastest = Math.max(...found.travel_torsos);
  curve("Renderer's share", found.start_s, found.trusted, Math.max(...found.trusted, 0.02), end);
  curve("Confidence", found.start_s, found.confidence, 1, end);
  curve(`Travel, up to ${number(fastest)} torsos`, found.start_s, found.travel_torsos, Math.max(fastest, 0.1), end);
}

document.title = `${report.title} · rib`;
$("title").textContent = report.title;
$("subtitle").textContent = report.subtitle;
tiles(report.tiles.map(([value, kind, label]) => [{ percent, seconds, number }[kind](value), label]));
bars(report.times, report.total_s);
fallbacks(report.fallbacks);
stills(report.stills);
curves(report.curves, report.end_s);
people(report.tracks, report.end_s);
rows($("stages"), report.stages);
rows($("versions"), report.versions);
$("settings").textContent = report.settings;
