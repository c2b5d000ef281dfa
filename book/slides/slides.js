// Arrow keys, space, page keys, Home and End move; N shows the notes; F fills the screen.
const slides = [...document.querySelectorAll("section")];
const nearest = () => {
  const tops = slides.map((s) => Math.abs(s.getBoundingClientRect().top));
  return tops.indexOf(Math.min(...tops));
};
const go = (number) => {
  const slide = slides[Math.max(0, Math.min(slides.length - 1, number))];
  slide.scrollIntoView({ behavior: "instant" }); // a smooth scroll would still be under way at the next key
  history.replaceState(null, "", `#${slide.id}`);
};
const STEPS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in STEPS) go(nearest() + (event.key === " " && event.shiftKey ? -1 : STEPS[event.key]));
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(slides.length - 1);
  else if (event.key.toLowerCase() === "n") document.body.classList.toggle("show-notes");
  else if (event.key.toLowerCase() === "f") {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.();
  } else return;
  event.preventDefault();
});
