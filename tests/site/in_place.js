// Notes when a formula was last seen to appear, to move or to change its size, or its font to be on its way.
(() => {
  const seen = (window.seen = { last: 0, formulas: 0 });
  let before = "";
  const look = () => {
    const boxes = [...document.querySelectorAll("article .katex-html, article mjx-container")].map((node) => {
      const { left, top, width, height } = node.getBoundingClientRect();
      return [left, top + scrollY, width, height].map(Math.round).join();
    });
    const now = boxes.join(" ");
    if (now !== before || document.fonts.status === "loading") seen.last = performance.now();
    seen.formulas = boxes.length;
    before = now;
    setTimeout(look, 50);
  };
  look();
})();
