// Checks of a page. Each returns sentences that say what is wrong.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const shown = (node) => node.checkVisibility({ visibilityProperty: true }) && node.getBoundingClientRect().width > 0;
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

  // How a person finds an element in the page.
  const name = (node) => {
    const id = node.closest("[id]")?.id;
    const words = (node.textContent.trim() || node.title || node.getAttribute("src") || "").replace(/\s+/g, " ");
    const classes = [...node.classList].slice(0, 2).map((each) => `.${each}`).join("");
    return `${node.tagName.toLowerCase()}${classes}${id ? ` in #${id}` : ""} "${words.slice(0, 40)}"`;
  };

  const CONTROLS = "button, summary, [role=button], input:not([type=search], [type=text], [type=hidden])";
  const STOPS = `a[href], ${CONTROLS}, input, select, textarea, [tabindex]`;

  window.checks = {
    // Unfold everything, and let the page answer.
    async open() {
      const folded = all("details:not([open])");
      const opened = folded.map((node) => new Promise((done) => node.addEventListener("toggle", done, { once: true })));
      for (const node of folded) node.open = true;
      await Promise.all(opened);
      return [];
    },

    // Let the page answer to a new size of the window.
    async resized() {
      await frame();
      await frame();
      return [];
    },

    // A policy that lets scripts in by file or hash only, and nothing in the page that it forbids.
    strict() {
      const policy = document.querySelector("meta[http-equiv=Content-Security-Policy]")?.content ?? "";
      const parts = Object.fromEntries(policy.split(";").map((part) => [part.trim().split(" ")[0], part.trim().split(" ").slice(1)]));
      const found = [];
      if (!policy) found.push("no policy");
      else if (parts["default-src"]?.join() !== "'self'") found.push(`the policy does not begin with default-src 'self': ${policy}`);
      for (const [name, sources] of Object.entries(parts)) {
        const own = sources.every((each) => /^'(self|none|sha\d+-.*)'$/.test(each));
        if (!own && name !== "style-src-attr" && !(name === "img-src" && sources.join() === "'self',data:"))
          found.push(`the policy allows ${sources.join(" ")} as ${name}`);
      }
      for (const node of all("*")) {
        for (const attribute of node.attributes) if (/^on/.test(attribute.name)) found.push(`${attribute.name} in ${name(node)}`);
        if (node.matches("[href^='javascript:' i]")) found.push(`a script in a link: ${name(node)}`);
      }
      return found;
    },

    // Nothing is wider than the page.
    sideways() {
      const root = document.documentElement;
      const hidden = [root, document.body].filter((node) => /hidden|clip/.test(getComputedStyle(node).overflowX));
      if (hidden.length) return [`${name(hidden[0])} hides what is too wide`];
      if (root.scrollWidth <= root.clientWidth) return [];
      const wide = all("body *").filter((node) => shown(node) && node.getBoundingClientRect().right > root.clientWidth + 1);
      return [`the page scrolls sideways, ${root.scrollWidth} pixels: ${wide.slice(0, 3).map(name).join("; ")}`];
    },

    // What is wider than its place can be scrolled by keyboard; results, and on a wide screen code, fit.
    cut() {
      const found = [];
      for (const node of all("main *")) {
        if (!shown(node) || node.scrollWidth <= node.clientWidth + 1 || node.clientWidth <= 1) continue;
        const { overflowX } = getComputedStyle(node);
        if (overflowX === "visible" || [...ancestors(node)].some(isForListeners)) continue;
        if (!/auto|scroll/.test(overflowX)) found.push(`cut: ${name(node)}`);
        else if (node.tabIndex < 0) found.push(`scrolls, but not by keyboard: ${name(node)}`);
        if (node.querySelector(".katex") && node.closest(innerWidth < 390 ? ".important" : ".important, div.math"))
          found.push(`a formula that must be scrolled: ${name(node)}`);
        if (innerWidth >= 1280 && node.closest("pre, .highlight")) found.push(`code that must be scrolled: ${name(node)}`);
      }
      return found;
    },

    // Printed, everything is light, unfolded and whole.
    paper() {
      const found = all("article details:not([open])").map((node) => `folded on paper: ${name(node)}`);
      if (document.documentElement.dataset.theme !== "light") found.push("dark on paper");
      if (!all("main h1").some(shown)) found.push("no title on paper");
      for (const node of all("article details *")) if (getComputedStyle(node).animationName !== "none") found.push(`not there yet on paper: ${name(node)}`);
      for (const node of all("main *")) {
        if (!shown(node) || node.scrollWidth <= node.clientWidth + 1 || node.clientWidth <= 1) continue;
        if (getComputedStyle(node).overflowX === "visible" || [...ancestors(node)].some(isForListeners)) continue;
        found.push(`cut on paper: ${name(node)}`);
      }
      return found;
    },

    // Lines break where they may: not between a formula and its comma, and on a desktop not in code.
    lines() {
      const found = [];
      for (const node of all("span.formula").filter(shown)) {
        const last = all(".base", node).at(-1)?.getBoundingClientRect();
        const behind = [node.lastChild, node.nextSibling].find((each) => each?.nodeType === Node.TEXT_NODE && /^\S/.test(each.data));
        if (!last || !behind) continue;
        const sign = document.createRange();
        sign.setStart(behind, 0);
        sign.setEnd(behind, 1);
        const { left, top } = sign.getBoundingClientRect();
        if (left < last.left || top > last.bottom - 4) found.push(`a line begins with ${sign}, behind ${name(node)}`);
      }
      for (const node of innerWidth >= 1280 ? all(".cell_input pre, .highlight-python pre").filter(shown) : []) {
        const { lineHeight, paddingTop, paddingBottom } = getComputedStyle(node);
        const height = node.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
        const extra = height / parseFloat(lineHeight) - node.textContent.trimEnd().split("\n").length;
        if (extra > 0.5) found.push(`code is broken: ${name(node)}`);
      }
      return found;
    },

    // Nothing of the source is shown that should have become something else.
    source() {
      const text = document.querySelector("main").textContent;
      return [...text.matchAll(/(```|~~~|:::)\{?[\w-]*|\{[a-z]+\}`[^`]*`/g)].map(([each]) => `source that is shown: ${each}`);
    },

    pictures() {
      const found = [];
      for (const node of all("img")) {
        const [width, height] = ["width", "height"].map((side) => Number(node.getAttribute(side)));
        if (!node.hasAttribute("alt") || (node.closest("article") && !node.alt)) found.push(`no alternative text: ${name(node)}`);
        if (!width || !height) found.push(`no size: ${name(node)}`);
        if (!shown(node) || !node.naturalWidth) continue;
        if (Math.abs((node.clientWidth / node.clientHeight) * (node.naturalHeight / node.naturalWidth) - 1) > 0.02)
          found.push(`out of shape: ${name(node)}`);
      }
      return found;
    },

    loaded() {
      return all("img").filter((node) => shown(node) && !node.naturalWidth).map((node) => `does not load: ${name(node)}`);
    },

    headings() {
      const nodes = all("h1, h2, h3, h4, h5, h6").filter(shown);
      const found = [];
      const tops = nodes.filter((node) => node.tagName === "H1").length;
      if (tops !== 1) found.push(`${tops} headings of the first level`);
      let before = 0;
      for (const node of nodes) {
        const level = Number(node.tagName[1]);
        if (level > before + 1) found.push(`a level is skipped before ${name(node)}`);
        before = level;
      }
      const ids = all("[id]").map((node) => node.id);
      const twice = new Set(ids.filter((id, place) => ids.indexOf(id) !== place));
      return [...found, ...[...twice].map((id) => `there are two #${id}`)];
    },

    // A finger finds what it can press: 24 pixels each way, in which nothing else is. Links in a sentence are exempt.
    targets() {
      const found = [];
      for (const node of all(`a[href], ${CONTROLS}`)) {
        if (!shown(node)) continue;
        const style = getComputedStyle(node);
        const symbol = node.textContent.trim().length <= 1;
        if (node.matches("article a") && style.display === "inline" && !symbol) continue;
        if (node.closest(".skip-link")) continue; // only for the keyboard
        const box = node.getBoundingClientRect();
        if (box.width >= 24 && box.height >= 24) continue;
        node.scrollIntoView({ block: "center", behavior: "instant" });
        const [x, y] = centre(node);
        const around = [[-11.5, 0], [11.5, 0], [0, -11.5], [0, 11.5]];
        if (!around.every(([right, down]) => node.contains(document.elementFromPoint(x + right, y + down))))
          found.push(`${Math.round(box.width)} × ${Math.round(box.height)} pixels: ${name(node)}`);
      }
      return found;
    },

    // Who asks for less motion gets none.
    motion() {
      const found = all("body *")
        .filter((node) => !node.closest(".katex"))
        .filter((node) => {
          const style = getComputedStyle(node);
          const times = `${style.transitionDuration}, ${style.animationName === "none" ? "0s" : style.animationDuration}`;
          return times.split(", ").some((time) => parseFloat(time) > 0.01);
        });
      const smooth = getComputedStyle(document.documentElement).scrollBehavior === "smooth";
      return [...(smooth ? ["the page scrolls smoothly"] : []), ...found.map((node) => `moves: ${name(node)}`)];
    },

    // Mathematics is laid out, in its own fonts.
    mathematics() {
      const found = all(".katex-html").filter((node) => shown(node.closest(".katex")) && !node.getBoundingClientRect().height);
      const loaded = [...document.fonts].some((font) => font.family.includes("KaTeX_Main") && font.status === "loaded");
      if (all(".katex-html").length && !loaded) return ["formulas lack their fonts"];
      return found.map((node) => `not laid out: ${name(node)}`);
    },

    // Without scripts, what only a script answers is not shown.
    dead() {
      return all("button").filter((node) => shown(node) && !node.form).map((node) => `dead: ${name(node)}`);
    },

    // The same without keys, which take longer: in the order of the page, in which the Tab key goes where nothing leads it elsewhere.
    hurry() {
      checks.walk = { stops: [], ended: true, comesBack: null };
      kept.used = new Set();
      for (const node of all(STOPS)) {
        if (!shown(node) || node.tabIndex < 0 || node.disabled) continue;
        node.focus();
        if (document.activeElement === node) checks.walk.stops.push(stop(node));
      }
      return [];
    },

    // In a window of another size, what stands around the text is to be used again.
    again() {
      kept.used = new Set([...kept.used].filter((node) => node.closest("article")));
      return [];
    },

    // Use what can be used and has not been. What stays open in front of the page is to be closed by a key.
    async controls() {
      const found = [];
      for (;;) {
        const modal = document.querySelector("dialog:modal");
        const node = all(CONTROLS, modal ?? document).find((each) => shown(each) && !kept.used.has(each));
        if (!node) return { found, modal: Boolean(modal) };
        kept.used.add(node);
        if (node.disabled) continue;
        let hit;
        for (let times = 0; times < 20 && shown(node) && !node.contains(hit); times += 1) {
          node.scrollIntoView({ block: "center", behavior: "instant" }); // again, where something above it has grown
          await frame(); // what has been closed is on its way out
          hit = document.elementFromPoint(...centre(node));
        }
        if (!shown(node)) continue;
        if (!node.contains(hit)) found.push(`covered: ${name(node)}${hit ? ` by ${name(hit)}` : ""}`);
        const before = state();
        if (node.type === "range") slide(node);
        else node.click();
        for (let times = 0; times < 20 && state() === before; times += 1) await frame();
        if (state() === before) found.push(`does nothing: ${name(node)}`);
        if (node.matches(".sidebar-toggle") && !document.querySelector("dialog:modal")) node.click(); // else it covers others
      }
    },

    // Note each stop of a walk with the Tab key when the key is pressed to leave it.
    follow() {
      const walk = (checks.walk = { stops: [], ended: false, comesBack: null });
      let begun = false;
      kept.used = new Set();
      scrollTo({ top: 0, behavior: "instant" });
      document.addEventListener("keydown", () => {
        const node = document.activeElement;
        const inPage = node && node !== document.body;
        if (!walk.ended && inPage && kept.used.has(node)) walk.comesBack = name(node);
        walk.ended ||= begun && (!inPage || kept.used.has(node));
        begun = true;
        if (inPage && !walk.ended) walk.stops.push(stop(node));
      }, { capture: true });
      return [];
    },

    // What the keyboard should have reached.
    missed() {
      return all(STOPS).filter((node) => shown(node) && node.tabIndex >= 0 && !node.disabled && !kept.used.has(node)).map(name);
    },
  };

  function centre(node) {
    const box = node.getClientRects()[0] ?? node.getBoundingClientRect(); // of a link, its first line
    return [box.left + box.width / 2, box.top + box.height / 2];
  }

  function slide(node) {
    node.value = node.value === node.max ? node.min : node.max;
    node.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Where the focus is, and what it looks like.
  function stop(node) {
    kept.used.add(node);
    const style = getComputedStyle(node);
    const box = node.getBoundingClientRect();
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 && !/, 0\)$/.test(style.outlineColor);
    const [x, y] = centre(node);
    const hit = document.elementFromPoint(Math.min(Math.max(x, 0), innerWidth - 1), Math.min(Math.max(y, 0), innerHeight - 1));
    const place = node.closest("dialog, header, nav, aside, article, footer, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, body");
    return {
      name: name(node), href: node.getAttribute("href"), tab: node.tabIndex,
      visible: outlined || looks(node) !== unfocused(node),
      covered: Boolean(hit && !node.contains(hit) && !hit.contains(node)),
      region: `${place.tagName} ${place.className}`,
      fixed: [...ancestors(node)].some((each) => /fixed|sticky/.test(getComputedStyle(each).position)),
      top: box.top + scrollY, left: box.left, right: box.right, bottom: box.bottom + scrollY,
      seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 0 && box.height > 0,
    };
  }

  // What the element that has the focus looks like without it.
  function unfocused(node) {
    node.blur();
    const without = looks(node);
    node.focus({ preventScroll: true });
    return without;
  }

  // What can show that an element has the focus, on it or in it, besides an outline.
  function looks(node) {
    return [node, ...all("*", node).slice(0, 5)]
      .map((each) => {
        const style = getComputedStyle(each);
        return [style.boxShadow, style.backgroundColor, style.color, style.borderColor, style.textDecorationLine].join();
      })
      .join();
  }

  function* ancestors(node) {
    for (let each = node; each instanceof Element; each = each.parentElement) yield each;
  }

  // Whether an element is there, but seen by nobody.
  function isForListeners(node) {
    const { opacity, clip, clipPath } = getComputedStyle(node);
    return opacity === "0" || clip !== "auto" || clipPath !== "none";
  }

  // The same number for the same element.
  const numbers = new WeakMap();
  function numbered(node) {
    if (!numbers.has(node)) numbers.set(node, Math.random());
    return numbers.get(node);
  }

  // What a control can change.
  function state() {
    return JSON.stringify([kept.changes, kept.calls, kept.copied, all(":checked").map(name), all("input, textarea").map((node) => node.value), scrollY, numbered(document.activeElement)]);
  }
})();
