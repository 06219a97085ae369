// Tabs, cards, answers. Without scripts the page shows all cards one after the other, without 3D.

function openAnswer(card) {
  const details = card.querySelector("details");
  details.querySelector("summary").textContent = details.open ? "Hide answer" : "Reveal answer";
  const canvas = card.querySelector("canvas");
  if (!details.open || !canvas || canvas.view) return;
  const drawing = JSON.parse(card.querySelector(".space script").textContent);
  canvas.view = new View3D(canvas, drawing, figuresOf(card));
  for (const button of card.querySelectorAll(".tools button")) {
    button.addEventListener("click", () => canvas.view.use(button.dataset.do));
  }
}

// By the number of the image; a picture that is missing leaves its place empty.
function figuresOf(card) {
  return [...card.querySelectorAll("figure")].map((figure) => figure.querySelector("img")).map((image) => image || new Image());
}

const tabs = [...document.querySelectorAll(".tabs button")];
const panels = [...document.querySelectorAll(".task-panel")];

function showTask(task) {
  const found = panels.some((panel) => panel.dataset.task === task);
  const chosen = found ? task : panels[0]?.dataset.task;
  for (const panel of panels) panel.hidden = panel.dataset.task !== chosen;
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", tab.dataset.task === chosen);
    tab.tabIndex = tab.dataset.task === chosen ? 0 : -1;
    if (tab.dataset.task === chosen) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 40;
  }
}

function currentPanel() {
  return panels.find((panel) => !panel.hidden);
}

function showCard(panel, index) {
  const cards = [...panel.querySelectorAll(".card")];
  const chosen = Math.max(0, Math.min(cards.length - 1, index));
  cards.forEach((card, i) => (card.hidden = i !== chosen));
  panel.querySelectorAll(".pager [data-index]").forEach((button, i) => button.setAttribute("aria-current", i === chosen));
  panel.dataset.card = chosen;
  return cards[chosen];
}

function step(by) {
  const panel = currentPanel();
  if (panel) showCard(panel, Number(panel.dataset.card) + by);
}

function addPager(panel) {
  const cards = panel.querySelectorAll(".card");
  const pager = document.createElement("div");
  pager.className = "pager";
  const add = (text, label, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    pager.append(button);
    return button;
  };
  add("←", "Previous sample", () => step(-1));
  cards.forEach((_, i) => (add(i + 1, `Sample ${i + 1}`, () => showCard(panel, i)).dataset.index = i));
  add("→", "Next sample", () => step(1));
  cards[0].before(pager);
  showCard(panel, 0);
}

// #task=point_correspondence&sample=3&reveal=1
function followHash() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (!wanted.has("task")) return;
  showTask(wanted.get("task"));
  const panel = currentPanel();
  if (!panel) return;
  const card = showCard(panel, (Number(wanted.get("sample")) || 1) - 1);
  if (wanted.get("reveal")) card.querySelector("details").open = true;
  document.getElementById("samples").scrollIntoView();
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
  caption.textContent = button.getAttribute("aria-label").replace("Enlarge ", "");
  if (!dialog.open) dialog.showModal();
}

function enlargeNext(by) {
  const all = [...enlarged.closest(".card").querySelectorAll(".zoom")];
  enlarge(all[(all.indexOf(enlarged) + by + all.length) % all.length]);
}

document.body.classList.add("live");
panels.forEach(addPager);
if (panels.length) showTask(panels[0].dataset.task);
for (const card of document.querySelectorAll(".card")) {
  card.querySelector("details").addEventListener("toggle", () => openAnswer(card));
}
for (const button of document.querySelectorAll(".zoom")) {
  button.addEventListener("click", () => enlarge(button));
}
tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => showTask(tab.dataset.task));
  tab.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = tabs[(i + by + tabs.length) % tabs.length];
    showTask(next.dataset.task);
    next.focus();
    event.stopPropagation();
  });
});
document.addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
  if (dialog.open) enlargeNext(by);
  else step(by);
});
addEventListener("hashchange", followHash);
followHash();
