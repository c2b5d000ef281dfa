// What scrolls sideways on a small screen can be reached, and so scrolled, by keyboard, and shows where there is more.
const scrollers = ".scroll, .cell_output .text_html, .pst-scrollable-table-container, .cell_output:has(> img), mjx-container[display], div.highlight pre";
function hint(box) {
  box.classList.toggle("more-right", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
}
function reachable() {
  for (const box of document.querySelectorAll(scrollers)) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else if (!box.matches("mjx-container")) box.removeAttribute("tabindex"); // which all can be reached, for their menu
    hint(box);
  }
}
document.addEventListener("scroll", (event) => event.target.matches?.(scrollers) && hint(event.target), true);
document.addEventListener("toggle", reachable, true); // a fold that opens shows its table
window.addEventListener("load", () => {
  for (const image of document.querySelectorAll(".cell_output > img, .bd-article figure > img")) {
    image.classList.toggle("wide", image.naturalWidth > 600);
    if (image.parentElement.matches("figure")) {
      const box = document.createElement("div");
      box.className = "scroll";
      image.replaceWith(box);
      box.append(image);
    }
  }
  // A short word of code, such as an option, does not break at its hyphens; a long one may.
  for (const word of document.querySelectorAll("code .pre")) word.classList.toggle("short", word.textContent.length < 25);
  for (const table of document.querySelectorAll(".stack table")) {
    const heads = [...table.querySelectorAll("thead th, thead td")].map((head) => head.textContent.trim());
    const first = table.closest(".headed") ? 2 : 3; // the second cell mostly explains the first and needs no name
    for (const cell of table.querySelectorAll(`tbody td:nth-child(n + ${first})`)) {
      cell.dataset.head = heads[cell.cellIndex];
      cell.classList.toggle("none", cell.textContent.trim() === "–");
    }
  }
  reachable();
  window.MathJax?.startup?.promise?.then(reachable);
});
window.addEventListener("resize", reachable);
