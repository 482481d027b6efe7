// Reads the TeX of a row, with the tables of the check's own grammar, and makes its tree: the counterpart of parse.py,
// build.py and marks.py of the package equations. A tree is made of objects with their kind and the fields of nodes.py.

const PAIRS = {"{": "}", "\\left": "\\right"};
const OPPOSITE = {">": "≤", "≤": ">", "<": "≥", "≥": "<", "=": "≠", "≠": "="};
const RELATIONS = {EQUALS: "=", APPROX: "≈", ARROW: "←", AT_LEAST: "≥", AT_MOST: "≤", MORE: ">", LESS: "<", NOT: "≠"};

class FormulaError extends Error {}

const refuse = (text) => {
  throw new FormulaError(text);
};
const pairs = (flat) => flat.flatMap((_, at) => (at % 2 ? [] : [[flat[at], flat[at + 1]]]));

// ---- From the text to the parse tree ----

const rules = TABLES.rules.flatMap(([made, name, ...all]) => all.map((kept) => [made, name, kept]));
const patterns = TABLES.terminals.map(([name, source]) => [name, new RegExp(source, "y")]);
const END = patterns.length;
const actions = TABLES.states.map(([shift, ...reduced]) => {
  const row = new Map(pairs(TABLES.shifts[shift]));
  for (const [rule, set] of pairs(reduced)) for (const token of TABLES.sets[set]) row.set(token, ~rule);
  return row;
});
const gotos = TABLES.gotos.map(([usual, ...others]) => [usual, new Map(pairs(others))]);

function unread(before, after) {
  const rest = after.trim().split(/\s+/).join(" ");
  const short = rest.length > 30 ? `${rest.slice(0, 30)} ...` : rest;
  const [sign] = rest.match(/^\\[co]dot/) ?? [];
  const mixed = sign && before.includes(sign === "\\cdot" ? "\\odot" : "\\cdot") ? "; where · and ⊙ meet, put one product in parentheses" : "";
  refuse(short ? `cannot be read from here: ${short}${mixed}` : "the formula ends too early");
}

// The next token that a state can take: its number, and where it begins and ends.
function token(text, at, row) {
  for (;;) {
    if (at === text.length) return row.has(END) ? [END, at, at] : refuse("the formula ends too early");
    const found = patterns.findIndex(([name, pattern], number) => {
      pattern.lastIndex = at;
      return (name === "" || row.has(number)) && pattern.test(text);
    });
    if (found < 0) unread(text.slice(0, at), text.slice(at).replace(/[⟦⟧]/g, "|").replaceAll("¦", "&"));
    const end = patterns[found][1].lastIndex;
    if (patterns[found][0]) return [found, at, end];
    at = end;
  }
}

function tree(text) {
  const states = [TABLES.start], values = [];
  for (let at = 0; ; ) {
    const row = actions[states.at(-1)], [number, start, end] = token(text, at, row);
    const action = row.get(number);
    if (action >= 0) {
      if (number === END) return values[0];
      states.push(action);
      values.push({type: patterns[number][0], text: text.slice(start, end)});
      at = end;
    } else {
      const [made, name, kept] = rules[~action];
      const parts = kept.length ? values.splice(-kept.length) : [];
      if (kept.length) states.splice(-kept.length);
      const children = parts.flatMap((part, place) =>
        kept[place] === "0" ? [] : part.name?.startsWith("_") ? part.children : [part]);
      values.push({name, children});
      const [usual, others] = gotos[made];
      states.push(others.get(states.at(-1)) ?? usual);
      if (states.at(-1) === TABLES.end) return values[0];
    }
  }
}

const CASES = /\\begin\{cases\}[^]*?\\end\{cases\}/g;

function toldApart(tex) {
  tex = tex.replace(CASES, (cases) => cases.replaceAll("&", "¦"));
  for (const bar of [/(\\)\|/, /(?<!\\)()\|/]) {
    const parts = tex.split(bar);
    if ((parts.length - 1) % 4) refuse("a | is not closed");
    tex = parts.map((part, at) => (at % 2 ? part + "⟦⟧"[((at - 1) / 2) % 2] : part)).join("");
  }
  return tex;
}

// Braces, and \left and \right, enclose each other inside one cell.
function checkPairs(cell) {
  const open = [];
  for (const [sign] of cell.matchAll(/\\(?:left|right)(?![A-Za-z])|(?<!\\)[{}]/g)) {
    if (sign in PAIRS) open.push(sign);
    else if (PAIRS[open.pop()] !== sign) refuse(`${sign} closes nothing in its cell`);
  }
  if (open.length) refuse(`${open.at(-1)} is not closed in its cell`);
}

// An operator or a function without parentheses takes one factor.
function checkScopes(node) {
  if (!node.children) return;
  node.children.forEach(checkScopes);
  if (node.name !== "adjacent") return;
  for (const factor of node.children.slice(0, -1)) {
    const atom = factor.children[0];
    if (["operator", "named"].includes(atom.name) && !isEnclosed(atom))
      refuse("put what is differentiated, or what a function takes, in parentheses where more factors follow");
  }
}

function isEnclosed(atom) {
  if (atom.name === "named" && atom.children.at(-1).type) return true;
  let inner = atom.children.at(-1).children[0];
  while (["operator", "named"].includes(inner.name)) inner = inner.children.at(-1).children[0];
  return ["group", "underbrace", "function", "absolute", "norm"].includes(inner.name);
}

// ---- From the parse tree to the nodes ----

const isToken = (part) => part.type !== undefined;
const nodes = (children) => children.filter((child) => child.kind && !["Range", "Equality", "Changes", "Order"].includes(child.kind));
const of = (children, type) => children.filter((child) => child.type === type);
const layerAt = (children) => children.filter((child) => child.base !== undefined);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// ---- Marks at a symbol ----

const NAMES = {layer: "layer", indices: "index", part: "'in' or 'out'", word: "word as index", primes: "prime", wrappers: "exponent", dot: "dot as index"};
const noMarks = () => ({layer: null, indices: [], part: null, word: null, dot: false, primes: 0, wrappers: []});
const isSet = (mark) => (Array.isArray(mark) ? mark.length > 0 : Boolean(mark));

function addMark(marks, mark) {
  if (mark.base !== undefined) {
    if (marks.layer) refuse("two layers at one symbol");
    marks.layer = mark;
  } else if (mark.type === "TRANSPOSE") marks.wrappers.push("T");
  else if (mark.type === "POWER") marks.wrappers.push(mark.text);
  else if (mark.type === "PRIME") marks.primes += 1;
  else if (mark.type === "IN" || mark.type === "OUT") {
    if (marks.part) refuse("'in' or 'out' stands twice at one symbol");
    marks.part = mark.type.toLowerCase();
  } else if (mark.type === "WORD") {
    if (marks.word) refuse("two words at one symbol");
    marks.word = mark.text.slice(mark.text.indexOf("{") + 1, -1);
  } else if (marks.dot) refuse("a dot stands before an index");
  else if (mark.type === "CDOT") marks.dot = true;
  else if (mark.type === "SHIFTED") marks.indices.push(mark.text);
  else if (mark.type === "LETTER" || mark.type === "INDEX") marks.indices.push(...mark.text);
}

function collect(groups, marks = noMarks()) {
  for (const side of ["superscript", "subscript"])
    if (groups.filter((group) => group.side === side).length > 1) refuse(`a double ${side}; one stands at a symbol, or in braces`);
  for (const group of groups) for (const mark of group.marks) addMark(marks, mark);
  return marks;
}

function forbid(marks, where, ...names) {
  for (const name of names) if (isSet(marks[name])) refuse(`${where} takes no ${NAMES[name]} here`);
}

function quantity(text) {
  const accent = text.match(/^\\(hat|bar|tilde)\{(.*)\}$/);
  if (accent) {
    const below = quantity(accent[2]);
    return {...below, letter: `${accent[1]} ${below.letter}`};
  }
  const at = text.indexOf("{"), bold = at >= 0;
  const letter = (bold ? text.slice(at + 1).replace(/\}+$/, "") : text).replace(/^\\/, "");
  return {kind: "Quantity", letter, layer: null, indices: [], part: null, bold, dot: false};
}

function withMarks(atom, marks) {
  forbid(marks, "this term", "primes");
  if (atom.kind === "Quantity" && !(atom.layer || atom.indices.length || atom.part)) {
    forbid(marks, `'${atom.letter}'`, "word");
    return {...atom, layer: marks.layer, indices: marks.indices, part: marks.part, dot: marks.dot};
  }
  forbid(marks, "this term", "layer", "part", "word", "dot");
  return marks.indices.length ? {kind: "Element", of: atom, indices: marks.indices} : atom;
}

const wrapped = (node, marks) =>
  marks.wrappers.reduce((inner, mark) => (mark === "T" ? {kind: "Transpose", of: inner} : {kind: "Power", base: inner, exponent: Number(mark)}), node);

// ---- Indices that a sum binds ----

function checkIndices(part) {
  let free = new Set(), bound = new Set();
  for (const child of Object.values(part)) {
    if (child === null || typeof child !== "object") continue;
    const found = checkIndices(child);
    free = new Set([...free, ...found.free]);
    bound = new Set([...bound, ...found.bound]);
  }
  for (const index of part.indices ?? []) for (const letter of index.match(/[a-z]/g) ?? []) free.add(letter);
  if (part.kind === "SumOver") {
    if (bound.has(part.index)) refuse(`${part.index} is summed over twice`);
    free.delete(part.index);
    bound.add(part.index);
  }
  for (const index of [...free].sort()) if (bound.has(index)) refuse(`${index} is summed over, and stands outside the sum`);
  return {free, bound};
}

// ---- Rules of the grammar ----

const one = (kind, ...fields) => (children) => ({kind, ...Object.fromEntries(fields.map((field, at) => [field, nodes(children)[at]]))});
const functionName = (token) => token.text.replace("\\operatorname{", "").replace(/^[\\}]+|[\\}]+$/g, "").replace(/^ln$/, "log");

function row(children) {
  children.forEach((child, at) => {
    if (child.kind === "Equality" && !child.at_least && children[at - 1]?.type !== "IF")
      refuse("a second claim stands behind the first; a condition begins with \\text{if }");
  });
  return {
    kind: "Row", sides: nodes(children), relations: children.filter((child) => child.relation).map((child) => child.relation),
    conditions: children.filter((child) => ["Range", "Equality", "Order", "Changes"].includes(child.kind)),
  };
}

function product(children) {
  const factors = nodes(children);
  if (factors.length === 1) return factors[0];
  const signs = children.filter(isToken).map((token) => token.type);
  if (!signs.length && factors.slice(1).some((factor) => factor.kind === "Number")) refuse("a number stands behind a factor; write \\cdot");
  return {kind: "Product", sign: signs.includes("ODOT") ? "⊙" : signs.includes("CDOT") ? "·" : "", factors};
}

function marksOf(side) {
  const number = side === "superscript" ? "POWER" : "INDEX";
  return (children) => ({side, marks: children.map((child) => (child.type === "INTEGER" ? {...child, type: number} : child))});
}

// For sorting: numbers, then what is counted from L.
const place = ({base, offset}) => (base === "L" ? 1e6 + offset : Number(base));

const BUILD = {
  row, continued: row, condition_row: row,
  relation: ([sign]) => ({relation: RELATIONS[sign.type]}),
  side: ([node]) => (checkIndices(node), node),
  range(children) {
    const layers = layerAt(children);
    if (layers.some((layer) => layer.base === "ell")) refuse("ℓ stands in its own range");
    const [first, last] = layers.sort((a, b) => place(a) - place(b));
    return {kind: "Range", first, last};
  },
  equality: (children) => ({kind: "Equality", left: nodes(children)[0], right: nodes(children)[1], at_least: children[1].type === "AT_LEAST"}),
  changing: (children) => ({kind: "Changes", of: nodes(children)}),
  order: (children) => ({kind: "Order", power: children[1]}),
  sum(children) {
    let sign = "+";
    const terms = [];
    for (const child of children) {
      if (isToken(child)) sign = child.text;
      else terms.push([sign, child]);
    }
    return {kind: "Sum", terms};
  },
  product, adjacent: product,
  summed(children) {
    const found = nodes(children), body = found.pop();
    if (found.length && children[3].text !== "1") refuse(`a sum begins at 1, not at ${children[3].text}`);
    return {kind: "SumOver", index: children[1].text, body, last: found[0] ?? null};
  },
  over_layers(children) {
    const [first, last] = layerAt(children);
    return {kind: "SumOverLayers", range: {kind: "Range", first, last}, body: children.at(-1)};
  },
  slashed: one("Fraction", "numerator", "denominator"),
  factor([atom, ...groups]) {
    const marks = collect(groups);
    const node = atom.kind === "Differential" ? {kind: "Differential", of: withMarks(atom.of, marks)} : withMarks(atom, marks);
    return wrapped(node, marks);
  },
  above: marksOf("superscript"),
  below: marksOf("subscript"),
  negative: (children) => ({type: "POWER", text: children.map((child) => child.text).join("")}),
  layer_mark: ([layer]) => layer,
  layer([first, sign, number]) {
    const base = {ELL: "ell", LAST: "L"}[first.type] ?? Number(first.text);
    return {base, offset: number ? Number(sign.text + number.text) : 0};
  },
  number: ([token]) => ({kind: "Number", text: token.text.replaceAll("\\,", "")}),
  ones: () => ({kind: "Ones"}),
  shifted: (children) => ({type: "SHIFTED", text: children.map((child) => child.text).join("")}),
  name: ([token]) => quantity(token.text),
  marked_sign: ([sign, ...groups]) => withMarks(quantity(sign.text), collect(groups)),
  differential(children) {
    const token = children.at(-1);
    return {kind: "Differential", of: token.type === "LOSS" ? {kind: "Loss", word: null, arguments: []} : quantity(token.text)};
  },
  loss(children) {
    const marks = collect(children.filter((child) => child.side));
    forbid(marks, "the loss", "layer", "indices", "part", "primes", "wrappers");
    return {kind: "Loss", word: marks.word, arguments: nodes(children)};
  },
  function([[sign, ...inside], ...rest]) {
    const argument = rest.pop(), marks = collect(rest, collect(inside));
    if (marks.wrappers.includes("T")) refuse("a function has no transpose");
    const name = functionName(sign);
    if (marks.wrappers.some((mark) => mark.startsWith("-"))) refuse(`an exponent below 0 at ${name} reads as its inverse; write a fraction`);
    if ((name === "sigma") !== (marks.layer !== null)) refuse(`${name} ${name === "sigma" ? "needs a layer" : "takes no layer"}`);
    return wrapped({kind: "Function", name, layer: marks.layer, primes: marks.primes, argument}, marks);
  },
  function_sign: (children) => children,
  named: (children) => ({kind: "Named", name: functionName(children[0]), arguments: nodes(children)}),
  exponential: one("Exponential", "exponent"),
  group: ([node]) => node,
  braced: ([node]) => (node.kind === "Quantity" ? node : refuse("no page shows braces; write parentheses")),
  shape: one("Shape", "rows", "columns"),
  fraction(children) {
    const [above, below] = nodes(children);
    if (above.kind === "Differential" && below.kind === "Differential") return {kind: "Derivative", of: above.of, by: below.of};
    return {kind: "Fraction", numerator: above, denominator: below};
  },
  root: one("Root", "radicand"),
  derivative: one("Derivative", "of", "by"),
  operator: (children) => ({kind: "Derivative", of: nodes(children)[1], by: nodes(children)[0]}),
  gradient: (children) => ({kind: "Gradient", of: nodes(children)[1], by: nodes(children)[0]}),
  diagonal: one("Diagonal", "of"),
  trace: one("Trace", "of"),
  inner: one("Inner", "left", "right"),
  norm: (children) => ({kind: "Root", radicand: {kind: "Inner", left: nodes(children)[0], right: nodes(children)[0]}}),
  absolute: (children) => ({kind: "Named", name: "abs", arguments: nodes(children)}),
  indicator: (children) => ({kind: "Quantity", letter: "indicator", layer: null, indices: of(children, "LETTER").map((token) => token.text), part: null, bold: false, dot: false}),
  cases(children) {
    const [first, ...others] = children.filter(Array.isArray);
    if ([first, ...others].some(([, where]) => !where)) {
      if (others.length !== 1 || !first[1]) refuse("'otherwise' stands behind one other case");
      others[0][1] = {...first[1], relation: OPPOSITE[first[1].relation]};
    }
    return {kind: "Cases", branches: [first, ...others]};
  },
  branch(children) {
    const [value, left, right] = nodes(children);
    if (!left) return [value, null];
    const [sign] = children.filter((child) => child.type in RELATIONS);
    return [value, {kind: "Comparison", left, relation: RELATIONS[sign.type], right}];
  },
  underbrace(children) {
    const [body, label] = nodes(children), [text] = of(children, "TEXT");
    return {kind: "Underbrace", body, label: label ?? null, text: text ? text.text.slice(6, -1).trim() : ""};
  },
};

const built = (part) => (part.children ? BUILD[part.name](part.children.map(built)) : part);

// The tree of a row; a FormulaError says where reading stopped.
function parse(tex) {
  const parsed = tree(toldApart(tex));
  tex.replace(CASES, (cases) => " ".repeat(cases.length)).split("&").forEach(checkPairs);
  checkScopes(parsed);
  return built(parsed);
}
