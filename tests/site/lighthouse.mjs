// Lighthouse, by its own simulation of a network and a processor: for each address and device, the median of several runs.
// The argument is JSON: where npm has put its packages, the port of a browser, addresses, and how often to run.
import { pathToFileURL } from "node:url";

const { packages, port, addresses, runs } = JSON.parse(process.argv[2]);
const { default: lighthouse, desktopConfig } = await import(pathToFileURL(`${packages}/lighthouse/core/index.js`));

const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const DEVICES = { desktop: desktopConfig, phone: undefined };

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

// The audits that cost a category its full score, dearest first.
function costs(category, audits) {
  return category.auditRefs
    .map(({ id, weight }) => ({ id, cost: weight * (1 - (audits[id].score ?? 1)) }))
    .filter(({ cost }) => cost > 0)
    .toSorted((a, b) => b.cost - a.cost)
    .map(({ id }) => `${id} ${audits[id].displayValue ?? ""}`.trim());
}

for (const address of addresses) {
  for (const [device, config] of Object.entries(DEVICES)) {
    const performance = [];
    let rest;
    for (let run = 0; run < runs; run += 1) {
      // Only the speed is not the same each time.
      const onlyCategories = run ? ["performance"] : CATEGORIES;
      const { lhr } = await lighthouse(address, { port, logLevel: "error", onlyCategories }, config);
      if (lhr.runtimeError) throw new Error(`${address}: ${lhr.runtimeError.message}`);
      performance.push(lhr.categories.performance.score);
      rest ??= lhr;
    }
    const { categories, audits } = rest;
    const scores = Object.fromEntries(CATEGORIES.map((name) => [name, Math.round(100 * categories[name].score)]));
    scores.performance = Math.round(100 * median(performance));
    const dear = Object.fromEntries(CATEGORIES.map((name) => [name, scores[name] < 100 ? costs(categories[name], audits) : []]));
    console.log(JSON.stringify({ address, device, scores, dear }));
  }
}
