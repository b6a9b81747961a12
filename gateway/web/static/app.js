// Keys and focus. Every page works without this file; it loads nothing and changes no content.
"use strict";

const typing = (element) => element.closest("input, select, textarea, [contenteditable]") !== null;

const rows = () => Array.from(document.querySelectorAll("[data-row] .row-link"));

/** Move the focus to the next or former row's link, and keep it in sight. */
function move(step) {
  const links = rows();
  if (links.length === 0) {
    return;
  }
  const row = document.activeElement.closest("[data-row]");
  const at = links.findIndex((link) => row !== null && row.contains(link));
  const to = links[Math.min(Math.max(at + step, 0), links.length - 1)];
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}

/** Follow the next or former problem's "Show it". */
function problem(step) {
  const links = Array.from(document.querySelectorAll("a[data-problem]"));
  if (links.length === 0) {
    return;
  }
  const at = links.findIndex((link) => link.getAttribute("href").endsWith(location.hash) && location.hash !== "");
  links[(at + step + links.length) % links.length].click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) {
    return;
  }
  const keys = document.getElementById("keys");
  if (keys.open) {
    return;
  }
  const actions = {
    "/": () => document.querySelector("[data-find]").focus(),
    "?": () => keys.showModal(),
    j: () => move(1),
    k: () => move(-1),
    n: () => problem(1),
    p: () => problem(-1),
  };
  const action = actions[event.key];
  if (action !== undefined) {
    event.preventDefault();
    action();
  }
});

// what was just done is read out, and the next Tab goes on from there
const flash = document.querySelector("[data-focus]");
if (flash !== null) {
  flash.focus({ preventScroll: true });
}
