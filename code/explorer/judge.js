// Judges what a reader types in place of an equation's right side: the meaning of symbols and the shapes are those of the
// check's own table, the numbers those of random networks.

// Objects from the names of their fields and rows of values.
function ofRows([names, ...rows]) {
  return rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])));
}

const GREEK = {alpha: "α", beta: "β", gamma: "γ", delta: "δ", Delta: "Δ", eta: "η", lambda: "λ", mu: "μ", sigma: "σ", theta: "θ"};
const need = (holds, text) => holds || refuse(text);
const shownLetter = (letter) => letter.split(" ").map((part) => GREEK[part] ?? part).join(" ");
const shownLayer = ({base, offset}) => `${base === "ell" ? "ℓ" : base}${offset ? (offset > 0 ? "+" : "−") + Math.abs(offset) : ""}`;

function describe(node) {
  if (node.kind !== "Quantity") return "this term";
  const below = [node.indices.join(""), node.part].filter(Boolean).join(",");
  return shownLetter(node.letter) + (node.layer ? `^(${shownLayer(node.layer)})` : "") + (below ? `_${below}` : "");
}

function children(part) {
  return Object.values(part).filter((field) => field !== null && typeof field === "object").flatMap((field) => (field.kind ? [field] : children(field)));
}
const walk = (node) => [node, ...children(node).flatMap(walk)];

// ---- Values: numbers or matrices, one for all values of their indices. at(E, r, c) is an element, E has the indices. ----

const numeric = (at, indices = []) => ({at, indices, rows: null, columns: null});
const like = (value, at, indices = value.indices) => ({...value, at, indices});
const isMatrix = (value) => value.rows !== null;
const shape = (value) => (isMatrix(value) ? `(${value.rows}, ${value.columns})` : "(1, 1)");
const union = (...values) => [...new Set(values.flatMap((value) => value.indices))];
const mapped = (value, f) => like(value, (E, r, c) => f(value.at(E, r, c)));
const ofNumber = (value, f) => (need(!isMatrix(value), "a number is needed here, not a matrix"), mapped(value, f));
const functions = {log: Math.log, exp: Math.exp, abs: Math.abs, sign: Math.sign};
const compared = {"=": (a, b) => a === b, "≠": (a, b) => a !== b, "<": (a, b) => a < b, ">": (a, b) => a > b, "≤": (a, b) => a <= b, "≥": (a, b) => a >= b};

class Place {
  // The state, the layer ℓ, the sample of formulas of one sample, all nodes that share their indices, what a loss without
  // arguments is of, and z where a function is defined.
  constructor(S, ell, one, sides, bare, z) {
    Object.assign(this, {S, ell, one, bare, z, counted: {}});
    this.bound = new Set();
    const found = sides.flatMap(walk).filter((node) => node.kind === "Quantity");
    for (const node of found) {
      const symbol = this.fitting(node);
      for (const {letter, stands} of symbol) need(stands, `${letter} stands in no equation here`);
      if (symbol.length === 1 && !this.isKronecker(node))
        node.indices.forEach((index, at) => /^[a-z]$/.test(index) && at < symbol[0].axes.length && this.count(index, this.axis(symbol[0].axes[at], node)));
    }
    for (const {indices: [a, b]} of found.filter((node) => this.isKronecker(node)))
      for (const [index, other] of [[a, b], [b, a]]) if (this.counted[other]) this.count(index, this.counted[other]);
  }

  layer({base, offset}) {
    if (base === "ell") need(this.ell !== null, "ℓ stands here, but no range says which it is");
    return (base === "ell" ? this.ell : base === "L" ? this.S.L : base) + offset;
  }

  axis(name, node) {
    if (name === "K") return `N^(${this.S.L})`;
    if (name === "N0") return "N^(0)";
    if ((name === "N" || name === "N-") && node.layer) return `N^(${this.layer(node.layer) - (name === "N-")})`;
    return name;
  }

  size(axis) {
    const layer = axis.match(/^N\^\((.*)\)$/);
    return axis === "1" ? 1 : layer ? this.S.N[layer[1]] : this.S[axis];
  }

  count(index, axis) {
    need(index === "s" ? axis === "n" : axis !== "n", `index ${index} counts ${axis}; an index of n is s, and no other`);
    need(!SYMBOLS.some(({letter, kind}) => letter === index && kind === "size"), `${index} is a size; an index has another name`);
    const before = (this.counted[index] ??= axis);
    need(before === axis, `index ${index} runs to ${before} in one place and to ${axis} in another`);
  }

  // ---- Symbols ----

  fitting(node) {
    const found = SYMBOLS.filter(({letter, layered, part, bold}) =>
      letter === node.letter && layered === (node.layer !== null) && part === node.part && (bold === null || bold === node.bold));
    const batch = found.filter(({sample}) => sample);
    return node.indices[0] === "s" && batch.length ? batch : found.filter(({sample}) => !sample);
  }

  isKronecker(node) {
    return node.letter === "indicator" || (node.letter === "delta" && !node.layer && node.indices.length === 2 && !node.bold && !this.fitting(node).some(({axes}) => axes.length > 1));
  }

  symbol(node) {
    const [found] = this.fitting(node);
    if (found) return found;
    const name = shownLetter(node.letter), same = SYMBOLS.filter(({letter}) => letter === node.letter);
    need(same.length, `unknown symbol '${name}'`);
    const layered = node.layer !== null;
    if (same.every((symbol) => symbol.layered !== layered)) refuse(`'${name}' ${layered ? "takes no" : "needs a"} layer`);
    const parts = same.filter((symbol) => symbol.layered === layered).map(({part}) => part);
    if (!parts.includes(node.part)) refuse(`'${name}' ${parts.includes(null) ? "takes no" : "needs"} 'in' or 'out' here`);
    refuse(`${describe(node)} is no symbol in this font, or with this layer`);
  }

  // What stands at a path of the state, such as ["Zin", "{}", "one"].
  stored(path, node) {
    need(path, `${describe(node)} has no place here`);
    let found = this.S;
    for (const step of path) {
      const at = step === "one" ? this.one : step === "{}" ? this.layer(node.layer) : step;
      found = found?.[at];
    }
    if (found === undefined || found === null) refuse(`${describe(node)} does not exist for layer ${node.layer ? this.layer(node.layer) : 0} of ${this.S.L} layers`);
    return found;
  }

  // The elements that indices name of an array with these axes.
  picked(array, axes, node, row) {
    const names = node.indices, left = axes.slice(names.length);
    need(names.length <= axes.length, `${describe(node)} has ${names.length} indices; it needs ${axes.length}`);
    if (node.bold && !left.length) refuse(`${describe(node)} is a number, and bold`);
    if (!node.bold && left.length) refuse(`${describe(node)} is a vector or a matrix, and not bold`);
    need(!node.dot || left.length, "a dot stands beside an index, where none is left out");
    names.forEach((name, at) => {
      if (!/^\d+$/.test(name)) return need(/^[a-z]$/.test(name), `${name} cannot be an index here`);
      return need(name >= 1 && name <= this.size(axes[at]), `index ${name} of ${this.size(axes[at])}`);
    });
    const at = (E, ...free) => [...names.map((name) => (/^\d+$/.test(name) ? name - 1 : E[name])), ...free].reduce((part, place) => part[place], array);
    const indices = [...new Set(names.filter((name) => !/^\d+$/.test(name)))];
    if (!left.length) return numeric((E) => at(E), indices);
    if (left.length === 2) return {at, indices, rows: left[0], columns: left[1]};
    if (row && names.length) return {at: (E, r, c) => at(E, c), indices, rows: "1", columns: left[0]};
    return {at: (E, r) => at(E, r), indices, rows: left[0], columns: "1"};
  }

  quantity(node) {
    if (this.isKronecker(node)) {
      const [a, b] = node.indices;
      need(this.counted[a], `nothing says how far ${a} and ${b} run`);
      return numeric((E) => Number(E[a] === E[b]), [a, b]);
    }
    const symbol = this.symbol(node);
    need(this.z === undefined || symbol.kind === "variable", `${describe(node)} stands in no equation of z`);
    if (symbol.kind === "variable") return need(this.z !== undefined, "z stands here without a layer"), numeric(() => this.z);
    need(symbol.kind !== "function", `${describe(node)} needs an argument`);
    return this.picked(this.stored(symbol.path, node), symbol.axes.map((axis) => this.axis(axis, node)), node, symbol.row);
  }

  // Of which samples a loss is: its row in the table, and its indices.
  loss(node) {
    const known = LOSSES.filter(({word}) => word === node.word);
    need(known.length, `unknown loss '${node.word}'`);
    if (!node.arguments.length) {
      need(!node.word, "this loss needs its arguments");
      need(this.bare, "the text has not said what the loss without arguments stands for");
      return [LOSSES.find(({key}) => key === this.bare), []];
    }
    const keys = node.arguments.map((part) => part.kind === "Quantity" && this.fitting(part)[0]?.key);
    const found = known.find((loss) => same(loss.arguments, keys));
    need(found, `the arguments of the loss must be ${known.map((loss) => loss.said).join("; or ")}`);
    for (const part of node.arguments) {
      if (part.layer) need(this.layer(part.layer) === this.S.L, `the loss takes the outputs of layer L, not of layer ${shownLayer(part.layer)}`);
      this.quantity(part);
    }
    const samples = node.arguments[0].indices;
    need(node.arguments.every((part) => same(part.indices, samples)), "the arguments of the loss must be of one sample or of the whole batch");
    need(samples.length === found.axes.length, `${found.key} takes ${found.axes.length} indices here`);
    return [found, samples];
  }

  derivative(node, whole) {
    const {of, by} = node;
    need(of.kind === "Loss" && by.kind === "Quantity", "a derivative that no equation gives");
    need(!whole || !by.indices.length, "∇ takes a whole vector or matrix, without indices");
    const symbol = this.symbol(by), [loss] = this.loss(of);
    const found = DERIVATIVES.find((row) => same(row.loss, loss.path) && row.by === symbol.key);
    need(found, "a derivative that no equation gives");
    return this.picked(this.stored(found.path, by), symbol.axes.map((axis) => this.axis(axis, by)), by, symbol.row);
  }

  activation(node) {
    const kinds = {tanh: "TanH", sigmoid: "Sigmoid", ReLU: "ReLU"};
    need(node.primes < 2, "σ need not be differentiable more than 1 time");
    const layer = node.layer && this.layer(node.layer);
    const kind = node.layer ? this.S.act[layer] : kinds[node.name];
    need(kind, `${node.name} does not exist for layer ${layer} of ${this.S.L} layers`);
    return BookEquations.activations[kind][node.primes ? "slope" : "f"];
  }

  // ---- Values ----

  value(node) {
    const read = Place.VALUES[node.kind];
    need(read, node.kind === "Shape" ? "a shape stands among numbers" : `a ${node.kind} cannot stand here`);
    return read.call(this, node);
  }

  total(terms) {
    const values = terms.map(([sign, term]) => [sign === "-" ? -1 : 1, this.value(term)]), [[, first]] = values;
    for (const [, value] of values)
      need(isMatrix(value) === isMatrix(first) && shape(value) === shape(first), `a sum of shapes ${shape(first)} and ${shape(value)}`);
    return like(first, (E, r, c) => values.reduce((sum, [sign, value]) => sum + sign * value.at(E, r, c), 0), union(...values.map(([, value]) => value)));
  }

  product(left, right, sign) {
    const indices = union(left, right), both = isMatrix(left) && isMatrix(right);
    const each = (E, r, c) => left.at(E, r, c) * right.at(E, r, c);
    if (sign === "⊙") {
      need(both, "⊙ needs two vectors or matrices");
      need(shape(left) === shape(right), `⊙ of shapes ${shape(left)} and ${shape(right)}`);
    }
    if (sign === "⊙" || !(isMatrix(left) || isMatrix(right))) return like(left, each, indices);
    if (!isMatrix(left)) return need(!sign, "· stands between a number and a matrix; write no sign there"), like(right, each, indices);
    need(both, "a number stands behind a matrix; write it in front");
    need(left.columns === right.rows, `a product of shapes ${shape(left)} and ${shape(right)}`);
    const size = this.size(left.columns);
    const at = (E, r, c) => {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += left.at(E, r, k) * right.at(E, k, c);
      return sum;
    };
    if (left.rows === "1" && right.columns === "1") return numeric((E) => at(E, 0, 0), indices);
    return {at, indices, rows: left.rows, columns: right.columns};
  }

  // Over all elements of a matrix.
  added(value) {
    return numeric((E) => {
      let sum = 0;
      for (let r = 0; r < this.size(value.rows); r++) for (let c = 0; c < this.size(value.columns); c++) sum += value.at(E, r, c);
      return sum;
    }, value.indices);
  }

  static VALUES = {
    Number: ({text}) => numeric(() => Number(text)),
    Ones: () => ({at: () => 1, indices: [], rows: "n", columns: "1"}),
    Quantity(node) { return this.quantity(node); },
    Loss(node) {
      const [loss, samples] = this.loss(node);
      return this.picked(this.stored(loss.path, node), loss.axes, {kind: "Loss", indices: samples, bold: false, dot: false});
    },
    Derivative(node) { return this.derivative(node, false); },
    Gradient(node) { return this.derivative(node, true); },
    Function(node) { return mapped(this.value(node.argument), this.activation(node)); },
    Named({name, arguments: parts}) {
      const values = parts.map((part) => this.value(part));
      if (name === "max") {
        need(values.length > 1 && !values.some(isMatrix), "max takes two numbers or more");
        return numeric((E) => Math.max(...values.map((value) => value.at(E))), union(...values));
      }
      need(values.length === 1 && functions[name], `${name} cannot stand here`);
      return mapped(values[0], functions[name]);
    },
    Exponential({exponent}) { return ofNumber(this.value(exponent), Math.exp); },
    Root({radicand}) { return ofNumber(this.value(radicand), Math.sqrt); },
    Power({base, exponent}) { return ofNumber(this.value(base), (value) => value ** exponent); },
    Fraction({numerator, denominator}) {
      return this.product(ofNumber(this.value(denominator), (value) => 1 / value), this.value(numerator), "");
    },
    Transpose({of}) {
      const value = this.value(of);
      need(isMatrix(value), "only a matrix can be transposed");
      return {at: (E, r, c) => value.at(E, c, r), indices: value.indices, rows: value.columns, columns: value.rows};
    },
    Diagonal({of}) {
      const value = this.value(of);
      need(value.columns === "1", "diag takes a column");
      return {at: (E, r, c) => (r === c ? value.at(E, r, 0) : 0), indices: value.indices, rows: value.rows, columns: value.rows};
    },
    Trace({of}) {
      const value = this.value(of);
      need(isMatrix(value) && value.rows === value.columns, `a trace is of a square matrix, not of ${shape(value)}`);
      return this.added(like(value, (E, r, c) => (r === c ? value.at(E, r, c) : 0)));
    },
    Inner({left, right}) {
      const [a, b] = [this.value(left), this.value(right)];
      need(isMatrix(a) && isMatrix(b) && shape(a) === shape(b), `an inner product of shapes ${shape(a)} and ${shape(b)}`);
      return this.added(this.product(a, b, "⊙"));
    },
    Element({of, indices}) {
      const value = this.value(of);
      need(isMatrix(value), "only a matrix has elements");
      need(indices.length === 2 || (indices.length === 1 && value.columns === "1"), "an element of a matrix needs two indices");
      const axes = [value.rows, value.columns];
      indices.forEach((index, at) => /^[a-z]$/.test(index) && this.count(index, axes[at]));
      const place = (E, index) => (index === undefined ? 0 : /^\d+$/.test(index) ? index - 1 : E[index]);
      const letters = indices.filter((index) => /^[a-z]$/.test(index));
      return numeric((E) => value.at(E, place(E, indices[0]), place(E, indices[1])), [...new Set([...value.indices, ...letters])]);
    },
    Sum({terms}) { return this.total(terms); },
    Product({sign, factors}) { return factors.map((factor) => this.value(factor)).reduce((a, b) => this.product(a, b, sign)); },
    SumOver({index, body, last}) {
      const value = this.value(body);
      need(value.indices.includes(index), `the summation index ${index} does not occur in what is summed`);
      const size = this.size(this.counted[index]);
      if (last) need(this.value(last).at({}) === size, `the index ${index} of the sum runs to ${this.counted[index]}`);
      return like(value, (E, r, c) => {
        let sum = 0;
        for (let at = 0; at < size; at++) sum += value.at({...E, [index]: at}, r, c);
        return sum;
      }, value.indices.filter((name) => name !== index));
    },
    Comparison({left, relation, right}) {
      const [a, b] = [this.value(left), this.value(right)];
      need(!isMatrix(a) && !isMatrix(b), "numbers are compared here");
      return numeric((E) => Number(compared[relation](a.at(E), b.at(E))), union(a, b));
    },
    Cases({branches}) {
      const parts = branches.map(([value, holds]) => [this.value(value), this.value(holds)]);
      need(!parts.flat().some(isMatrix), "cases are numbers");
      return numeric((E) => parts.find(([, holds]) => holds.at(E))?.[0].at(E) ?? NaN, union(...parts.flat()));
    },
    Underbrace({body}) { return this.value(body); },
  };
}

// ---- Networks in which formulas are tried ----

// Sizes differ, so that nothing passes for its transpose, and activations, so that none passes for that of another layer.
const TRIED = [
  {N: [3, 5, 4, 2], n: 6, act: [null, "TanH", "Sigmoid", "TanH"]},
  {N: [2, 4, 3], n: 5, act: [null, "Sigmoid", "TanH"]},
  {N: [4, 3], n: 2, act: [null, "Sigmoid"]},
];

function tried({N, n, act}, seed) {
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2147483648 - 1;
  };
  const rows = (count, size) => Array.from({length: count}, () => Float64Array.from({length: size}, next));
  return completed({
    N, act, eta: 0.3, X: rows(n, N[0]), Y: rows(n, N.at(-1)),
    W: N.map((size, l) => (l ? rows(N[l - 1], size) : null)), b: N.map((size, l) => (l ? rows(1, size)[0] : null)),
  });
}

// A network of its own with these numbers, and all that equations compute before a step. Where a slope is 1, a hidden
// delta is the derivative by the output; so that is computed by its equation, too.
function completed({N, act, eta, X, Y, W, b, one}) {
  const copied = (rows) => rows && rows.map((row) => Float64Array.from(row));
  const S = BookEquations.allocate({
    L: N.length - 1, N, n: X.length, K: N.at(-1), eta, one, act: [...act], X: copied(X), Y: copied(Y), W: W.map(copied), b: b.map((row) => row && Float64Array.from(row)),
  });
  const {equations, activations, pass, run, places} = BookEquations;
  for (let s = 0; s < S.n; s++) run(S, pass(S, "scalar", s));
  run(S, pass(S, "batch"));
  run(S, places(S, "eq-glorot", 1).length ? S.N.flatMap((_, l) => (l ? places(S, "eq-glorot", l).map((P) => ["eq-glorot", P]) : [])) : []);
  const deltas = {delta: [...S.delta], Delta: [...S.Delta]};
  S.douts = [...Array(S.L).fill(null), S.dout];
  S.Douts = [...Array(S.L).fill(null), S.Dout];
  activations.Open = {slope: () => 1};
  for (let l = S.L; l > 1; l--) {
    S.act[l - 1] = "Open";
    S.delta[l - 1] = copied(S.delta[l - 1]);
    for (const P of places(S, "eq-scalar-hidden-delta", l)) equations["eq-scalar-hidden-delta"].run(S, P);
    for (const P of places(S, "eq-batch-hidden-delta", l)) equations["eq-batch-hidden-delta"].run(S, P);
    S.douts[l - 1] = S.delta[l - 1];
    S.Douts[l - 1] = S.Delta[l - 1];
    S.delta[l - 1] = deltas.delta[l - 1];
    S.Delta[l - 1] = deltas.Delta[l - 1];
    S.act[l - 1] = act[l - 1];
  }
  delete activations.Open;
  return S;
}

// ---- The verdict ----

const once = (make) => {
  let made;
  return () => (made ??= make());
};
const known = once(() => TRIED.map(tried));

// An equation: its sides, its layers, and what a loss without arguments is of there.
function equationOf(label) {
  const definition = DEFINITIONS[label], equation = BookEquations.equations[label];
  const [left, right] = parse(definition ?? equation.tex).sides;
  const layers = (S) => {
    if (!equation?.range) return [null];
    const [first, last] = equation.range(S);
    return Array.from({length: Math.max(0, last - first + 1)}, (_, at) => first + at);
  };
  return {left, right, layers, bare: BARE[equation?.chapter] ?? null, variables: definition ? [-1.5, -0.3, 0.4, 2] : [undefined]};
}

// Formulas of one sample are tried with the last; in the network of a reader with the one that is shown, then with the others.
const samplesOf = ({n, one}) => (one === undefined ? [n - 1] : [one, ...Array(n).keys()]);

// All numbers of a side in these networks, with their places.
function numbersOf({left, layers, bare, variables}, side, networks) {
  return networks.flatMap((S) => layers(S).flatMap((l) => samplesOf(S).flatMap((s) => variables.flatMap((z) => {
    const place = new Place(S, l, s, [left, side], bare, z);
    const value = place.value(side), wanted = z === undefined ? place.value(left) : numeric(() => NaN);
    for (const index of value.indices) need(wanted.indices.includes(index), `${index} stands on the right only`);
    need(shape(value) === shape(wanted) && isMatrix(value) === isMatrix(wanted), `this is ${shape(value)}, the left side ${shape(wanted)}`);
    let places = [{}];
    for (const index of wanted.indices)
      places = places.flatMap((E) => Array.from({length: place.size(place.counted[index])}, (_, at) => ({...E, [index]: at})));
    const rows = place.size(wanted.rows ?? "1"), columns = place.size(wanted.columns ?? "1");
    return places.flatMap((E) => Array.from({length: rows * columns}, (_, at) => {
      const r = Math.floor(at / columns), c = at % columns;
      return {S, l, s, z, indices: E, ...(isMatrix(wanted) ? {row: r, column: c} : {}), value: value.at(E, r, c)};
    }));
  }))));
}

function differing(ours, theirs) {
  const scale = theirs.reduce((most, {value}) => Math.max(most, Math.abs(value)), 0);
  return ours.findIndex(({value}, at) => !(Math.abs(value - theirs[at].value) <= 1e-9 * scale));
}

// The names of the mistakes that a formula is: written so, or the same in every network.
function mistakesOf(label, equation, side, ours) {
  return MISTAKES[label].filter(([, tex]) => {
    const [wrong] = parse(tex).sides;
    if (same(wrong, side)) return true;
    try {
      return ours !== null && differing(ours, numbersOf(equation, wrong, known())) < 0;
    } catch (error) {
      if (error instanceof FormulaError) return false;
      throw error;
    }
  }).map(([name]) => name);
}

// What a right side is that a reader types: {verdict, text, mistakes, place, own, yours, book}. The verdict is "unread", "unfit" (a
// symbol or a shape; the text says which), "right", "mistake" or "other"; the last two with the first place at which it differs,
// and whether that is in the network given.
function judge(label, tex, network) {
  let side;
  const verdict = (error, name) => {
    if (error instanceof FormulaError) return {verdict: name, text: error.message, mistakes: []};
    throw error;
  };
  try {
    const {sides, conditions} = parse(tex);
    need(sides.length === 1 && !conditions.length, "only the right side of the equation");
    [side] = sides;
  } catch (error) {
    return verdict(error, "unread");
  }
  const equation = equationOf(label), named = (ours) => mistakesOf(label, equation, side, ours);
  let ours;
  try {
    ours = numbersOf(equation, side, known());
  } catch (error) {
    const found = named(null);
    return found.length ? {verdict: "mistake", text: verdict(error, "").text, mistakes: found} : verdict(error, "unfit");
  }
  const theirs = numbersOf(equation, equation.right, known());
  if (differing(ours, theirs) < 0) return {verdict: "right", text: "", mistakes: []};
  const own = network ? [completed(network)] : [];
  const [yours, book] = [side, equation.right].map((each) => [...numbersOf(equation, each, own), ...(each === side ? ours : theirs)]);
  const at = differing(yours, book), found = named(ours);
  const {S, value, ...place} = yours[at];
  return {verdict: found.length ? "mistake" : "other", text: "", mistakes: found, place, own: own.includes(S), yours: value, book: book[at].value};
}
