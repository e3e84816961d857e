// Hides the runs that do not contain every word of the search.

const box = document.querySelector(".search");
const field = document.getElementById("find");
const status = box.querySelector("output");
const cards = [...document.querySelectorAll(".card")];
const texts = cards.map((card) => card.textContent.toLowerCase());

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  cards.forEach((card, place) => {
    card.hidden = !words.every((word) => texts[place].includes(word));
    shown += card.hidden ? 0 : 1;
  });
  const all = `${cards.length} ${cards.length === 1 ? "run" : "runs"}`;
  status.textContent = words.length ? `${shown} of ${all}` : all;
}

box.hidden = false;
field.addEventListener("input", search);
search(); // a browser may have kept what was typed
