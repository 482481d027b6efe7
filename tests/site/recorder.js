// Runs before a page's own scripts, and keeps what the page does, in `kept`.
(() => {
  const kept = (window.kept = { calls: [], copied: [], frames: [], shift: 0, changes: 0, used: new Set() });

  addEventListener("securitypolicyviolation", (event) => {
    console.error(`policy: ${event.effectiveDirective} forbids ${event.blockedURI} ${event.sample}`);
  });

  // What would leave the page, or ask the person in front of it.
  window.print = () => kept.calls.push("print");
  Element.prototype.requestFullscreen = function () {
    kept.calls.push("full screen");
    return Promise.resolve();
  };
  addEventListener("submit", (event) => {
    if (!kept.submits) event.preventDefault();
    kept.calls.push("submit");
  }, true);
  addEventListener("copy", () => {
    kept.copied.push(document.activeElement.value ?? getSelection().toString());
  }, true);
  if (navigator.clipboard) navigator.clipboard.writeText = async (text) => void kept.copied.push(text);

  // The theme in each frame that may be painted, until the page has settled.
  const frame = () => {
    if (document.body) {
      const { theme } = document.documentElement.dataset;
      kept.frames.push({ theme, background: getComputedStyle(document.body).backgroundColor });
    }
    if (kept.frames.length < 30) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) kept.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });

  const options = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver((list) => (kept.changes += list.length)).observe(document, options);
})();
