// A figure that scrolls sideways on a small screen can be reached, and so scrolled, by keyboard.
function reachable() {
  for (const box of document.querySelectorAll(".cell_output:has(> img), .bd-article figure")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
window.addEventListener("load", reachable);
window.addEventListener("resize", reachable);
