(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function kept() { try { return localStorage.getItem("sonmat-scheme"); } catch (error) { return null; } }
  function keep(name) { try { localStorage.setItem("sonmat-scheme", name); } catch (error) { /* a file may have no storage */ } }
  if (kept()) { root.dataset.scheme = kept(); }
  var button = document.querySelector(".scheme");
  button.hidden = false;
  button.addEventListener("click", function () {
    var now = root.dataset.scheme || (dark.matches ? "dark" : "light");
    root.dataset.scheme = now === "dark" ? "light" : "dark";
    keep(root.dataset.scheme);
  });
  if (navigator.clipboard) {
    document.querySelectorAll(".copy").forEach(function (copy) {
      copy.hidden = false;
      copy.addEventListener("click", function () {
        navigator.clipboard.writeText(copy.parentElement.querySelector("code").textContent).then(function () {
          var word = copy.textContent;
          copy.textContent = copy.dataset.done;
          setTimeout(function () { copy.textContent = word; }, 1600);
        });
      });
    });
  }
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details:not([open]):not(.behind), details.parts:not([open])").forEach(function (fold) { fold.open = true; fold.dataset.print = ""; });
  });
  window.addEventListener("afterprint", function () {
    document.querySelectorAll("details[data-print]").forEach(function (fold) { fold.open = false; delete fold.dataset.print; });
  });
  function unfold() {
    // A link into a fold would lead nowhere in browsers that do not open it by themselves.
    var target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    var opened = false;
    for (var part = target; part; part = part.parentElement) {
      if (part.tagName === "DETAILS" && !part.open) { part.open = true; opened = true; }
    }
    if (opened) { target.scrollIntoView(); }
  }
  window.addEventListener("hashchange", unfold);
  unfold();
  var links = new Map();
  document.querySelectorAll(".contents a").forEach(function (link) { links.set(link.getAttribute("href").slice(1), link); });
  if ("IntersectionObserver" in window) {
    var watch = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting) { return; }
        links.forEach(function (link) { link.classList.remove("here"); });
        links.get(entry.target.id).classList.add("here");
      });
    }, { rootMargin: "-15% 0px -75% 0px" });
    document.querySelectorAll("main > section").forEach(function (section) { watch.observe(section); });
  }
})();
