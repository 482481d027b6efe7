// What the equations below need: numbers as HTML, and the order in which equations are taken.
// Nothing of the book's mathematics stands here.

const number = (value, entry) => `<span data-at="${entry}">${digits(value)}</span>`;

// Three significant digits; whole numbers as they are.
function digits(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "?" : value < 0 ? "−∞" : "∞";
  const [base, exponent] = Number(value.toPrecision(Number.isInteger(value) ? 15 : 3)).toString().split("e");
  const shown = Math.abs(value) < 1e-4 && value ? value.toExponential(2).split("e") : [base, exponent];
  const power = shown[1] ? ` × 10<sup>${signed(String(Number(shown[1])))}</sup>` : "";
  return signed(shown[0]) + power;
}

const signed = (text) => text.replace("-", "−");
const isNegative = (html) => /^(<(?!table)[^>]*>)*−/.test(html);
// With its value above it.
const valued = (html, value) => `<ruby>${html}<rp> = </rp><rt>${digits(value)}</rt></ruby>`;
const brackets = (html) => `(${html})`;
// As a factor: in brackets if it has several terms.
const several = (parts) => (parts.length > 1 ? brackets(sum(parts)) : sum(parts));
const each = (size, part) => Array.from({length: size}, (_, index) => ["+", part(index)]);

function sum(parts) {
  return parts.map(([sign, html], place) => {
    if (sign === "-") return (place ? " − " : "−") + (isNegative(html) ? brackets(html) : html);
    if (!place) return html;
    return isNegative(html) ? " − " + html.replace("−", "") : " + " + html;
  }).join("");
}

const product = (sign, parts) =>
  parts.map((html, place) => (place && isNegative(html) ? brackets(html) : html)).join(` ${sign} `);
const power = (html, exponent) => `${isNegative(html) ? brackets(html) : html}<sup>${exponent}</sup>`;
const fraction = (above, below) => `<span class="fraction"><span>${above}</span><span>${below}</span></span>`;

function table(rows, columns, element) {
  const line = (row) => Array.from({length: columns}, (_, column) => `<td>${element(row, column)}</td>`).join("");
  const lines = Array.from({length: rows}, (_, row) => `<tr>${line(row)}</tr>`).join("");
  return `<table class="matrix"><tbody>${lines}</tbody></table>`;
}

const entries = (html) => [...new Set([...html.matchAll(/data-at="([^"]*)"/g)].map((found) => found[1]))];

const zeros = (rows, columns) => Array.from({length: rows}, () => new Float64Array(columns).fill(NaN));

// Room for all that equations compute, in a state that has sizes, data and parameters.
function allocate(S) {
  const layers = (made) => [null, ...S.N.slice(1).map((_, place) => made(place + 1))];
  const batch = () => layers((l) => zeros(S.n, S.N[l]));
  const weights = () => layers((l) => zeros(S.N[l - 1], S.N[l]));
  const biases = () => layers((l) => zeros(1, S.N[l])[0]);
  const samples = Array.from({length: S.n});
  return Object.assign(S, {
    Zin: batch(), Zout: [S.X, ...batch().slice(1)], delta: batch(), Delta: batch(),
    r: layers(() => NaN), dout: zeros(S.n, S.K), Dout: zeros(S.n, S.K), losses: zeros(1, S.n)[0], loss: NaN,
    gradW: weights(), gradb: biases(), gradWs: samples.map(weights), gradbs: samples.map(biases),
  });
}

// All places of a layer (none for null) at which an equation is taken: one for each element on its left,
// where that names elements.
function places(S, label, l, s) {
  const {over, range} = E[label];
  if (range) {
    const [first, last] = range(S);
    if (first < 1 || last > S.L) throw new RangeError(`${label} reaches beyond layers 1 to ${S.L}`);
    if (l < first || l > last) return [];
  }
  const sizes = over(S, l);
  let found = [{l}];
  for (const name of ["s", "i", "j"]) {
    if (!(name in sizes)) continue;
    const all = name === "s" && s !== undefined ? [s] : [...Array(sizes[name]).keys()];
    found = found.flatMap((place) => all.map((index) => ({...place, [name]: index})));
  }
  return found;
}

// Which equation gives what, in each form. Those of one sample are taken for all, then come the means.
const FORMS = {
  scalar: {
    sample: true, input: "eq-scalar-pre-activation", output: "eq-scalar-output", loss: "eq-loss-sample",
    slope: "loss-slope", last: "eq-scalar-output-delta", hidden: "eq-scalar-hidden-delta",
    weights: "eq-scalar-weights", biases: "eq-scalar-biases",
  },
  vector: {
    sample: true, input: "eq-vector-pre-activation", output: "eq-vector-output", loss: "eq-loss-sample",
    slope: "loss-slope", last: "eq-vector-output-delta", hidden: "eq-vector-hidden-delta",
    weights: "eq-vector-weights", biases: "eq-vector-biases",
  },
  batch: {
    input: "eq-batch-pre-activation", output: "eq-batch-output", loss: "eq-loss-batch", slope: "eq-loss-gradient",
    last: "eq-batch-output-delta", hidden: "eq-batch-hidden-delta", weights: "eq-batch-weights",
    biases: "eq-batch-biases",
  },
};

const MEANS = ["eq-loss-batch", "eq-batch-delta-mean", "eq-batch-weights-steps", "eq-batch-biases-steps"];
const UPDATES = ["eq-update-weights", "eq-update-biases"];

// Forward and backward in a form, for the sample s or the batch: a list of [label, place].
function pass(S, form, s) {
  const F = FORMS[form], steps = [];
  const take = (label, l) => places(S, label, l, s).forEach((place) => steps.push([label, place]));
  const layers = [...Array(S.L + 2).keys()];
  for (const l of layers) { take(F.input, l); take(F.output, l); }
  take(F.loss, S.L); take(F.slope, S.L); take(F.last, S.L);
  for (const l of layers.reverse()) { take(F.weights, l); take(F.biases, l); take(F.hidden, l); }
  return steps;
}

// One epoch: forward, backward, and the step.
function epoch(S, form) {
  const {sample} = FORMS[form];
  const steps = sample ? S.X.flatMap((_, s) => pass(S, form, s)) : pass(S, form);
  for (const label of [...(sample ? MEANS : []), ...UPDATES])
    for (let l = 0; l <= S.L + 1; l++)
      if (E[label].range || l === S.L) places(S, label, l).forEach((place) => steps.push([label, place]));
  return steps;
}

function run(S, steps) {
  for (const [label, place] of steps) E[label].run(S, place);
}

const A = {}, E = {}, M = {};
