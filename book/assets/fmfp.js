// What scrolls sideways on a small screen can be reached, and so scrolled, by keyboard, and shows where there is more.
const scrollers = ".scroll, .cell_output .text_html, .pst-scrollable-table-container, .cell_output:has(> img), .bd-article figure";
function hint(box) {
  box.classList.toggle("more-right", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
}
function reachable() {
  for (const box of document.querySelectorAll(scrollers)) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    hint(box);
  }
}
document.addEventListener("scroll", (event) => event.target.matches?.(scrollers) && hint(event.target), true);
document.addEventListener("toggle", reachable, true); // a fold that opens shows its table
window.addEventListener("load", reachable);
window.addEventListener("resize", reachable);
