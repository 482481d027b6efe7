// Runs the book's equations for the tests, without a page.

let result;

function state({N, eta, act, X, Y, W, b}) {
  const rows = (matrix) => matrix.map((row) => Float64Array.from(row));
  return BookEquations.allocate({
    L: N.length - 1, N, n: X.length, K: N.at(-1), eta, act: [null, ...act], X: rows(X), Y: rows(Y),
    W: [null, ...W.map(rows)], b: rows([[], ...b]),
  });
}

const flat = (parts) => parts.flatMap((part) => (part === null ? [] : typeof part === "number" ? [part] : flat(Array.from(part))));

// What stands in a state after an epoch: the loss before its step, deltas, gradients and the parameters after it.
const kept = (S) => flat([S.loss, S.Delta, S.gradW, S.gradb, S.W, S.b.slice(1)]);

function trained(given, form, epochs) {
  const S = state(given), steps = BookEquations.epoch(S, form), found = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    BookEquations.run(S, steps);
    found.push(...kept(S));
  }
  return Float64Array.from(found).buffer;
}

// Of each sample by itself, before any step: its loss, its deltas and its gradients.
function samples(given, form) {
  const S = state(given);
  return Float64Array.from(S.X.flatMap((_, s) => {
    BookEquations.run(S, BookEquations.pass(S, form, s));
    return flat([S.losses[s], S.delta.slice(1).map((layer) => layer[s]), S.gradWs[s], S.gradbs[s]]);
  })).buffer;
}

// All that an epoch leaves behind, in any form.
function everything(given, form) {
  const S = state(given);
  BookEquations.run(S, BookEquations.epoch(S, form));
  for (let l = 1; l <= S.L; l++) BookEquations.run(S, BookEquations.places(S, "eq-glorot", l).map((place) => ["eq-glorot", place]));
  return Float64Array.from(flat(Object.values(S).filter((part) => typeof part !== "string" && part !== S.act))).buffer;
}

function functions(kind, numbers) {
  const {f, slope} = BookEquations.activations[kind];
  return Float64Array.from(numbers.flatMap((z) => [f(z), slope(z)])).buffer;
}

// What an equation shows after an epoch in each form, without a step.
function shown(given, label, place) {
  const S = state({...given, eta: 0});
  for (const form of ["scalar", "vector", "batch"]) BookEquations.run(S, BookEquations.epoch(S, form));
  const each = BookEquations.equations[label];
  const parts = Object.fromEntries(["numbers", "result", "reads", "writes"].map((part) => [part, each[part](S, place)]));
  return JSON.stringify(parts);
}

// The gradients of an epoch without a step, with a mistake in the place of its equation.
function mistaken(given, form, name, shares) {
  const S = Object.assign(state({...given, eta: 0}), shares), mistake = BookEquations.wrong[name];
  for (const [label, place] of BookEquations.epoch(S, form)) {
    const fits = !mistake.square || S.N[place.l] === S.N[place.l - 1];
    (label === mistake.label && fits ? mistake : BookEquations.equations[label]).run(S, place);
  }
  return Float64Array.from(flat([S.gradW, S.gradb])).buffer;
}
