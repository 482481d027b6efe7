// The page `explorer`, and small forms of it in chapters. Every number of a network comes from BookEquations, which the build
// compiles from the equations of the chapters. This script says in which order they run, and draws what they give.
(() => {
  "use strict";
  const { equations, wrong, activations, allocate, pass, epoch, entries } = BookEquations;
  // What a reader has pressed in a chapter, with the part that is wanted there and its settings.
  const pressed = document.querySelector("[data-part]");

  // ---- What the reader has set ----------------------------------------------------------------------------------------
  const FIVE = [[0, 0, 1], [1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 1, 0]];
  const USUAL = {
    hidden: [2], activation: "TanH", rate: 1, scale: 1, seed: 0, points: FIVE, weights: null, form: "scalar", sample: 1, wrong: "",
  };
  const PENCIL = [0.5, -0.3, 0.2, 0.4, 0.1, -0.2, 0.6, -0.8, 0.3];
  const ALIKE = [0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0, 0, 0, 0.5, 0.5, 0.5, 0];
  const DEAD = [0.5, -0.3, 0.2, 0.2, 0.4, -0.6, -1, -1, -1, 0.5, -0.4, 0.3, 0];
  const SITUATIONS = {
    points: ["Five points, two hidden units", {}, "The smallest network that can learn the five points. Most starts get there, not all."],
    book: ["Five points, the network of the book", { hidden: [5, 3], rate: 0.25 }, "Layers of 5 and 3 units, rate 0.25. Nearly every start gets there."],
    pencil: ["The pencil network, one sample", { points: [[1, 2, 1]], weights: PENCIL, sample: 0, rate: 0.5 },
      "The network of the first chapter. Step through it, and compare each number with the page."],
    plateau: ["A plateau", { seed: 2 }, "Run it. The loss comes to rest at 0.16, where the network says 0.2 everywhere. It has not learnt the task, and hardly moves."],
    large: ["A rate that is too large", { hidden: [5, 3], rate: 20 }, "Run it. Each step leaps over the valley; look at the curve."],
    alike: ["A symmetric start", { hidden: [3], weights: ALIKE }, "All units of the hidden layer begin alike. Run it, and look for a difference between them."],
    transpose: ["A mistake: a missing transpose", { hidden: [3, 3], wrong: "missing-transpose" },
      "A transpose is missing in layer 2, which is square: nothing fails. Run it: it learns, too. Then compare a weight of layer 1 with a finite difference."],
    means: ["A mistake: the mean of means", { wrong: "mean-of-means" },
      "Two machines share the points, the first three and the last two. Go to Mean: which samples weigh too much? The derivatives belong to another loss."],
    dead: ["Dead rectifiers", { hidden: [3], activation: "ReLU", weights: DEAD }, "All hidden units are off for all points. Step through the backward pass: which numbers are not zero?"],
  };
  const MOST_LAYERS = 6;
  const MOST_UNITS = 8;
  const MOST_POINTS = 20;
  const MOST_SEED = 4294967295;
  const WIDE = 768; // pixels of a window, from which on there is room
  const RANGE = 2; // the plane reaches from -2 to 2
  const set = structuredClone(USUAL);

  const sizes = () => [2, ...set.hidden, 1];

  // ---- The network ----------------------------------------------------------------------------------------------------
  const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  const matrix = (rows, columns, value = () => NaN) =>
    Array.from({ length: rows }, () => Float64Array.from({ length: columns }, value));
  const vector = (length, value = () => NaN) => Float64Array.from({ length }, value);
  const layers = (N, make) => [null, ...N.slice(1).map((_, index) => make(index + 1))];

  // The generator mulberry32: numbers between 0 and 1, always the same for a seed.
  function random(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  // Weights uniform within Glorot's bound, layer by layer and row by row; biases zero.
  function drawn(N, seed, scale) {
    const next = random(seed);
    const state = { N, r: [] };
    const W = layers(N, (l) => {
      equations["eq-glorot"].run(state, { l });
      return matrix(N[l - 1], N[l], () => scale * state.r[l] * (2 * next() - 1));
    });
    return { W, b: layers(N, (l) => vector(N[l], () => 0)) };
  }

  // All parameters in a row, layer by layer, weights before biases; and back.
  const flat = ({ W, b }) => W.slice(1).flatMap((rows, index) => [...rows.flatMap((row) => [...row]), ...b[index + 1]]);
  function unflat(N, numbers) {
    const next = numbers[Symbol.iterator]();
    const W = [null];
    const b = [null];
    for (let l = 1; l < N.length; l += 1) {
      W[l] = matrix(N[l - 1], N[l], () => next.next().value);
      b[l] = vector(N[l], () => next.next().value);
    }
    return { W, b };
  }
  const count = (N) => N.slice(1).reduce((sum, size, index) => sum + (N[index] + 1) * size, 0);
  const copied = ({ W, b }) => ({ W: W.map((rows) => rows?.map((row) => row.slice())), b: b.map((row) => row?.slice()) });

  // What the compiled equations read and write.
  function network(N, { W, b }, points) {
    const L = N.length - 1;
    const n = points.length;
    // Two machines share the batch; the first has one sample more, if the number is odd.
    const shards = [0, 1].map((machine) => range(0, n - 1).map((s) => Number(Math.floor(s / Math.ceil(n / 2)) === machine)));
    const a = shards.filter((samples) => samples.includes(1));
    return allocate({
      L, N, n, K: N[L], eta: set.rate, wrong: set.wrong, a, P: a.length, m: a.map((samples) => samples.filter(Boolean).length),
      X: points.map(([x1, x2]) => Float64Array.of(x1, x2)), Y: points.map((point) => Float64Array.of(point[2])),
      act: layers(N, (l) => (l === L ? "Sigmoid" : set.activation)), W, b,
    });
  }

  // ---- The order in which equations run -------------------------------------------------------------------------------
  const PARTS = {
    "pre-activation": "forward", output: "forward", "loss-sample": "forward", "loss-batch": "forward",
    "loss-slope": "backward", "loss-gradient": "backward", "output-delta": "backward", "hidden-delta": "backward",
    weights: "backward", biases: "backward",
    "delta-mean": "mean", "weights-steps": "mean", "biases-steps": "mean", "update-weights": "update", "update-biases": "update",
  };
  const short = (label) => label.replace(/^eq-/, "").replace(/^(scalar|vector|batch)-/, "");
  // A mistake takes the place of its equation where its shapes fit.
  const taken = (state, label, l) => {
    const found = wrong[state.wrong];
    return found?.label === label && (!found.square || state.N[l - 1] === state.N[l]) ? found : equations[label];
  };
  const named = (state) => ([label, at]) =>
    ({ label, at, name: short(label), phase: PARTS[short(label)], equation: taken(state, label, at.l) });

  // The steps of an epoch. In the forms of one sample those of the chosen sample are shown, the other samples are passed
  // behind the scenes, and what follows takes the mean.
  let scheduled = {};
  function schedule(state, form) {
    const key = [state.N, state.n, state.wrong, form, set.sample].join(";");
    if (scheduled.key !== key) scheduled = { key, steps: made(state, form) };
    return scheduled.steps;
  }
  function made(state, form) {
    if (form === "batch") return epoch(state, form).map(named(state));
    const own = pass(state, form, set.sample).map(named(state));
    const others = range(0, state.n - 1).filter((s) => s !== set.sample).flatMap((s) => pass(state, form, s).map(named(state)));
    let rest = epoch(state, form).slice(own.length * state.n).map(named(state))
      .map((step) => (step.name === "loss-batch" ? { ...step, phase: "mean" } : step));
    if (form === "scalar") rest = rest.flatMap((step) => (step.phase === "update" ? entriesOf(state, step) : step));
    const hidden = (step) => ({ ...step, hidden: true });
    // A mean of one sample is no news in a chapter that has no other.
    const isHidden = ({ name, phase, at }) => (name === "delta-mean" && at.s !== set.sample) || (pressed && state.n === 1 && phase === "mean");
    return [...own, ...others.map(hidden), ...rest.map((step) => (isHidden(step) ? hidden(step) : step))];
  }

  // Of a step that updates a layer as a whole one for each number, in which the equation runs and all but this number stays.
  function entriesOf({ N }, { equation, at: { l }, ...step }) {
    const isWeights = step.name === "update-weights";
    const name = isWeights ? "W" : "b";
    return range(0, isWeights ? N[l - 1] - 1 : 0).flatMap((j) => range(0, N[l] - 1).map((i) => {
      const place = isWeights ? [j, i] : [i, 0];
      const alone = (html) => {
        const box = h("div");
        box.innerHTML = html;
        box.querySelectorAll("table").forEach((table, index) => {
          const found = table.rows[place[0]].cells[place[1]];
          table.replaceWith(...(index && found.textContent.startsWith(MINUS) ? ["(", ...found.childNodes, ")"] : found.childNodes));
        });
        return box.innerHTML;
      };
      const own = {
        ...equation,
        run(state, at) {
          const before = state[name][l];
          equation.run(state, at);
          const after = state[name][l];
          state[name][l] = before;
          if (isWeights) before[j][i] = after[j][i];
          else before[i] = after[i];
        },
        numbers: (state, at) => alone(equation.numbers(state, at)),
        result: (state, at) => alone(equation.result(state, at)),
        reads: (state, at) => entries(own.numbers(state, at)),
        writes: (state, at) => entries(own.result(state, at)),
      };
      return { ...step, equation: own, at: isWeights ? { l, j, i } : { l, i } };
    }));
  }

  // An epoch of the batch in its three parts. A mistake in how samples are put together needs the backward pass of each.
  let known = {};
  function passes(state) {
    const each = wrong[state.wrong]?.form === "vector";
    const key = [state.wrong, each ? state.n : "", state.N].join();
    if (known.key !== key) {
      const steps = epoch(state, "batch").map(named(state));
      const of = (phase) => steps.filter((step) => step.phase === phase);
      const backward_ = each ? epoch(state, "vector").map(named(state)).filter(({ phase }) => phase !== "update") : of("backward");
      known = { key, forward: of("forward"), backward: backward_, update: of("update") };
    }
    return known;
  }
  const run = (state, steps) => {
    for (const { equation, at } of steps) equation.run(state, at);
  };
  const forward = (state) => run(state, passes(state).forward);
  const backward = (state) => run(state, passes(state).backward);
  const update = (state) => run(state, passes(state).update);
  const solved = (state) => state.Y.every(([y], s) => state.Zout[state.L][s][0] > 0.5 === y > 0.5);

  // ---- The entries of matrices: "W/2/1/0" is in row 1 and column 0 of the weights of layer 2 ----------------------------
  const parts = (key) => {
    const [name, ...numbers] = key.split("/");
    return [name, ...numbers.map(Number)];
  };
  // The row in which a number that a reader can change stands, and its place there.
  function cell(state, key) {
    const [name, first, second, third] = parts(key);
    if (name === "X" || name === "Y") return [state[name][first], second];
    return third === undefined ? [state[name][first], second] : [state[name][first][second], third];
  }
  const value = (state, key) => {
    const [row, place] = cell(state, key);
    return row[place];
  };
  const WORDS = {
    W: (l, j, i) => `weight of layer ${l} from unit ${j + 1} to unit ${i + 1}`,
    b: (l, i) => `bias of layer ${l}, unit ${i + 1}`,
    X: (s, j) => `sample ${s + 1}, input ${j + 1}`,
    Y: (s) => `label of sample ${s + 1}`,
  };
  const words = (key) => {
    const [name, ...place] = parts(key);
    return WORDS[name](...place);
  };

  const MINUS = "\u2212";
  function shown(number, digits = 4) {
    if (Number.isNaN(number)) return "–";
    const size = Math.abs(number);
    const text = !Number.isFinite(number) ? "∞"
      : size !== 0 && (size < Number(`1e-${digits}`) || size >= 1e5) ? size.toExponential(2).replace("-", MINUS)
      : size.toFixed(digits);
    return (number < 0 ? MINUS : "") + text;
  }

  const fixed = (number) => Math.round(number * 100) / 100;
  const brief = (number) => String(fixed(number)).replace("-", MINUS);

  const tick = (number) => (number && number < 0.001 ? number.toExponential(0).replace("-", MINUS) : number === Infinity ? "∞" : String(number));
  // What has room in the drawing.
  function small(number) {
    const size = Math.abs(number);
    if (size >= 100) return `${number < 0 ? MINUS : ""}${size.toPrecision(1).replace("+", "")}`;
    if (size && size < 0.0005) return "≈0";
    const text = size.toFixed(size && size < 0.005 ? 3 : 2);
    return Number.isNaN(number) ? "–" : (number < 0 ? MINUS : "") + text;
  }

  // ---- Elements of the page -------------------------------------------------------------------------------------------
  function filled(node, attributes, children) {
    for (const [name, given] of Object.entries(attributes)) {
      if (typeof given === "function") node.addEventListener(name, given);
      else if (given === true) node.setAttribute(name, "");
      else if (given !== false && given !== undefined) node.setAttribute(name, given);
    }
    node.append(...children.flat().filter((child) => child !== undefined && child !== false));
    return node;
  }
  const h = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const button = (text, click, attributes = {}) => h("button", { type: "button", click, ...attributes }, text);
  // What a list offers, made anew only where it has changed: one that is open stays open.
  function offer(select, list) {
    const now = list.flat().join();
    if (select.dataset.offers === now) return;
    select.dataset.offers = now;
    select.replaceChildren(...list.map(([key, text]) => h("option", { value: key }, text)));
  }
  let fields = 0;
  function field(text, control, kind = "field") {
    fields += 1;
    control.id = `explorer-${fields}`;
    const label = h("label", { for: control.id }, text);
    return h("div", { class: kind }, kind === "field" ? [label, control] : [control, label]);
  }
  const choice = (text, list, chosen) => {
    const select = h("select", { change: () => chosen(select.value) });
    offer(select, list);
    return [field(text, select), select];
  };

  // A field for a number. What is no number, or out of its bounds, is said and not taken.
  function numeric(text, { least = -1e6, most = 1e6, whole = false }, changed) {
    const told = h("p", { class: "told", role: "status", id: `explorer-told-${fields}` });
    const input = h("input", { type: "text", inputmode: whole ? "numeric" : "decimal", autocomplete: "off", size: 6, "aria-describedby": told.id });
    const read = () => {
      const given = Number(input.value.trim().replace(MINUS, "-").replace(",", ".") || NaN);
      const fits = given >= least && given <= most && (!whole || Number.isInteger(given));
      input.setAttribute("aria-invalid", !fits);
      told.textContent = fits ? "" : `Give a ${whole ? "whole " : ""}number from ${least} to ${most}.`;
      if (fits) changed(given);
    };
    input.addEventListener("change", read);
    const place = field(text, input);
    place.append(told);
    return [place, input];
  }
  const places = Object.fromEntries(
    ["situation", "step", "write", "change", "sweep"].map((name) => [name, document.querySelector(`.explorer-${name}`)]),
  );
  const said = h("p", { role: "status", class: "explorer-said" });
  const say = (text) => (said.textContent = text);

  // ---- The network as it stands ---------------------------------------------------------------------------------------
  let first; // the parameters with which it started
  let live; // the network, complete: its forward and backward pass have run
  let losses; // before each update
  const views = []; // what shows it
  const refresh = () => views.forEach((view) => view());

  function evaluate() {
    if (!trainer.isRunning()) say(""); // what was said is of another network
    live = network(sizes(), live, set.points);
    forward(live);
    backward(live);
  }
  function reset() {
    losses = [];
    live = copied(first);
    evaluate();
  }
  function begin() {
    halt();
    first = set.weights ? unflat(sizes(), set.weights) : drawn(sizes(), set.seed, set.scale);
    set.sample = Math.min(set.sample, set.points.length - 1);
    if (!possible(set.form)) set.form = wrong[set.wrong].form;
    reset();
  }
  // One epoch; whether the loss is still a number. If not, the parameters are those before it.
  function train() {
    const before = copied(live);
    const { loss } = live;
    update(live);
    forward(live);
    if (!Number.isFinite(live.loss)) {
      Object.assign(live, before);
      evaluate();
      return false;
    }
    backward(live);
    losses.push(loss);
    return true;
  }
  // A parameter set by hand is a new start.
  function change(key, number) {
    const [name, s, place] = parts(key);
    if (name === "X" || name === "Y") {
      set.points = set.points.map((point) => [...point]);
      set.points[s][name === "X" ? place : 2] = number;
    } else {
      const [row, column] = cell(live, key);
      row[column] = number;
      first = copied(live);
      set.weights = flat(first);
      losses = [];
    }
    evaluate();
  }

  // ---- The drawing ----------------------------------------------------------------------------------------------------
  const BOX = { input: 56, width: 100, height: 46, between: 70 };
  const FEW = 6; // weights of a layer that are all written
  // A network with the numbers of the sample `row`; `of` has what a form calls delta, gradient and loss, and `lit` says
  // what a step reads and writes.
  function drawing(state, row, of, lit, width) {
    const { L, N } = state;
    const most = Math.max(...N.slice(1).map((size, index) => size * N[index]));
    const gap = Math.max(most > 4 ? 18 * (Math.max(...N.slice(1)) + 1) : 48, (width - 4 - BOX.input - L * BOX.width) / L);
    const wide = (l) => (l ? BOX.width : BOX.input);
    const rows = Math.max(...N, N[L] + 1);
    const height = rows * BOX.between;
    const x = (l) => 2 + wide(l) / 2 + (l && BOX.input + l * gap + (l - 1) * BOX.width);
    const y = (l, i) => height / 2 + (i - (N[l] - 1) / 2) * BOX.between - (l === L && N[L] + 1 === rows ? BOX.between / 2 : 0);
    const how = (keys) => keys.map((key) => lit.get(key)).find(Boolean) ?? "";
    const piece = (left, top, keys, text, kind = "") => {
      const length = 4 + 6.5 * text.length;
      return svg("g", { class: `piece ${kind} ${how(keys)}`, "data-keys": keys.join(" ") },
        svg("rect", { x: left - length / 2, y: top - 8.5, width: length, height: 17, rx: 3 }),
        svg("text", { x: left, y: top + 4 }, text));
    };
    const arrows = [];
    const labels = [];
    for (const l of range(1, L)) {
      for (const j of range(0, N[l - 1] - 1)) {
        for (const i of range(0, N[l] - 1)) {
          const key = `W/${l}/${j}/${i}`;
          const weight = state.W[l][j][i];
          const ends = { x1: x(l - 1) + wide(l - 1) / 2, y1: y(l - 1, j), x2: x(l) - BOX.width / 2, y2: y(l, i) };
          const keys = [key, `gradW/${l}/${j}/${i}`];
          arrows.push(svg("line", { ...ends, class: `arrow ${weight < 0 ? "negative" : ""} ${how(keys)}`,
            "stroke-width": Math.min(0.5 + Math.abs(weight), 4) }));
          if (N[l - 1] * N[l] > FEW && !how(keys)) continue;
          // There the arrows to N units are evenly apart; and off the box. Of many units, each second weight stands further on.
          const along = Math.max(1 / (N[l] + 1), 17.5 / gap) + (N[l] > 3 ? 0.4 * (i % 2) : 0);
          const isDerivative = lit.get(keys[1]) === "write";
          const text = isDerivative ? `∂${small(of.gradW[l][j][i])}` : small(weight);
          labels.push(piece(ends.x1 + Math.max(along * gap, 3.5 * text.length), ends.y1 + along * (ends.y2 - ends.y1),
            [keys[Number(isDerivative)]], text, isDerivative ? "back" : "weight"));
        }
      }
    }
    const side = BOX.width / 4;
    const boxes = N.flatMap((size, l) => range(0, size - 1).map((i) => {
      const [left, top] = [x(l), y(l, i)];
      const box = svg("rect", { class: "unit", x: left - wide(l) / 2, y: top - BOX.height / 2, width: wide(l), height: BOX.height, rx: 6 });
      if (l === 0) return svg("g", {}, box, piece(left, top, [`Zout/0/${row}/${i}`], small(state.X[row][i]), "value"));
      return svg("g", {}, box,
        piece(left - side, top - 11, [`Zin/${l}/${row}/${i}`], small(state.Zin[l][row][i]), "value"),
        svg("text", { x: left, y: top - 7 }, "›"),
        piece(left + side, top - 11, [`Zout/${l}/${row}/${i}`], small(state.Zout[l][row][i]), "value"),
        lit.get(`gradb/${l}/${i}`) === "write" ? piece(left - side, top + 11, [`gradb/${l}/${i}`], `∂${small(of.gradb[l][i])}`, "back")
          : piece(left - side, top + 11, [`b/${l}/${i}`], small(state.b[l][i]), "weight"),
        piece(left + side, top + 11, [`Delta/${l}/${row}/${i}`, `delta/${l}/${row}/${i}`], `δ${small(of.delta[l][row][i])}`, "back"));
    }));
    const end = [x(L), y(L, N[L] - 1) + BOX.between];
    return svg("svg", { width: x(L) + BOX.width / 2 + 2, height, "aria-hidden": "true" },
      arrows, svg("line", { class: "arrow", x1: end[0], x2: end[0], y1: y(L, N[L] - 1) + BOX.height / 2, y2: end[1] - 20, "stroke-width": 1 }),
      boxes, labels.sort((a, b) => a.classList.contains("write") - b.classList.contains("write")), // what is written on top
      piece(end[0], end[1] - 10, [`Y/${L}/${row}/0`], `label ${small(state.Y[row][0])}`),
      piece(end[0], end[1] + 11, ["loss", `loss/${row}`], `loss ${shown(of.loss)}`, "value"));
  }

  // ---- Step through it ------------------------------------------------------------------------------------------------
  const FORMS = { scalar: "Number by number", vector: "One sample, vectors", batch: "The batch, matrices" };
  const PHASES = { forward: "Forward", backward: "Backward", mean: "Mean", update: "Update" };
  // A mistake stands in the equations of the batch, or in those that put samples together.
  const possible = (form) => !set.wrong || (form === "batch") === (wrong[set.wrong].form === "batch");
  function title({ name, label, at: { l, i, j } }) {
    const one = i !== undefined;
    const unit = one ? `unit ${i + 1} of layer ` : "layer ";
    const all = label.includes("batch") && !one ? ", for all samples" : "";
    const weight = one ? `weight from unit ${j + 1} to unit ${i + 1}, layer ${l}` : `weights of layer ${l}`;
    const bias = one ? `bias of ${unit}${l}` : `biases of layer ${l}`;
    return {
      "pre-activation": `What goes into ${unit}${l}${all}`,
      output: `What comes out of ${unit}${l}${all}`,
      "loss-sample": "The loss of the sample",
      "loss-batch": "The loss of the batch",
      "loss-slope": `How the loss reacts to output ${i + 1}`,
      "loss-gradient": "How the loss reacts to the outputs, for all samples",
      "output-delta": one ? `The delta of output unit ${i + 1}` : `The deltas of the output layer${all}`,
      "hidden-delta": one ? `The delta of ${unit}${l - 1}` : `The deltas of layer ${l - 1}${all}`,
      weights: `Derivative for the ${weight}`,
      biases: `Derivative for the ${bias}`,
      "delta-mean": `The share of this sample in the batch: delta of ${unit}${l}`,
      "weights-steps": `Over all samples: derivative for the ${weight}`,
      "biases-steps": `Over all samples: derivative for the ${bias}`,
      "update-weights": `The new ${weight}`,
      "update-biases": `The new ${bias}`,
    }[name];
  }

  let done = 0; // steps of the pass that have run
  let atStep; // the label of the equation that is shown
  let writing; // that of the equation which the reader writes: its right side is not shown
  function stepper(place) {
    let steps; // those that are shown
    let walk;
    let timer;
    let seen; // what a step gives, as it was when it ran

    // The pass from its start to `done`, on a copy.
    function go() {
      walk = network(sizes(), copied(live), set.points);
      const all = schedule(walk, set.form);
      steps = all.filter((step) => !step.hidden);
      done = Math.min(done, steps.length);
      seen = undefined;
      for (const { equation, at } of all.slice(0, all.indexOf(steps[done - 1]) + 1)) {
        if (equation === steps[done - 1].equation && at === steps[done - 1].at)
          seen = { numbers: equation.numbers(walk, at), reads: equation.reads(walk, at), writes: equation.writes(walk, at) };
        equation.run(walk, at);
      }
      if (seen) seen.result = steps[done - 1].equation.result(walk, steps[done - 1].at);
      draw();
    }
    function move(to) {
      if (to > steps.length) {
        // The pass is over: the network takes the step that it has worked out.
        const lossBefore = live.loss;
        losses.push(lossBefore);
        Object.assign(live, copied(walk));
        done = 0;
        evaluate();
        refresh();
        where.prepend(`Epoch ${losses.length}: the loss went from ${shown(lossBefore)} to ${shown(live.loss)}. `);
      } else {
        done = Math.max(0, to);
        go();
      }
      keep();
    }
    halt = () => {
      timer = clearInterval(timer);
      asPlaying(playButton, "Play");
    };
    function play() {
      if (timer) return halt();
      asPlaying(playButton);
      timer = setInterval(() => (document.hidden ? 0 : done < steps.length && !trainer.isRunning() ? move(done + 1) : halt()), 900);
    }
    // The same place in another form, or where its phase begins.
    function change_form(form) {
      const current = steps[done - 1];
      halt();
      set.form = form;
      go();
      if (current) {
        const places = [
          (step) => step.name === current.name && step.at.l === current.at.l, (step) => step.phase === current.phase, () => true,
        ].map((same) => steps.findIndex(same));
        done = 1 + places.find((place) => place >= 0);
        go();
      }
      keep();
    }

    const forms = Object.entries(FORMS).map(([form, text]) => button(text, () => change_form(form), { "data-form": form }));
    const [sampleField, sample] = choice("Sample", [], (chosen) => {
      set.sample = Number(chosen);
      refresh();
      keep();
    });
    const [phaseField, phase] = choice("Go to", [], (chosen) => move(Number(chosen)));
    const playButton = button("Play", play, { "aria-pressed": "false" });
    const first = button("First", () => move(0));
    const back = button("Back", () => move(done - 1));
    const next = button("Next", () => move(done + 1), { class: "main" });
    const picture = h("div", { class: "picture", tabindex: 0, role: "img", click: (event) => pick(event.target.closest("[data-keys]")?.dataset.keys ?? "") });
    const warning = h("p", { class: "warning" });
    const box = h("div");
    const editing = h("details", { class: "explorer-number", open: innerWidth >= WIDE }, h("summary", {}, "Change a number"), box);
    if (!pressed) editor(box);
    const where = h("p", { role: "status" });
    const body = h("div");
    const card = h("div", { class: "card" }, where, body);

    const shownFields = set.points.length > 1 || !pressed ? [sampleField] : [];
    place.replaceChildren(
      h("div", { class: "row" }, pressed ? [] : h("div", { class: "switch", role: "group", "aria-label": "Form of the equations" }, forms), shownFields),
      h("div", { class: "row" }, first, back, next, playButton, phaseField),
      warning, picture, ...(pressed ? [card] : innerWidth < WIDE ? [editing, card] : [card, editing]),
      h("p", { class: "key" }, "In each unit, above: what goes in › what comes out. Below: its bias, and its delta δ (of the batch, once samples meet). On an arrow: its weight; dashed if negative. Of more than six between two layers, only those of the step are written. A derivative of the loss, ∂, stands where its weight or bias stood. ",
        h("span", { class: "piece read" }, "Framed"), " is what the step reads, if it is drawn, ", h("span", { class: "piece write" }, "filled"), ` what it writes.${pressed ? "" : " Click a number to change it."}`),
    );

    function draw() {
      for (const each of forms) {
        each.setAttribute("aria-pressed", each.dataset.form === set.form);
        each.disabled = !possible(each.dataset.form);
      }
      warning.replaceChildren(...(set.wrong ? warned(wrong[set.wrong]) : []));
      offer(sample, set.points.map(([x1, x2, y], s) => [s, `${s + 1}: (${brief(x1)}, ${brief(x2)}), label ${brief(y)}`]));
      sample.value = set.sample;
      const current = steps[done - 1];
      const begins = (name) => 1 + steps.findIndex((step) => step.phase === name);
      offer(phase, [[0, "the start"],
        ...Object.keys(PHASES).filter(begins).map((name) => [begins(name), PHASES[name]]), [steps.length, "the end"]]);
      phase.value = current && done < steps.length ? begins(current.phase) : done;
      if (done === 0 && [first, back].includes(document.activeElement)) next.focus();
      first.disabled = back.disabled = done === 0;
      next.textContent = done === steps.length ? "Next pass" : "Next";
      atStep = current?.equation.label;
      const lit = new Map([...((atStep !== writing && seen?.reads) || []).map((key) => [key, "read"]), ...(seen?.writes ?? []).map((key) => [key, "write"])]);
      const row = set.sample;
      const whole = set.form === "batch" || ["mean", "update"].includes(current?.phase);
      // Where there is no delta of the batch yet, that of the sample stays.
      const known_ = walk.Delta.map((rows, l) => rows?.map((row, s) => row.map((delta, i) => (Number.isNaN(delta) ? walk.delta[l][s][i] : delta))));
      const of = whole ? { gradW: walk.gradW, gradb: walk.gradb, delta: known_, loss: walk.loss }
        : { gradW: walk.gradWs[row], gradb: walk.gradbs[row], delta: walk.delta, loss: walk.losses[row] };
      picture.className = `picture ${current?.phase ?? ""}`;
      picture.setAttribute("aria-label", `The network, with ${walk.N.join(", ")} units from input to output. What a step reads and writes is said below.`);
      picture.replaceChildren(drawing(walk, row, of, lit, picture.clientWidth - 4));
      const written = picture.querySelector(".piece.write rect");
      if (written) picture.scrollLeft = Number(written.getAttribute("x")) - picture.clientWidth / 2;
      card.className = `card ${current?.phase ?? ""}`;
      body.replaceChildren(...(current ? explained(current) : []));
      where.replaceChildren(...(current ? [`Step ${done} of ${steps.length}. `, h("b", {}, title(current)), outcome()]
        : ["Nothing is computed yet. ", h("b", {}, "Next"), ` takes the first of ${steps.length} steps.`]));
    }
    function warned({ label, number, href, square }) {
      const where = square ? ", in layers with as many units as the one before" : "";
      return [h("b", {}, `A mistake is at work, ${set.wrong.replaceAll("-", " ")}.`), " It stands in place of ", h("a", { href }, `equation ${number}`), `${where}. `,
        document.getElementById(`mistake-${set.wrong}`).content.cloneNode(true), " All else is right. A finite difference knows no equation: compare it, below."];
    }
    function explained(step) {
      const { equation, at } = step;
      const { letters } = equation;
      // A symbol names rows with the letters of the formula; what has no place, such as the index of a sum, is any.
      const letter = { ell: at.l, "ell-1": at.l - 1, L: walk.L, s: at.s, [letters.i]: at.i, [letters.j]: at.j };
      const meant = ({ reads, writes }) => {
        const [name, ...rest] = (reads ?? writes).split("/");
        return new RegExp(`^${[name, ...rest.map((part) => letter[part] ?? "\\d+")].join("/")}(/|$)`);
      };
      const isWrong = equation === wrong[set.wrong];
      const blank = equation.label === writing && document.getElementById(`blank-${writing}`);
      const formula = h("div", { class: "formula", tabindex: 0, role: "group", "aria-label": "The equation",
        pointerover: (event) => {
          const symbol = event.target.closest("[data-reads], [data-writes]");
          look(symbol && meant(symbol.dataset));
        }, pointerout: () => look() },
        h("span", { class: "said" }, blank ? blank.dataset.speech : equation.speech),
        h("span", { "aria-hidden": "true" }, (blank || document.getElementById(`formula-${isWrong ? set.wrong : equation.label}`)).content.cloneNode(true)));
      const numbers = h("div", { class: "numbers", tabindex: 0, role: "group", "aria-label": "The equation with its numbers",
        pointerover: (event) => look(event.target.dataset.at && new RegExp(`^${event.target.dataset.at}$`)), pointerout: () => look() });
      numbers.innerHTML = `<span class="result">${seen.result}</span> ${equation.tex.includes("leftarrow") ? "←" : "="} ${blank ? "?" : seen.numbers}`;
      for (const table of numbers.querySelectorAll("table"))
        table.prepend(h("caption", {}, `${table.rows.length} × ${table.rows[0].cells.length}`));
      const here = [
        at.s !== undefined && !letters.s && `sample ${at.s + 1}`, equation.range && `ℓ = ${at.l}`,
        ...["s", "j", "i"].map((name) => letters[name] && `${letters[name]} = ${at[name] + 1}`),
      ].filter(Boolean);
      return [
        formula, numbers,
        ...(step.phase === "update" && set.form === "scalar" ? [h("p", {}, "The equation has all these numbers of the layer; here stands one of them.")] : []),
        h("p", { class: "key" }, here.length ? `Here ${here.join(", ")}. ` : "", blank ? "You are writing the right side, below."
          : [isWrong && h("b", {}, "A mistake, in place of "), h("a", { href: equation.href }, equation.number ? `Equation ${equation.number}` : "In the text"), ` of ${chapter(equation.chapter)}.`]),
      ];
    }
    // The number that a step gives, if it is one.
    const outcome = () => (seen.writes.length === 1 ? `: ${body.querySelector(".result [data-at]").textContent}.` : ".");
    const chapter = (name) => {
      const link = document.querySelector(`nav a[href="${name}.html"]`);
      return link ? `chapter ${link.textContent.trim()}` : "this chapter";
    };
    // What the symbol or the number under the pointer is, in the drawing and among the numbers.
    function look(pattern) {
      for (const each of place.querySelectorAll("[data-keys], [data-at]")) {
        const names = (each.dataset.keys ?? each.dataset.at).split(" ");
        each.classList.toggle("looked", Boolean(pattern) && names.some((name) => pattern.test(name)));
      }
    }
    // A long pass is not shown anew in each frame of a training.
    views.push(() => (trainer.isRunning() && steps.length > 200 ? undefined : go()));
    new ResizeObserver(draw).observe(picture);
  }

  // ---- Write it yourself ----------------------------------------------------------------------------------------------
  const RESULTS = {
    "pre-activation": "what goes in", output: "what comes out", "loss-sample": "loss of a sample", "loss-batch": "loss of the batch",
    "loss-slope": "derivative by an output", "loss-gradient": "derivatives by the outputs", "output-delta": "delta of the output layer",
    "hidden-delta": "delta of a hidden layer", weights: "derivative for weights", biases: "derivative for biases",
    "delta-mean": "share of a sample", "weights-steps": "weights, over all samples", "biases-steps": "biases, over all samples",
    "update-weights": "step of the weights", "update-biases": "step of the biases", glorot: "bound of the first weights",
    "tanh-derivative": "slope of tanh", "sigmoid-derivative": "slope of the sigmoid",
  };
  // What stands between formulas' symbols: on the button, its name, and what is written, with | for the cursor.
  const SIGNS = [
    ["+", "plus", "+ "], [MINUS, "minus", "- "], ["·", "times", "\\cdot "], ["⊙", "times, element by element", "\\odot "],
    ["a/b", "fraction", "\\frac{|}{}"], ["( )", "parentheses", "(|)"], ["( )⊤", "transposed", "(|)^{\\top}"], ["x²", "squared", "^2"], ["√", "root", "\\sqrt{|}"],
  ];
  // The judge is loaded when it is needed.
  const loads = places.write?.querySelector("[data-loads]");
  let judge;
  const judging = () => (judge ??= new Promise((loaded, failed) =>
    document.head.append(h("script", { src: loads.dataset.loads, load: () => loaded(BookFormulas.judge), error: failed }))));

  function writer(place) {
    const blanks = [...document.querySelectorAll("template[id^=blank-]")].map((blank) => ({ label: blank.id.slice(6), blank, ...blank.dataset }));
    const [listField, list] = choice("Equation", [["", "none: all are shown"]], choose);
    for (const [form, text] of [...Object.entries(FORMS), ["function", "Slopes"]]) {
      list.append(h("optgroup", { label: text }, blanks.filter((each) => each.form === form).map(({ label, number }) =>
        h("option", { value: label }, [number, RESULTS[short(label)]].filter(Boolean).join(": ")))));
    }
    const take = button("That of the step", () => (atStep ? choose(atStep) : tell("No step is shown yet. Press Next above.")));
    const left = h("div", { class: "blank", tabindex: 0, role: "group", "aria-label": "The left side" });
    const input = h("textarea", { rows: 2, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-describedby": "explorer-verdict",
      keydown: (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        form.requestSubmit();
      } });
    const symbols = h("div", { class: "row symbols", role: "group", "aria-label": "Symbols", pointerdown: (event) => event.preventDefault(),
      click: (event) => {
        insert(event.target.closest("button")?.dataset.typed ?? "");
        // Not for a finger, or a keyboard would come up; and whoever presses keys goes on from the button.
        if (event.detail && matchMedia("(pointer: fine)").matches) input.focus();
      } });
    const verdict = h("div", { role: "status", class: "verdict", id: "explorer-verdict" });
    const form = h("form", { hidden: true, submit: (event) => {
      event.preventDefault();
      check();
    } }, left, field("Right side, in TeX", input), symbols, h("div", { class: "row" }, h("button", { class: "main" }, "Check")));
    place.replaceChildren(h("div", { class: "row" }, listField, take), form, verdict);

    function choose(label) {
      writing = label;
      list.value = label;
      form.hidden = !label;
      input.value = "";
      tell();
      if (label) {
        const { blank, form: of, speech } = blanks.find((each) => each.label === label);
        left.replaceChildren(h("span", { class: "said" }, `${speech}, equals what?`), h("span", { "aria-hidden": "true" }, blank.content.cloneNode(true)));
        symbols.replaceChildren(document.getElementById(`symbols-${of}`).content.cloneNode(true),
          ...SIGNS.map(([text, name, typed]) => h("button", { type: "button", "data-typed": typed },
            h("span", { class: "said" }, name), h("span", { "aria-hidden": "true" }, text))));
        judging().catch(() => tell("The script that judges could not be loaded. Load the page again."));
      }
      refresh();
    }
    function insert(typed) {
      const [before, after = ""] = typed.split("|");
      const start = input.selectionStart;
      const apart = /\\[a-z]+$/i.test(input.value.slice(0, start)) && /^[a-z]/i.test(before) ? " " : "";
      input.setRangeText(apart + before + after, start, input.selectionEnd, "end");
      const end = input.selectionStart - after.length;
      input.setSelectionRange(end, end);
    }
    const tell = (...lines) => verdict.replaceChildren(...lines.map((line) => h("p", {}, line)));
    // N^(1), with the layer above.
    const raised = (text) => text.split(/\^(\([^)]*\))/).map((part, index) => (index % 2 ? h("sup", {}, part) : part));
    async function check() {
      const tex = input.value.trim();
      if (!tex) return tell("Nothing is written yet.");
      const found = (await judging())(writing, tex, { ...live, one: set.sample });
      input.setAttribute("aria-invalid", found.verdict === "unread");
      return tell(...told(found));
    }
    function told({ verdict: kind, text, mistakes, ...found }) {
      if (kind === "right") return [[h("b", {}, "Right."), " In any network this gives the numbers of the book."]];
      if (kind === "unread") return [[h("b", {}, "This cannot be read"), ...raised(text.replace(/^(cannot be read)?/, (known) => (known ? "" : ": "))), "."]];
      const where = text ? ["This does not fit: ", ...raised(text), "."] : differs(found);
      return [...mistakes.map((name) => [h("b", {}, `A known mistake, ${name.replaceAll("-", " ")}. `), document.getElementById(`mistake-${name}`).content.cloneNode(true)]),
        kind === "other" ? [h("b", {}, "Not the numbers of the book. "), ...where] : where];
    }
    function differs({ place: { l, s, indices, row, column, z }, own, yours, book }) {
      const equation = equations[writing];
      const sample = own && equation && !equation.letters.s && equation.over(live, l ?? 1).s !== undefined;
      const at = [
        z !== undefined && `z = ${brief(z)}`, typeof l === "number" && `ℓ = ${l}`, sample && `sample ${s + 1}`,
        ...Object.entries(indices).map(([name, index]) => `${name} = ${index + 1}`), row !== undefined && `row ${row + 1}, column ${column + 1}`,
      ].filter(Boolean).join(", ");
      let digits = 4;
      while (digits < 12 && shown(yours, digits) === shown(book, digits)) digits += 1;
      const there = z !== undefined ? "It differs" : own ? "In your network it differs" : "In your network it gives the same. In another it differs";
      return [`${[there, at].filter(Boolean).join(" at ")}: yours is ${shown(yours, digits)}, that of the book ${shown(book, digits)}.`];
    }
  }

  // ---- Change a number ------------------------------------------------------------------------------------------------
  const keys = () => {
    const N = sizes();
    const parameters = range(1, N.length - 1).flatMap((l) => [
      ...range(0, N[l - 1] - 1).flatMap((j) => range(0, N[l] - 1).map((i) => `W/${l}/${j}/${i}`)),
      ...range(0, N[l] - 1).map((i) => `b/${l}/${i}`),
    ]);
    return [...parameters, ...set.points.flatMap((_, s) => [`X/${s}/0`, `X/${s}/1`, `Y/${s}/0`])];
  };
  // Has the editor take what was clicked in the drawing.
  let pick = () => {};
  // Ends the play of the steps.
  let halt = () => {};
  const asPlaying = (node, name) => {
    node.textContent = name ?? "Pause";
    node.setAttribute("aria-pressed", !name);
  };
  const KEYS = [[/^([Wb]\/\S+)/, "$1"], [/^Zout\/0\/(\S+)/, "X/$1"], [/^Y\/\d+\/(\S+)/, "Y/$1"]];
  const BOUNDS = { W: [-4, 4], b: [-4, 4], X: [-RANGE, RANGE], Y: [0, 1] };

  function editor(place) {
    let chosen = "W/1/0/0";
    const [listField, list] = choice("Number", [], (key) => {
      chosen = key;
      draw();
    });
    const set_ = (number) => {
      change(chosen, number);
      refresh();
      keep();
    };
    const slider = h("input", { type: "range", step: 0.01, input: () => set_(Number(slider.value)) });
    const sliderField = field("Slide", slider);
    const [inputField, input] = numeric("Value", {}, (number) => {
      const [least, most] = ["X", "Y"].includes(chosen[0]) ? BOUNDS[chosen[0]] : [-Infinity, Infinity];
      set_(Math.min(Math.max(number, least), most));
    });
    const asked = h("input", { type: "checkbox", change: draw });
    const derivative = h("p", { role: "status" });
    place.replaceChildren(
      h("div", { class: "row" }, listField, sliderField, inputField),
      h("div", { class: "row" }, field("Compare with a finite difference", asked, "check")),
      derivative,
    );

    pick = (given) => {
      const found = KEYS.find(([pattern]) => pattern.test(given));
      if (!found) return;
      chosen = given.split(" ")[0].replace(...found);
      draw();
      place.parentElement.open = true;
      slider.focus();
    };
    function draw() {
      if (!keys().includes(chosen)) chosen = "W/1/0/0";
      offer(list, keys().map((key) => [key, words(key)]));
      list.value = chosen;
      const number = value(live, chosen);
      [slider.min, slider.max] = BOUNDS[chosen[0]];
      slider.value = number;
      slider.setAttribute("aria-valuetext", `${words(chosen)}: ${shown(number)}`);
      if (document.activeElement !== input) input.value = Number(number.toPrecision(6));
      derivative.replaceChildren(...compared());
    }
    // The loss on both sides of the number, each by a forward pass: a check that knows no derivative.
    function compared() {
      const [name, ...place] = parts(chosen);
      if (!["W", "b"].includes(name)) return ["The backward pass gives derivatives of weights and biases only."];
      const whole = set.wrong || set.form === "batch";
      const samples = whole ? set.points : [set.points[set.sample]];
      const whose = whole ? "the batch" : `sample ${set.sample + 1}`;
      const state = network(sizes(), copied(live), samples);
      forward(state);
      backward(state);
      const by = value(state, [`grad${name}`, ...place].join("/"));
      const text = `Derivative of the loss of ${whose}, by the backward pass: ${shown(by, 6)}.`;
      if (!asked.checked) return [text];
      const [row, column] = cell(state, chosen);
      const middle = row[column];
      const step = 1e-5;
      const [above, below] = [middle + step, middle - step].map((number) => {
        row[column] = number;
        forward(state);
        return state.loss;
      });
      const by_trying = (above - below) / (2 * step);
      return [text, h("br"), `By trying, ${shown(step, 5)} up and down, two forward passes: ${shown(by_trying, 6)}. `,
        `They differ by ${shown(Math.abs(by - by_trying), 6)}.`];
    }
    views.push(draw);
  }

  // ---- The plane ------------------------------------------------------------------------------------------------------
  // The colours of predictions, low to high, as in the figures of the book (PuOr).
  const SHADES = ["7f3b08", "b35806", "e08214", "fdb863", "fee0b6", "f7f7f7", "d8daeb", "b2abd2", "8073ac", "542788", "2d004b"]
    .map((hex) => [0, 2, 4].map((place) => parseInt(hex.slice(place, place + 2), 16)));
  const rgb = (colour) => `rgb(${colour})`;
  function shade(prediction) {
    if (Number.isNaN(prediction)) return [128, 128, 128];
    const place = Math.min(Math.max(prediction, 0), 1) * (SHADES.length - 1);
    const low = Math.min(Math.floor(place), SHADES.length - 2);
    return SHADES[low].map((from, channel) => from + (place - low) * (SHADES[low + 1][channel] - from));
  }

  function plane(place) {
    let probe;
    const canvas = h("canvas", { width: 600, height: 600, "aria-hidden": "true" });
    const points = h("div", { class: "points", role: "group", "aria-label": "Points in the plane" });
    const box = h("div", { class: "plane" }, canvas, points);
    const bar = h("span", { class: "shades", role: "img", "aria-label": "from brown over orange and white to purple" });
    bar.style.background = `linear-gradient(to right, ${SHADES.map(rgb)})`;
    const colours = h("p", { class: "key" }, "Prediction 0 ", bar, " 1. The line is the level 0.5.");
    const axes = h("p", { class: "key" }, "From −2 to 2 each way. A star has label 1. Arrow keys move the chosen point, with Shift far; Delete removes it.");
    const flip = button("Flip label", () => change_("Y", set.points[set.sample][2] > 0.5 ? 0 : 1));
    const add = button("Add point", () => insert(free()));
    const remove = button("Remove point", () => {
      set.points = set.points.filter((_, s) => s !== set.sample);
      set.sample = Math.max(0, set.sample - 1);
      moved();
    });
    place.replaceChildren(box, colours, axes, h("div", { class: "row" }, pressed ? [] : [flip, add, remove]));

    const moved = () => {
      evaluate();
      refresh();
      keep();
    };
    const change_ = (name, number, axis = 0) => {
      change(`${name}/${set.sample}/${axis}`, number);
      refresh();
      keep();
    };
    const insert = ([x1, x2]) => {
      if (add.disabled) return;
      set.points = [...set.points, [fixed(x1), fixed(x2), 0]];
      set.sample = set.points.length - 1;
      moved();
    };
    // A place where no point is yet.
    const free = () => {
      const next = random(set.points.length);
      const apart = (at) => Math.min(...set.points.map(([x1, x2]) => Math.hypot(x1 - at[0], x2 - at[1])));
      const tried = range(0, 50).map(() => [3 * next() - 1.5, 3 * next() - 1.5]);
      return tried.reduce((best, at) => (apart(at) > apart(best) ? at : best));
    };
    const at = (event) => {
      const area = box.getBoundingClientRect();
      const along = (from, start, size) => Math.min(Math.max((from - start) / size, 0), 1);
      return [RANGE * (2 * along(event.clientX, area.left, area.width) - 1), RANGE * (1 - 2 * along(event.clientY, area.top, area.height))];
    };
    const shift = (x1, x2) => {
      const within = (number) => fixed(Math.min(Math.max(number, -RANGE), RANGE));
      set.points = set.points.map((point, s) => (s === set.sample ? [within(x1), within(x2), point[2]] : point));
      moved();
    };
    box.addEventListener("dblclick", (event) => {
      if (event.target.closest("button")) return;
      insert(at(event));
      handles[set.sample].focus();
    });
    const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

    function handle(s) {
      const choose = () => {
        set.sample = s;
        refresh();
        keep();
      };
      return h("button", {
        type: "button", click: choose, focus: () => set.sample === s || choose(),
        pointerdown: (event) => {
          event.currentTarget.focus({ preventScroll: true }); // a finger gives none, and where none is, points are sorted
          event.currentTarget.setPointerCapture(event.pointerId);
        },
        pointermove: (event) => event.currentTarget.hasPointerCapture(event.pointerId) && shift(...at(event)),
        keydown: (event) => {
          const way = ARROWS[event.key];
          const far = event.shiftKey ? 0.5 : 0.05;
          if (way) shift(set.points[s][0] + far * way[0], set.points[s][1] + far * way[1]);
          else if (event.key === " ") flip.click();
          else if (event.key === "Delete" && !remove.disabled) {
            remove.click();
            handles[set.sample].focus();
          } else return;
          event.preventDefault();
        },
      });
    }
    const handles = [];
    function draw() {
      while (handles.length < set.points.length) handles.push(points.appendChild(handle(handles.length)));
      while (handles.length > set.points.length) handles.pop().remove();
      // The Tab key goes from the top down.
      if (!points.contains(document.activeElement))
        points.append(...handles.toSorted((a, b) => set.points[handles.indexOf(b)][1] - set.points[handles.indexOf(a)][1]));
      set.points.forEach(([x1, x2, y], s) => {
        const node = handles[s];
        node.className = `${y > 0.5 ? "one" : "zero"} ${s === set.sample ? "chosen" : ""}`;
        node.textContent = y > 0.5 ? "★" : "●";
        node.style.left = `${(50 * (x1 + RANGE)) / RANGE}%`;
        node.style.top = `${(50 * (RANGE - x2)) / RANGE}%`;
        node.setAttribute("aria-pressed", s === set.sample);
        node.setAttribute("aria-label", `Point ${s + 1} at ${shown(x1, 2)}, ${shown(x2, 2)}; label ${shown(y, 2)}, prediction ${shown(live.Zout[live.L][s][0], 2)}`);
      });
      remove.disabled = set.points.length === 1;
      add.disabled = set.points.length === MOST_POINTS;
      paint();
    }
    function paint() {
      const fine = 41; // the grid's lines a side
      if (probe?.N.join() !== live.N.join() || probe.act[1] !== live.act[1]) {
        const axis = range(0, fine - 1).map((place) => RANGE * ((2 * place) / (fine - 1) - 1));
        probe = network(live.N, live, axis.flatMap((x2) => axis.map((x1) => [x1, -x2, 0])));
      }
      Object.assign(probe, { W: live.W, b: live.b });
      forward(probe);
      const predictions = probe.Zout[probe.L];
      const level = (row, column) => predictions[row * fine + column][0];
      const picture = new ImageData(fine, fine);
      predictions.forEach(([prediction], index) => picture.data.set([...shade(prediction), 255], 4 * index));
      const small = h("canvas", { width: fine, height: fine });
      small.getContext("2d").putImageData(picture, 0, 0);
      const context = canvas.getContext("2d");
      const size = canvas.width / (fine - 1);
      // The middle of a pixel of the small picture belongs to a line of the grid.
      context.drawImage(small, -size / 2, -size / 2, size * fine, size * fine);
      context.lineWidth = 3;
      context.beginPath();
      for (const row of range(0, fine - 2)) for (const column of range(0, fine - 2)) outline(context, level, row, column, size);
      context.stroke();
    }
    views.push(draw);
  }
  // The part of the level 0.5 inside a square of the grid: a line between the sides that it crosses.
  function outline(context, level, row, column, size) {
    const corners = [[0, 0], [0, 1], [1, 1], [1, 0]].map(([down, right]) => [row + down, column + right]);
    const crossed = [];
    corners.forEach((from, index) => {
      const to = corners[(index + 1) % 4];
      const [a, b] = [level(...from) - 0.5, level(...to) - 0.5];
      if (a > 0 === b > 0) return;
      const along = a / (a - b);
      crossed.push([from[1] + along * (to[1] - from[1]), from[0] + along * (to[0] - from[0])].map((place) => place * size));
    });
    for (let index = 0; index + 1 < crossed.length; index += 2) {
      context.moveTo(...crossed[index]);
      context.lineTo(...crossed[index + 1]);
    }
  }

  // ---- The loss, epoch by epoch ---------------------------------------------------------------------------------------
  function chart(place) {
    const FRAME = { left: 44, right: 8, top: 8, bottom: 22, height: 220 };
    const box = h("div", { class: "chart", tabindex: 0, role: "slider", "aria-label": "Epoch on the curve of the loss", "aria-valuemin": 0 });
    const readout = h("p", { class: "key" });
    place.replaceChildren(box, readout);
    let looked = null; // the epoch under the pointer; null: the last
    let scales;
    const all = () => [...losses, live.loss];

    const look = (epoch) => {
      looked = epoch === null ? null : Math.min(Math.max(Math.round(epoch), 0), losses.length);
      draw();
    };
    box.addEventListener("pointermove", (event) => look(scales.epoch(event.clientX - box.getBoundingClientRect().left)));
    box.addEventListener("pointerleave", () => look(null));
    box.addEventListener("keydown", (event) => {
      const far = Math.max(1, Math.round(losses.length / 20));
      const now = Math.min(looked ?? losses.length, losses.length);
      const to = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowDown: now - 1, ArrowUp: now + 1, PageDown: now - far, PageUp: now + far, Home: 0, End: losses.length }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      look(to);
    });
    function draw() {
      const width = box.clientWidth;
      const values = all();
      const least = Math.min(...bounds(values));
      const [low, high] = [Math.floor(Math.log10(Math.max(least, 1e-12))), Math.max(0, Math.ceil(Math.log10(Math.max(...bounds(values)))))];
      const last = Math.max(losses.length, 1);
      const inner = { width: width - FRAME.left - FRAME.right, height: FRAME.height - FRAME.top - FRAME.bottom };
      const x = (epoch) => FRAME.left + (inner.width * epoch) / last;
      const y = (loss) => FRAME.top + (inner.height * (high - Math.log10(Math.max(loss, 1e-12)))) / (high - low || 1);
      scales = { epoch: (left) => ((left - FRAME.left) / inner.width) * last };
      const every = Math.max(1, Math.floor(values.length / 600));
      const drawn = range(0, losses.length).filter((epoch) => epoch % every === 0 || epoch === losses.length);
      const now = Math.min(looked ?? losses.length, losses.length);
      const ticks = range(low, high).map((power) => [
        svg("line", { class: "tick", x1: FRAME.left, x2: width - FRAME.right, y1: y(Number(`1e${power}`)), y2: y(Number(`1e${power}`)) }),
        svg("text", { x: FRAME.left - 6, y: y(Number(`1e${power}`)) + 4, "text-anchor": "end" }, tick(Number(`1e${power}`))),
      ]);
      box.replaceChildren(svg("svg", { width, height: FRAME.height, "aria-hidden": "true" }, ticks.flat(),
        svg("text", { x: FRAME.left, y: FRAME.height - 5 }, "0"),
        svg("text", { x: width - FRAME.right, y: FRAME.height - 5, "text-anchor": "end" }, `epoch ${losses.length}`),
        svg("polyline", { class: "curve", points: drawn.map((epoch) => `${x(epoch)},${y(values[epoch])}`).join(" ") }),
        svg("line", { class: "cross", x1: x(now), x2: x(now), y1: FRAME.top, y2: FRAME.height - FRAME.bottom }),
        svg("circle", { cx: x(now), cy: y(values[now]), r: 4 })));
      const text = `Epoch ${now}: loss ${shown(values[now], 5)}`;
      box.setAttribute("aria-valuemax", losses.length);
      box.setAttribute("aria-valuenow", now);
      box.setAttribute("aria-valuetext", text);
      readout.textContent = `${text}. The axis is logarithmic.`;
    }
    views.push(draw);
    addEventListener("resize", draw);
  }
  const bounds = (numbers) => [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))];

  // ---- Training -------------------------------------------------------------------------------------------------------
  const LONGEST = 100_000; // epochs
  const trainer = { isRunning: () => false };
  function training(place) {
    let frame = 0;
    let until = 2500;
    let pace = 10; // epochs a frame; 0: as many as fit
    const runButton = button("Run", () => (frame ? interrupt() : start()), { class: "main", "aria-pressed": "false" });
    const stepButton = button("One epoch", () => {
      pause();
      if (!train()) exploded();
      refresh();
    });
    const resetButton = button("Reset", () => {
      pause();
      reset();
      refresh();
      say(`The network is at its start again${set.weights ? ", the one with the numbers that were set" : ""}.`);
    });
    const stop = h("input", { type: "checkbox" });
    const [paceField, pacing] = choice("Epochs a picture", [[1, "1"], [10, "10"], [100, "100"], [0, "as many as fit"]], (chosen) => (pace = Number(chosen)));
    pacing.value = pace;
    const [untilField, last] = numeric("Until epoch", { least: 1, most: LONGEST, whole: true }, (number) => (until = number));
    last.value = until;
    place.replaceChildren(
      h("div", { class: "row" }, runButton, stepButton, resetButton,
        pressed ? [] : [untilField, paceField, field("Stop when solved", stop, "check")]),
      said,
    );

    const exploded = () => say(`Stopped at epoch ${losses.length}: the next step makes numbers that are too large. The learning rate is too high here.`);
    const outcome = () => `loss ${shown(live.loss, 5)}, ${solved(live) ? "solved" : "not solved"}`;
    const onward = pressed ? " Reset to begin again." : " To go on, set a later epoch.";
    function start() {
      if (losses.length >= until) return say(`Epoch ${losses.length} is reached.${onward}`);
      say("Running.");
      asPlaying(runButton);
      frame = requestAnimationFrame(tick);
    }
    function pause() {
      cancelAnimationFrame(frame);
      frame = 0;
      asPlaying(runButton, "Run");
    }
    function interrupt() {
      pause();
      refresh();
      say(`Paused at epoch ${losses.length}: ${outcome()}.`);
    }
    function tick() {
      const end = performance.now() + 30; // and then all is drawn, once
      let fits = true;
      for (let epochs = 0; fits && losses.length < until && (pace ? epochs < pace : performance.now() < end); epochs += 1) {
        fits = train();
        if (stop.checked && solved(live)) break;
      }
      const over = !fits || losses.length >= until || (stop.checked && solved(live));
      if (over) {
        pause();
        if (fits) say(`Epoch ${losses.length}: ${outcome()}.${losses.length >= until ? onward : ""}`);
        else exploded();
      } else frame = requestAnimationFrame(tick);
      refresh();
    }
    trainer.isRunning = () => frame !== 0;
    trainer.pause = pause;
    trainer.until = (epochs) => {
      until = epochs;
      last.value = epochs;
    };
  }

  // ---- Settings -------------------------------------------------------------------------------------------------------
  function settings(place) {
    const renew = (changes) => {
      trainer.pause();
      Object.assign(set, changes);
      begin();
      refresh();
      keep();
    };
    const hidden = h("div", { class: "row", role: "group", "aria-label": "Hidden layers" });
    const more = button("Add layer", () => renew({ hidden: [...set.hidden, 3], weights: null }));
    const fewer = button("Remove layer", () => renew({ hidden: set.hidden.slice(0, -1), weights: null }));
    const [activationField, activation] = choice("Activation", Object.keys(activations).map((name) => [name, { TanH: "tanh", Sigmoid: "sigmoid" }[name] ?? name]),
      (name) => renew({ activation: name }));
    const [rateField, rate] = numeric("Learning rate", { least: 0, most: 1e6 }, (number) => {
      set.rate = number;
      evaluate();
      refresh();
      keep();
    });
    const [scaleField, scale] = numeric("Scale of the start", { least: 0, most: 100 }, (number) => renew({ scale: number, weights: null }));
    const [seedField, seed] = numeric("Seed", { least: 0, most: MOST_SEED, whole: true }, (number) => renew({ seed: number, weights: null }));
    const another = button("Next seed", () => renew({ seed: set.seed < MOST_SEED ? set.seed + 1 : 0, weights: null }));
    const start = h("p", { class: "key" });
    place.replaceChildren(
      h("div", { class: "row" }, hidden, more, fewer),
      h("div", { class: "row" }, activationField, rateField, scaleField, seedField, another), start);
    function draw() {
      const missing = set.hidden.length - hidden.children.length;
      for (const index of range(0, missing - 1)) {
        const l = hidden.children.length + 1;
        const [unitsField, select] = choice(`Units, layer ${l}`, range(1, MOST_UNITS).map((size) => [size, size]), (size) =>
          renew({ hidden: set.hidden.map((old, place) => (place === l - 1 ? Number(size) : old)), weights: null }));
        hidden.append(unitsField);
      }
      while (hidden.children.length > set.hidden.length) hidden.lastChild.remove();
      set.hidden.forEach((size, index) => (hidden.children[index].querySelector("select").value = size));
      more.disabled = set.hidden.length === MOST_LAYERS;
      fewer.disabled = set.hidden.length === 0;
      activation.value = set.activation;
      for (const [input, name] of [[rate, "rate"], [scale, "scale"], [seed, "seed"]]) if (document.activeElement !== input) input.value = set[name];
      const whence = set.weights ? "given number by number; another seed draws a new one" : "that of seed " + set.seed;
      start.textContent = `${count(sizes())} weights and biases. The start is ${whence}.`;
    }
    views.push(draw);
  }

  // ---- Sweep ----------------------------------------------------------------------------------------------------------
  const SEEDS = 200;
  const EDGES = [0, ...[-4, -3, -2, -1].flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`))), 1, Infinity];
  function sweep(place) {
    let epochs = 600;
    let stopped = true;
    const begin_ = button("Start", start, { class: "main" });
    const cancel = button("Cancel", () => (stopped = true), { disabled: true });
    const [epochsField, input] = numeric("Epochs", { least: 1, most: 10_000, whole: true }, (number) => (epochs = number));
    input.value = epochs;
    const progress = h("progress", { max: SEEDS, value: 0, "aria-label": "Seeds tried" });
    const status = h("p", { role: "status" }, `Nothing has been tried yet.`);
    const bars = h("div", { class: "bars", role: "group", "aria-label": "Final losses: choose a bar to list its seeds" });
    const axis = h("p", { class: "key", hidden: true }, "Final loss, on a logarithmic axis. A bar's height is its number of seeds, its blue part those that solve the task.");
    const edges = h("div", { class: "edges" });
    const seeds = h("div", { class: "row seeds" });
    place.replaceChildren(h("div", { class: "row" }, epochsField, begin_, cancel, progress), status, bars, edges, axis, seeds);

    // One start after the other, in slices, so that the page answers in between.
    async function start() {
      stopped = false;
      begin_.disabled = true;
      cancel.disabled = false;
      cancel.focus();
      status.textContent = "Running.";
      for (const each of [bars, edges, seeds]) each.replaceChildren();
      axis.hidden = true;
      const [N, planned] = [sizes(), { ...set, epochs, act: live.act }];
      const results = [];
      let end = performance.now() + 20;
      const rest = async () => {
        if (performance.now() < end) return;
        await new Promise((done) => setTimeout(done));
        end = performance.now() + 20;
      };
      for (let seed = 0; seed < SEEDS && !stopped; seed += 1) {
        const state = Object.assign(network(N, drawn(N, seed, planned.scale), planned.points), { eta: planned.rate, act: planned.act, wrong: planned.wrong });
        forward(state);
        for (let epoch = 0; epoch < planned.epochs && Number.isFinite(state.loss) && !stopped; epoch += 1) {
          backward(state);
          update(state);
          forward(state);
          await rest();
        }
        if (!stopped) results.push({ seed, loss: state.loss, solved: solved(state) });
        progress.value = results.length;
      }
      const count_ = results.filter((result) => result.solved).length;
      const share = results.length ? `, ${Math.round((100 * count_) / results.length)} %` : "";
      status.textContent = `${stopped ? "Cancelled. " : ""}Solved: ${count_} of ${results.length}${share}.`;
      show(results, planned);
      begin_.disabled = false;
      if (document.activeElement === cancel) begin_.focus();
      cancel.disabled = true;
      stopped = true;
    }
    function show(results, planned) {
      const finite = results.filter((result) => Number.isFinite(result.loss));
      if (!finite.length) return;
      const [low, high] = bounds(finite.map((result) => result.loss));
      const first = EDGES.findLastIndex((edge) => edge <= low);
      const last = EDGES.findIndex((edge) => edge > high);
      const edges_ = EDGES.slice(first, last + 1);
      const groups = edges_.slice(1).map((edge, index) => finite.filter(({ loss }) => loss >= edges_[index] && loss < edge));
      const most = Math.max(...groups.map((group) => group.length));
      bars.replaceChildren(...groups.map((group, index) => {
        const good = group.filter((result) => result.solved).length;
        const name = `${group.length} with final loss from ${tick(edges_[index])} to ${tick(edges_[index + 1])}, ${good} solved`;
        const share = (number) => `${(100 * number) / most}%`;
        const bar = h("button", { type: "button", "aria-label": name, title: name, "aria-pressed": "false", click: () => list(group, bar, planned), disabled: !group.length },
          h("span", {}, String(group.length)), h("span", { class: "bar" }));
        bar.children[1].style.height = share(group.length);
        bar.children[1].append(h("span", { class: "good" }));
        bar.children[1].firstChild.style.height = group.length ? `${(100 * good) / group.length}%` : 0;
        return bar;
      }));
      edges.replaceChildren(...edges_.map((edge, index) => h("span", {}, index % 3 || edge === Infinity ? "" : tick(edge))));
      axis.hidden = false;
    }
    function list(group, bar, planned) {
      for (const each of bars.children) each.setAttribute("aria-pressed", each === bar);
      const [seedField, select] = choice(`Its seeds: ${group.length}`, group.map(({ seed, loss }) => [seed, `${seed}, loss ${shown(loss, 5)}`]), () => {});
      seeds.replaceChildren(seedField, button("Load", () => {
        const { seed, loss } = group.find((each) => each.seed === Number(select.value));
        trainer.pause();
        const { form, sample } = set;
        Object.assign(set, planned, { seed, weights: null, form, sample });
        trainer.until(planned.epochs);
        begin();
        refresh();
        keep();
        say(`Seed ${seed} is loaded; after ${planned.epochs} epochs its loss was ${shown(loss, 5)}.`);
        status.textContent = `Seed ${seed} is loaded. Run it above.`;
      }));
    }
  }

  // ---- The address ----------------------------------------------------------------------------------------------------
  const list = (text) => (text ? text.split(",").map(Number) : []);
  const READ = {
    hidden: list, rate: Number, scale: Number, seed: Number, sample: Number, weights: list,
    points: (text) => text.split(";").map(list), activation: String, form: String, wrong: String,
  };
  const WRITTEN = { points: (points) => points.map((point) => point.join()).join(";") };
  const written = (name, given) => (WRITTEN[name] ?? String)(given);

  // What differs from the usual stands in the address. Browsers stop a page that changes it too often.
  let later;
  function keep() {
    if (pressed) return;
    clearTimeout(later);
    later = setTimeout(write, 200);
  }
  function write() {
    later = clearTimeout(later);
    const pairs = Object.keys(READ).filter((name) => set[name] !== null && written(name, set[name]) !== written(name, USUAL[name]))
      .map((name) => `${name}=${written(name, set[name])}`);
    if (done) pairs.push(`step=${done}`);
    history.replaceState(null, "", pairs.length ? `#${pairs.join("&")}` : location.pathname + location.search);
  }
  const inside = (number, least, most, whole) => number >= least && number <= most && (!whole || Number.isInteger(number));
  function fits(given) {
    const N = [2, ...given.hidden, 1];
    return given.hidden.length <= MOST_LAYERS && given.hidden.every((size) => inside(size, 1, MOST_UNITS, true))
      && given.activation in activations && given.form in FORMS && (!given.wrong || given.wrong in wrong)
      && inside(given.rate, 0, 1e6) && inside(given.scale, 0, 100) && inside(given.seed, 0, MOST_SEED, true)
      && inside(given.points.length, 1, MOST_POINTS) && inside(given.sample, 0, given.points.length - 1, true)
      && given.points.every(([x1, x2, y, more]) => more === undefined && inside(x1, -RANGE, RANGE) && inside(x2, -RANGE, RANGE) && inside(y, 0, 1))
      && (!given.weights || (given.weights.length === count(N) && given.weights.every(Number.isFinite)));
  }
  let unread = ""; // what to say of an address
  function load(text) {
    const pairs = new Map(text.split("&").filter((pair) => pair.includes("=")).map((pair) => pair.split("=")));
    const given = structuredClone(USUAL);
    let isRead = true;
    try {
      for (const [name, text] of pairs) if (name in READ) given[name] = READ[name](decodeURIComponent(text));
      isRead = fits(given);
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      isRead = false;
    }
    Object.assign(set, isRead ? given : structuredClone(USUAL));
    done = Math.max(0, Math.trunc(Number(pairs.get("step"))) || 0);
    begin();
    unread = isRead ? "" : "The address does not say what the explorer can show; here is its usual start. ";
  }
  function situations(place) {
    const [situationField, situation] = choice("Situation", [["", "of your own"], ...Object.entries(SITUATIONS).map(([name, [text]]) => [name, text])], (name) => {
      if (!name) return;
      unread = "";
      trainer.pause();
      Object.assign(set, structuredClone(USUAL), SITUATIONS[name][1], { form: set.form });
      done = 0;
      begin();
      refresh();
      keep();
    });
    const about = h("p", { role: "status", class: "key" });
    place.replaceChildren(h("div", { class: "row" }, situationField), about);
    const same = (changes) => Object.keys(READ).every((name) => ["form", "sample"].includes(name)
      || String(set[name]) === String({ ...USUAL, ...changes }[name]));
    views.push(() => {
      const now = Object.keys(SITUATIONS).find((name) => same(SITUATIONS[name][1])) ?? "";
      situation.value = now;
      about.textContent = unread + (SITUATIONS[now]?.[2] ?? "Settings of your own. The address of the page holds them.");
    });
  }

  // ---- The page -------------------------------------------------------------------------------------------------------
  const within = (place, parts) => {
    const boxes = Object.keys(parts).map((name) => h("div", { class: `explorer-${name}` }));
    place.replaceChildren(...boxes);
    Object.values(parts).forEach((part, index) => part(boxes[index]));
  };
  if (pressed) {
    const place = pressed.closest(".explorer-here");
    place.classList.add("explorer", pressed.dataset.part === "train" ? "explorer-change" : "explorer-step");
    load(pressed.dataset.settings);
    within(place, pressed.dataset.part === "step" ? { stepper } : { plane, training, chart });
    refresh();
    place.querySelector("button.main").focus();
    return;
  }
  load(location.hash.slice(1));
  situations(places.situation);
  within(places.step, { stepper });
  writer(places.write);
  within(places.change, { settings, plane, training, chart });
  sweep(places.sweep);
  refresh();
  addEventListener("pagehide", () => later && write());
  addEventListener("hashchange", ({ newURL }) => {
    const { hash } = new URL(newURL); // meanwhile that of the page may have been written
    if (!hash.includes("=")) return keep(); // a link within the page
    trainer.pause();
    load(hash.slice(1));
    return refresh();
  });
})();
