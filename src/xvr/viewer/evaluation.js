// Which items are shown, and larger images. Without scripts the page shows all of its items.

const form = document.querySelector(".filters");
const cards = [...document.querySelectorAll(".cards .card")];

// Verdicts of an item: r, w or - for each run, in order. A pair is two places, such as "0 2".
function onlyOneRight(verdicts, pair) {
  return pair.split(" ").map((place) => verdicts[place]).sort().join("") === "rw";
}

function showChosen() {
  const { task, right, wrong, differ } = form.elements;
  let shown = 0;
  for (const card of cards) {
    const verdicts = card.dataset.verdicts;
    card.hidden = !(
      (!task.value || card.dataset.task === task.value) &&
      (!right.value || verdicts[right.value] === "r") &&
      (!wrong.value || verdicts[wrong.value] === "w") &&
      (!differ?.value || onlyOneRight(verdicts, differ.value))
    );
    shown += !card.hidden;
  }
  const output = form.querySelector("output");
  const { shown: all, total } = output.dataset;
  output.textContent = `${shown} of ` + (all === total ? `${total} items` : `the ${all} items drawn from ${total}`);
}

const dialog = document.createElement("dialog");
dialog.append(document.createElement("img"), document.createElement("p"));
dialog.addEventListener("click", () => dialog.close());
document.body.append(dialog);
let enlarged = null;

function enlarge(button) {
  enlarged = button;
  const [image, caption] = dialog.children;
  image.src = button.firstElementChild.src;
  image.alt = button.firstElementChild.alt;
  caption.textContent = image.alt;
  if (!dialog.open) dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by || !dialog.open) return;
  const all = [...enlarged.closest(".card").querySelectorAll(".zoom")];
  enlarge(all[(all.indexOf(enlarged) + by + all.length) % all.length]);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest(".zoom");
  if (button) enlarge(button);
});
document.body.classList.add("live");
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", showChosen);
showChosen();
