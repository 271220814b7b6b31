(function () {
  "use strict";
  var form = document.querySelector(".filters");
  var table = document.querySelector(".tally");
  if (!form || !table) { return; }
  var told = table.dataset;
  var korean = document.documentElement.lang === "ko";
  var labels = told.kind === "labels";
  var cells = told.cells.split(";").filter(Boolean).map(function (cell) {
    var parts = cell.split(" ");
    return { slices: parts[0].split("."), outcomes: parts[1], rows: Number(parts[2]) };
  });
  var items = [].map.call(document.querySelectorAll(".item"), function (item) {
    return { element: item, slices: item.dataset.slices.split("."), outcomes: item.dataset.outcomes };
  });
  var columns = [].slice.call(form.querySelectorAll("select[data-column]"));
  var of = form.querySelector(".of"), fared = form.querySelector(".fared");
  function count(number) { return Math.round(number).toLocaleString("en-US"); }
  function share(value) { return (100 * value).toFixed(1) + (korean ? "%" : "\u00a0%"); }
  function said(sentence, words) { return sentence.replace(/\{(\w+)\}/g, function (_, name) { return words[name]; }); }
  function wilson(right, rows) {
    // The score interval of Wilson 1927, at 95 %, as the rest of the page has it.
    var z = 1.959963984540054, p = right / rows, shrink = 1 + z * z / rows;
    var centre = (p + z * z / (2 * rows)) / shrink;
    var half = z / shrink * Math.sqrt(p * (1 - p) / rows + z * z / (4 * rows * rows));
    return [Math.max(0, Math.min(p, centre - half)), Math.min(1, Math.max(p, centre + half))];
  }
  function fits(row) {
    var inside = columns.every(function (column) {
      return column.value === "" || row.slices[Number(column.dataset.column)] === column.value;
    });
    if (!inside || fared.value === "") { return inside; }
    if (fared.value === "mixed") { return row.outcomes.indexOf("1") >= 0 && row.outcomes.indexOf("0") >= 0; }
    return row.outcomes[Number(of.value)] === fared.value;
  }
  function tally(cell, rows) {
    var arm = Number(cell.dataset.arm), main = "–", detail = "", n = { "1": 0, "=": 0, "0": 0, "-": 0 };
    rows.forEach(function (row) { n[row.outcomes[arm]] += row.rows; });
    var all = n["1"] + n["="] + n["0"];
    if (all && labels) {
      var ends = wilson(n["1"], all);
      main = share(n["1"] / all);
      detail = said(told.rightOf, { right: count(n["1"]), rows: count(all) });
      // Of rows that belong together, an interval that counts each as one would be too narrow.
      if (told.grouped !== "true") { detail += " · " + share(ends[0]) + " – " + share(ends[1]); }
    } else if (all) {
      main = said(told.three, { better: count(n["1"]), equal: count(n["="]), worse: count(n["0"]) });
    }
    var place = cell.firstElementChild, small = document.createElement("small");
    place.textContent = main;
    small.textContent = detail;
    place.appendChild(small);
  }
  function apply() {
    var chosen = columns.concat([fared]).some(function (select) { return select.value !== ""; });
    var inside = cells.filter(fits), shown = 0;
    items.forEach(function (item) {
      var visible = fits(item);
      item.element.hidden = !visible;
      shown += visible ? 1 : 0;
    });
    document.querySelectorAll(".group").forEach(function (group) { group.hidden = !group.querySelector(".item:not([hidden])"); });
    table.querySelectorAll(".selection").forEach(function (cell) {
      cell.hidden = !chosen;
      if (cell.dataset.arm !== undefined) { tally(cell, inside); }
    });
    var rows = inside.reduce(function (sum, cell) { return sum + cell.rows; }, 0);
    var words = { shown: count(shown), all: count(told.shown), rows: count(rows), total: count(told.total) };
    form.querySelector("output").textContent = said(told.found, words) + (shown ? "" : " " + told.none);
    form.querySelector("button").hidden = !chosen;
  }
  form.hidden = false;
  form.addEventListener("change", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(apply, 0); });
  function reveal() {
    // A link to a row that the filters hide would lead nowhere.
    var target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (target && target.hidden) { form.reset(); apply(); target.scrollIntoView(); }
  }
  window.addEventListener("hashchange", reveal);
  apply();
  reveal();
})();
