// What pages do: print, full screen, and what a link into something folded needs.
document.addEventListener("click", (event) => {
  const action = event.target.closest("[data-action]")?.dataset.action;
  if (action === "print") window.print();
  if (action === "full-screen") toggleFullScreen();
});

function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  target?.scrollIntoView();
}
addEventListener("hashchange", unfold);
if (location.hash) unfold();

// The fonts of what is folded, too: printing unfolds it, and does not wait for them.
for (const font of document.fonts) {
  const face = `${font.weight === "bold" ? "Bold" : ""}${font.style === "italic" ? "Italic" : ""}` || "Regular";
  if (document.documentElement.dataset.fonts.includes(`${font.family.replaceAll('"', "")}-${face}`)) font.load();
}

// On paper, solutions are open, and the page is light.
let closed = [];
let theme;
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const node of closed) node.open = true;
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => {
  for (const node of closed) node.open = false;
  document.documentElement.dataset.theme = theme;
});

// Files that are loaded when a reader asks for what is in them. Scripts work from file://, too.
const ROOT = document.documentElement.dataset.content_root;
const INDEX = document.currentScript.dataset.index;
const loaded = {};
function load(address) {
  return (loaded[address] ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  }));
}

// What a button asks for is loaded in its order, and takes the place of the button.
function bring(button) {
  button.disabled = true;
  for (const address of button.dataset.loads.split(" ")) {
    const node = document.createElement(address.includes(".css") ? "link" : "script");
    if (node.tagName === "LINK") Object.assign(node, { rel: "stylesheet", href: address });
    else Object.assign(node, { src: address, async: false });
    node.onerror = () => (button.textContent = "It could not be loaded. Load the page again.");
    document.head.append(node);
  }
}
for (const button of document.querySelectorAll("button[data-loads]")) button.addEventListener("click", () => bring(button));

// The search.
let engine;
async function find(query) {
  if (!engine) {
    await Promise.all([load(`${ROOT}_static/vendor/minisearch/minisearch.js`), load(INDEX)]);
    engine = new MiniSearch({
      fields: ["title", "chapter", "text"],
      storeFields: ["title", "chapter", "text"],
      tokenize: (text) => text.split(/[^\p{L}\p{N}.]+|\.(?!\d)/u).filter(Boolean), // (3.2) is one word
      searchOptions: { boost: { title: 4, chapter: 2 }, prefix: true, fuzzy: (word) => (word.length > 5 ? 0.15 : 0), combineWith: "AND" },
    });
    engine.addAll(searchDocuments);
  }
  // Who writes (3.2) means the equation.
  const boostDocument = (id, term, { title }) => (title.endsWith(query) ? 4 : 1);
  return engine.search(query, { boostDocument }).slice(0, 20);
}

function excerpt(text, terms) {
  const places = terms.map((term) => text.toLowerCase().indexOf(term)).filter((at) => at >= 0);
  const start = Math.max(0, Math.min(...places, places.length ? text.length : 0) - 60);
  const from = start > 0 ? text.indexOf(" ", start) + 1 : 0;
  return (from > 0 ? "… " : "") + text.slice(from, from + 160).replace(/\s\S*$/, " …");
}

async function show(input, box) {
  const query = input.value.trim();
  const hits = query ? await find(query) : [];
  if (input.value.trim() !== query) return; // typed on meanwhile
  const said = document.createElement("p");
  said.textContent = query ? `${hits.length === 20 ? "The first 20" : hits.length} found` : "";
  said.setAttribute("role", "status");
  const list = document.createElement("ol");
  for (const hit of hits) {
    const item = list.appendChild(document.createElement("li"));
    const link = item.appendChild(document.createElement("a"));
    link.href = ROOT + hit.id;
    link.textContent = `${hit.title}${hit.title === hit.chapter ? "" : ` · ${hit.chapter}`}`;
    item.appendChild(document.createElement("p")).textContent = excerpt(hit.text, hit.terms);
  }
  box.replaceChildren(said, list);
}

for (const form of document.querySelectorAll("form.bd-search")) {
  const input = form.querySelector("input");
  const box = form.parentElement.querySelector("#search-results") ?? document.createElement("div");
  box.classList.add("found");
  form.after(box);
  input.addEventListener("input", () => show(input, box));
  const query = new URLSearchParams(location.search).get("q");
  if (query && !form.closest("dialog")) {
    input.value = query;
    show(input, box);
  }
}

// A preview of what a link leads to, while the pointer or the focus is on it.
const PREVIEW = document.createElement("div");
PREVIEW.className = "preview";
PREVIEW.id = "preview";
PREVIEW.setAttribute("role", "tooltip");
PREVIEW.hidden = true;
document.querySelector("main").append(PREVIEW);
let previewed = null;

async function preview(link) {
  away();
  previewed = link;
  const url = new URL(link.href);
  const top = new URL(ROOT, location.href).href;
  if (!url.hash || !url.href.startsWith(top)) return;
  const page = url.href.slice(top.length).split(/[?#]/)[0];
  try {
    await load(`${ROOT}_static/previews/${page.replaceAll("/", "-").replace(/\.html$/, ".js")}`);
  } catch {
    return; // nothing on that page is previewed
  }
  const html = window.previews?.[page]?.[decodeURIComponent(url.hash.slice(1))];
  if (!html || previewed !== link) return;
  PREVIEW.innerHTML = html.replaceAll("ROOT/", ROOT);
  PREVIEW.hidden = false;
  link.setAttribute("aria-describedby", PREVIEW.id);
  const place = link.getBoundingClientRect();
  const left = Math.max(8, Math.min(place.left, innerWidth - PREVIEW.offsetWidth - 8));
  // Where there is room, and no larger than that.
  const above = place.top - 16;
  const below = innerHeight - place.bottom - 16;
  const room = Math.max(above, below);
  PREVIEW.style.maxHeight = `min(60vh, ${room}px)`;
  const goesUp = PREVIEW.offsetHeight <= above || above === room;
  PREVIEW.style.translate = `${left}px ${goesUp ? place.top - PREVIEW.offsetHeight - 8 : place.bottom + 8}px`;
}
function away() {
  clearTimeout(leaving);
  previewed?.removeAttribute("aria-describedby");
  previewed = null;
  PREVIEW.hidden = true;
}
// Time enough to go from the link to its preview, which stays while the pointer is on it.
let leaving;
function leave() {
  clearTimeout(leaving);
  leaving = setTimeout(away, 300);
}
PREVIEW.addEventListener("pointerenter", () => clearTimeout(leaving));
PREVIEW.addEventListener("pointerleave", leave);
// In lists, what links lead to is beside them, or is told there.
const LISTED = ".all-equations a, .genindextable a";
const REFERENCES = `article a:is([href*='#equation-'], [href*='#fig-'], [href*='#term-']):not(.checked, .headerlink, ${LISTED})`;
for (const link of document.querySelectorAll(REFERENCES)) {
  link.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && preview(link));
  link.addEventListener("focus", () => preview(link));
  link.addEventListener("pointerleave", leave);
  link.addEventListener("blur", away);
}
addEventListener("keydown", (event) => event.key === "Escape" && away());
addEventListener("scroll", away, { passive: true });

// What scrolls can be reached by the keyboard: at once, while the theme takes its time, and sees nothing that is unfolded.
function reach() {
  for (const node of document.querySelectorAll("article :is(pre, .pst-scrollable-table-container)"))
    node.tabIndex = node.scrollWidth > node.clientWidth ? 0 : -1;
}
addEventListener("resize", reach);
document.addEventListener("toggle", reach, { capture: true });
