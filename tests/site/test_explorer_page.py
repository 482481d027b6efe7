"""The explorer: what it shows is what the network of the book computes, and every control does what it is for."""

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
import torch
from backprop import NeuralNetwork, five_points
from chromium import SITE
from explorer import Book, mistakes, write
from explorer.typed import named_mistakes
from playwright.sync_api import Page
from sources import BOOK
from test_explorer import TABLE, read
from test_pages import violations
from tiny import none, tiny, wait

PAGE = "book/explorer.html"
FORMS = ["scalar", "vector", "batch"]
FIVE = [(0, 0, 1), (1, 0, 0), (0, -1, 0), (-1, 0, 0), (0, 1, 0)]


@pytest.fixture
def explorer(visit):
    """Opens the explorer, with settings in its address."""

    def open_page(settings="", page=PAGE, **how):
        return visit(f"{page}#{settings}" if settings else page, **how)

    return open_page


# Other settings in the address of a page, as if they were new even if they are not.
OTHER = """
(settings) => new Promise((done) => {
  history.replaceState(null, "", location.pathname);
  addEventListener("hashchange", done, { once: true });
  location.hash = settings;
})
"""


@dataclass
class Kept:
    """A page that is opened once, and what goes wrong in it."""

    page: Page
    noise: list[str] = field(default_factory=list)

    def __post_init__(self):
        add = self.noise.append
        self.page.on("pageerror", lambda error: add(str(error)))
        self.page.on(
            "console", lambda said: said.type == "error" and add(said.text)
        )


@pytest.fixture(scope="module")
def context(browser):
    with browser.new_context(viewport={"width": 1280, "height": 800}) as made:
        made.set_default_timeout(20_000)
        yield made


@pytest.fixture(scope="module")
def opened_once(context, site):
    kept = Kept(context.new_page())
    kept.page.goto(site.address(PAGE))
    return kept


@pytest.fixture
def shared(opened_once):
    """The explorer as it is with other settings in its address, in a page that tests share: to open one takes longer
    than most looks at it."""

    def look(settings="step=0"):
        opened_once.noise.clear()
        choose(opened_once.page, "")
        opened_once.page.evaluate(OTHER, settings)
        return opened_once

    return look


@pytest.fixture
def another(context, site):
    """Opens a page that loads other scripts."""
    kept = Kept(context.new_page())

    def open_page(settings, page):
        kept.page.goto(site.address(f"{page}#{settings}"))
        return kept

    yield open_page
    kept.page.close()


def press(page, name, times=1):
    for _ in range(times):
        page.get_by_role("button", name=name, exact=True).click()


def chosen(page, label):
    """What a control says."""
    return page.get_by_label(label, exact=True).input_value()


# ---- The numbers ----------------------------------------------------------------------

# What each step of a pass writes, with three digits, from the first step to the last.
WALK = """
() => {
  const card = document.querySelector(".card");
  const next = [...document.querySelectorAll("button")].find((each) => each.textContent === "Next");
  const count = Number(/of (\\d+) steps/.exec(card.textContent)[1]);
  const number = (node) => {
    const power = node.querySelector("sup")?.textContent.replace("−", "-") ?? "0";
    return Number(`${node.firstChild.textContent.replace("−", "-").replace(/ × 10$/, "")}e${power}`);
  };
  const found = [];
  for (let step = 1; step <= count; step += 1) {
    next.click();
    const said = card.textContent.startsWith(`Step ${step} of ${count}.`);
    const written = [...card.querySelectorAll(".result [data-at]")].map((node) => [node.dataset.at, number(node)]);
    if (!said || !written.length) throw new Error(`step ${step} of ${count}: ${card.textContent}`);
    found.push(...written);
  }
  return found;
}
"""


# Presses Next until the card says something.
STEP_TO = """
(said) => {
  const next = [...document.querySelectorAll("button")].find((each) => each.textContent === "Next");
  while (!document.querySelector(".card").textContent.includes(said) && next.textContent === "Next") next.click();
}
"""


@dataclass
class Case:
    """A network, and samples with labels."""

    sizes: list[int]
    points: list[tuple]
    sample: int
    rate: float = 0.5
    activation: str = "TanH"
    parameters: list[float] = field(init=False)

    def __post_init__(self):
        generator = torch.Generator().manual_seed(sum(self.sizes))
        count = sum((a + 1) * b for a, b in pairwise(self.sizes))
        drawn = torch.rand(count, generator=generator, dtype=torch.float64)
        self.parameters = [round(2 * float(each) - 1, 3) for each in drawn]

    @property
    def address(self) -> str:
        points = ";".join(",".join(map(str, point)) for point in self.points)
        return "&".join(
            [
                f"hidden={','.join(map(str, self.sizes[1:-1]))}",
                f"points={points}",
                f"sample={self.sample}",
                f"rate={self.rate}",
                f"weights={','.join(map(str, self.parameters))}",
            ]
        )

    def network(self) -> NeuralNetwork:
        net = NeuralNetwork(self.sizes[0], self.sizes[-1], self.sizes[1:-1])
        numbers = iter(self.parameters)

        def take(*shape):
            count = torch.Size(shape).numel()
            taken = [next(numbers) for _ in range(count)]
            return torch.tensor(taken, dtype=torch.float64).reshape(shape)

        for layer, (before, units) in zip(net.layers, pairwise(self.sizes)):
            layer.linear.weight = take(before, units)
            layer.linear.bias = take(units)
        return net

    def expected(self, form: str) -> dict[str, float]:
        """What `backprop` computes in an epoch, by the names of the page; of what has one name in several places a list,
        in the order in which it is computed."""
        net = self.network()
        rows = torch.tensor(self.points, dtype=torch.float64)
        x, y = rows[:, :2], rows[:, 2:]
        found: dict[str, list[float]] = {}

        def add(name, tensor):
            for index in torch.cartesian_prod(
                *map(torch.arange, tensor.shape)
            ).reshape(tensor.numel(), -1):
                place = "/".join(str(int(i)) for i in index)
                found.setdefault("/".join(filter(None, [name, place])), []).append(
                    float(tensor[tuple(index)])
                )

        def gradients(of, y):
            net.backward_pass(net.forward_pass(of), y)

        last = len(net.layers)
        samples = range(len(x)) if form == "batch" else [self.sample]
        for s in samples:
            outputs = net.forward_pass(x[s : s + 1])
            for number, layer in enumerate(net.layers, start=1):
                z_in = layer.linear.forward(outputs[number - 1])
                add(f"Zin/{number}/{s}", z_in[0])
                add(f"Zout/{number}/{s}", outputs[number][0])
            if form != "batch":
                found[f"loss/{s}"] = [
                    float(net.loss.forward(y[s : s + 1], outputs[-1]))
                ]
                slopes = net.loss.gradient(y[s : s + 1], outputs[-1])
                add(f"dout/{last}/{s}", slopes[0])
            gradients(x[s : s + 1], y[s : s + 1])
            share = 1 / len(x)
            for number, layer in enumerate(net.layers, start=1):
                linear = layer.linear
                # The delta of one sample is the gradient of its biases.
                add(f"Delta/{number}/{s}", share * linear.bias_grad)
                if form != "batch":
                    add(f"delta/{number}/{s}", linear.bias_grad)
                    add(f"gradW/{number}", linear.weight_grad)
                    add(f"gradb/{number}", linear.bias_grad)
        outputs = net.forward_pass(x)
        found["loss"] = [float(net.loss.forward(y, outputs[-1]))]
        if form == "batch":
            for s, slopes in enumerate(net.loss.gradient(y, outputs[-1])):
                add(f"Dout/{last}/{s}", slopes)
        gradients(x, y)
        for number, layer in enumerate(net.layers, start=1):
            add(f"gradW/{number}", layer.linear.weight_grad)
            add(f"gradb/{number}", layer.linear.bias_grad)
        net.descend(self.rate)
        for number, layer in enumerate(net.layers, start=1):
            add(f"W/{number}", layer.linear.weight)
            add(f"b/{number}", layer.linear.bias)
        return found


def walked(page) -> dict[str, list[float]]:
    """What the steps of a pass write, by name. One that writes nothing is an error."""
    found: dict[str, list[float]] = {}
    for name, number in page.evaluate(WALK):
        found.setdefault(name, []).append(number)
    return found


def differences(shown, expected) -> list[str]:
    """Where numbers with three digits are not those expected."""
    found = [f"missing: {name}" for name in expected.keys() - shown.keys()]
    found += [f"not expected: {name}" for name in shown.keys() - expected.keys()]
    for name in expected.keys() & shown.keys():
        pair = shown[name], expected[name]
        if len(pair[0]) != len(pair[1]):
            found.append(f"{name}: {pair[0]} for {pair[1]}")
        for one, other in zip(*pair):
            if not abs(one - other) <= 0.0051 * abs(other):
                found.append(f"{name}: {one} for {other}")
    return found


CASES = [
    Case([2, 2, 1], [(1, 2, 1)], 0),
    Case([2, 3, 2, 1], [(0.5, -1, 1), (1, 0.25, 0), (-1.5, 2, 0.5)], 1),
    Case([2, 1], FIVE, 3),
]


PENCIL = Case([2, 2, 1], [(1, 2, 1)], 0)
PENCIL.parameters = [0.5, -0.3, 0.2, 0.4, 0.1, -0.2, 0.6, -0.8, 0.3]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.sizes))
def test_every_step_is_what_backprop_computes(shared, case, form):
    visited = shared(f"{case.address}&form={form}")
    found = walked(visited.page)
    assert none(differences(found, case.expected(form)) + visited.noise)


# A slip in one equation, and what it changes.
SLIPS = [
    (
        "scalar",
        "eq-scalar-hidden-delta",
        "S.W[ell][i][k]",
        "S.W[ell][0][k]",
        "delta/1",
    ),
    ("vector", "eq-vector-weights", "S.delta", "2 * S.delta", "gradW/"),
    ("batch", "eq-loss-gradient", "2 / (", "1 / (", "Dout/"),
    ("batch", "eq-update-biases", " - ", " + ", "b/"),
]


def with_script(site, name, text, page=PAGE):
    """The address of a copy of a page that loads another script in the place of one."""
    html = site.content(page).decode()
    address = f"{name}-{len(site.added)}.js"
    site.put(f"_static/{address}", text)
    changed, count = re.subn(
        rf'_static/{name}\.js[^"]*', f"_static/{address}", html
    )
    assert count == 1
    site.put(f"book/{address}.html", changed)
    return f"book/{address}.html"


def script(name):
    """A script as it is before spaces are taken out."""
    if name == "equations":
        return write(Book(read, TABLE))
    return (BOOK / "static" / f"{name}.js").read_text(encoding="utf-8")


def slipped(text, label, old, new):
    """The script with a slip in what an equation computes."""
    head, mark, rest = text.partition(f'E["{label}"] = {{')
    before, run, after = rest.partition("  run(")
    body, end, tail = after.partition("\n  },")
    assert mark and old in body, body
    return head + mark + before + run + body.replace(old, new, 1) + end + tail


@pytest.mark.parametrize(("form", "label", "old", "new", "changed"), SLIPS)
def test_a_wrong_equation_is_seen_in_its_step(
    another, site, form, label, old, new, changed
):
    text = slipped(script("equations"), label, old, new)
    case = CASES[1]
    page = another(
        f"{case.address}&form={form}", with_script(site, "equations", text)
    ).page
    found = differences(walked(page), case.expected(form))
    assert any(changed in each for each in found)


def silent(text):
    """The equations, each of which computes nothing."""
    return re.sub(
        r"\n  run\(S, P\) \{\n.*?\n  \},", "\n  run() {},", text, flags=re.DOTALL
    )


def computed(page):
    """What a page shows of a network whose equations compute nothing: no number, if it has no mathematics of its own."""
    before = chosen(page, "Value")
    press(page, "Next", 6)
    press(page, "One epoch")
    shown = page.locator(".picture .value, .picture .back").all_text_contents()
    shown = shown[2:] + page.locator(".explorer-chart .key").all_inner_texts()
    shown += page.locator(".explorer-number p").all_inner_texts()
    shown += page.evaluate(
        "[...document.querySelectorAll('.points button')].map((each) => each.ariaLabel.split('prediction')[1])"
    )
    numbers = [
        each
        for each in shown
        if re.search(r"\d", re.sub(r"Epoch 0|sample \d", "", each))
    ]
    moved = [] if chosen(page, "Value") == before else ["the weights"]
    return numbers + moved


def test_the_page_has_no_mathematics_of_its_own(another, site):
    text = silent(script("equations"))
    visited = another(CASES[1].address, with_script(site, "equations", text))
    assert computed(visited.page) == []
    assert not [
        each for each in visited.noise if "<" not in each
    ]  # nothing is drawn


RUN = "const run = (state, steps) => {"  # all steps of a part of an epoch
WALK_ON = "        equation.run(walk, at);"  # one step


@pytest.mark.parametrize(
    ("place", "own"),
    [
        (WALK_ON, "walk.Zout[1][1][0] = Math.tanh(walk.X[1][0]);"),
        (WALK_ON, "walk.delta[2][1][0] = 2 * (walk.X[1][0] - walk.Y[1][0]);"),
        (RUN, "for (const row of state.Zout[state.L]) row[0] = 0.5;"),
        (RUN, "state.gradW[1][0][0] = 2 * state.Y[0][0];"),
        (RUN, "state.W[1][0][0] -= state.eta;"),
    ],
)
def test_mathematics_of_the_page_is_found(another, site, place, own):
    page = with_script(site, "equations", silent(script("equations")))
    text = script("explorer")
    assert text.count(place) == 1
    page = with_script(site, "explorer", text.replace(place, place + own), page)
    assert computed(another(CASES[1].address, page).page)


# ---- The controls ---------------------------------------------------------------------


def card(page):
    return page.inner_text(".card")


def picture(page):
    """The numbers in the drawing."""
    return page.locator(".picture .piece").all_text_contents()


def settings(page):
    """What the address says, once it says it."""
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    pairs = page.evaluate("location.hash.slice(1)").split("&")
    return dict(pair.split("=") for pair in pairs if pair)


def epoch(page):
    return int(
        re.search(r"Epoch (\d+)", page.inner_text(".explorer-chart .key"))[1]
    )


def steps(page):
    page.get_by_label("Situation").select_option("pencil")
    assert "first chapter" in page.inner_text(".explorer-situation")
    assert "0.60" in picture(page)
    press(page, "Next", 2)
    assert card(page).startswith("Step 2 of ")
    press(page, "Back")
    assert card(page).startswith("Step 1 of ")
    press(page, "First")
    assert card(page).startswith("Nothing")
    page.get_by_label("Go to").select_option("Backward")
    assert "How the loss reacts" in card(page)
    press(page, "The batch, matrices")
    assert "for all samples" in card(page)
    assert page.locator(".numbers caption").first.inner_text() == "1 × 1"
    press(page, "One sample, vectors")
    assert page.locator(".formula").is_visible()
    press(page, "Number by number")
    page.get_by_label("Go to").select_option("the end")
    weight = picture(page)[0]
    press(page, "Next pass")
    assert card(page).startswith("Epoch 1: the loss went from 0.1383 to 0.0733.")
    assert epoch(page) == 1
    assert weight in picture(page)
    press(page, "Play")
    page.get_by_text("Step 2 of ").wait_for()
    press(page, "Pause")
    press(page, "Play")
    page.get_by_label("Situation").select_option("points")
    assert page.get_by_role("button", name="Play").is_enabled()
    press(page, "Play")
    press(page, "One sample, vectors")
    assert page.get_by_role("button", name="Pause").count() == 0
    press(page, "Number by number")
    page.get_by_label("Sample").select_option("4")
    assert settings(page)["sample"] == "4"


@pytest.mark.parametrize(
    ("form", "step", "named"),
    [
        ("scalar", 40, ["b/1/0"]),
        ("vector", 28, ["b/1/0", "b/1/1"]),
        ("batch", 15, ["b/1/0", "b/1/1"]),
    ],
)
def test_a_new_bias_is_filled_where_it_stands(shared, form, step, named):
    """The derivative that it takes is not shown in its place."""
    page = shared(f"form={form}&step={step}").page
    assert "The new bias" in card(page)
    filled = page.locator(".picture .write")
    assert filled.count() == len(named)
    for unit, name in enumerate(named):
        assert filled.nth(unit).get_attribute("data-keys") == name
        shown = page.locator(f".card .result [data-at='{name}']").inner_text()
        number = float(shown.replace("−", "-"))
        assert filled.nth(unit).text_content() in (
            f"{number:.2f}".replace("-", "−"),
            f"{number:.3f}".replace("-", "−"),
        )


def test_a_weight_is_updated_by_itself_where_numbers_are(shared):
    """In the other forms all weights of the layer are."""
    page = shared(f"{PENCIL.address}&step=37").page
    title = "The new weight from unit 2 to unit 2, layer 1: 0.273."
    assert title in card(page)
    numbers = page.inner_text(".card .numbers")
    assert numbers == "0.273 ← 0.4 − 0.5 · 0.254"
    press(page, "Back")
    assert page.inner_text(".card .numbers") == "0.244 ← 0.2 − 0.5 · (−0.0876)"
    assert page.locator(".picture .piece.write").all_text_contents() == ["0.24"]
    press(page, "One sample, vectors")
    assert page.locator(".card .numbers table").count() == 3


# Pairs of numbers in the drawing that lie upon each other, and numbers that reach over the edge of their box.
UPON = """
() => {
  const box = (node) => node.getBoundingClientRect();
  const pieces = [...document.querySelectorAll(".picture .piece")].map((each) => [each.textContent, box(each.querySelector("text")), each]);
  const found = [];
  pieces.forEach(([text, a], at) => {
    for (const [other, b] of pieces.slice(at + 1))
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) found.push(`${text} ${other}`);
  });
  for (const [text, a, node] of pieces) {
    const unit = node.parentNode.querySelector(":scope > .unit");
    if (unit && (a.left < box(unit).left || a.right > box(unit).right)) found.push(`${text} over its box`);
    if (!unit)
      for (const each of document.querySelectorAll(".picture .unit"))
        if (a.right > box(each).left + 1 && a.left < box(each).right - 1 && a.bottom > box(each).top && a.top < box(each).bottom) found.push(`${text} upon a box`);
  }
  return found;
}
"""


@pytest.mark.parametrize("width", [1280, 390])
def test_numbers_of_the_drawing_lie_apart(shared, width):
    """What weights, derivatives and new weights have for room; a delta of -0.003 is in its box."""
    page = shared().page
    page.set_viewport_size({"width": width, "height": 800})
    found = []
    for settings in (
        f"{PENCIL.address}&step=38",
        "hidden=3&form=batch&step=11",
        "hidden=3,3&form=batch&step=16",
        "hidden=3,3&form=batch&step=20",
        "hidden=3,3&form=batch&step=9&rate=0.01",
        "hidden=3,2&form=batch&step=18",
    ):
        shared(settings)
        assert page.locator(".picture .piece").count() > 10
        found += [f"{settings}: {each}" for each in page.evaluate(UPON)]
    page.set_viewport_size({"width": 1280, "height": 800})
    assert none(found)


# All weights, and the biases, where the inputs stand.
MOVED = """
for (const each of document.querySelectorAll(".picture .weight"))
  each.setAttribute("transform", `translate(${20 - each.firstChild.getAttribute("x")}, 0)`);
"""


def test_numbers_upon_each_other_are_noticed(shared):
    page = shared("hidden=3").page
    found = page.evaluate(f"() => {{ {MOVED} return ({UPON.strip()})(); }}")
    assert any("upon a box" in each for each in found)


GROUND = "(each) => getComputedStyle(each).backgroundImage.match(/linear-gradient/g)?.length"


def test_matrices_have_feet_and_what_scrolls_has_shadows(shared):
    page = shared("form=batch&step=1").page
    for drawn in ".matrix", ".formula", ".numbers", ".picture":
        assert page.locator(drawn).first.evaluate(GROUND) == 4
    assert page.locator(".card").evaluate(GROUND) is None


def test_a_point_at_the_edge_covers_no_words(shared):
    page = shared(PENCIL.address).page
    point = page.locator(".points button").bounding_box()
    above = page.locator(".explorer-settings").bounding_box()
    assert above["y"] + above["height"] <= point["y"]


def looked(page):
    return page.locator(".picture .looked").all_text_contents()


def test_a_symbol_is_found_in_the_drawing(shared):
    """And a number, which is one of those that its symbol stands for."""
    page = shared("hidden=3,2&step=30").page
    assert "The delta of unit" in card(page) and looked(page) == []
    page.locator(".formula [data-reads^=W]").first.hover()
    symbol = looked(page)
    page.locator(".numbers [data-at^=W]").first.hover()
    assert len(looked(page)) == 1 and looked(page)[0] in symbol
    page.locator(".formula [data-writes]").first.hover()
    assert looked(page) and looked(page) != symbol
    page.mouse.move(0, 0)
    assert looked(page) == []


def a_number(page):
    page.get_by_label("Go to").select_option("the end")
    page.get_by_label("Number", exact=True).select_option(
        "weight of layer 2 from unit 1 to unit 1"
    )
    before = picture(page)
    page.get_by_label("Slide").focus()
    page.keyboard.press("ArrowRight")
    assert picture(page) != before
    page.get_by_label("Value").fill("-1.25")
    page.keyboard.press("Enter")
    assert float(chosen(page, "Slide")) == -1.25
    assert "-1.25" in settings(page)["weights"]
    page.get_by_label("Value").fill("much")
    page.keyboard.press("Enter")
    field_ = page.get_by_label("Value")
    told = page.locator(f"[id='{field_.get_attribute('aria-describedby')}']")
    assert told.inner_text() == "Give a number from -1000000 to 1000000."
    assert field_.get_attribute("aria-invalid") == "true"
    page.get_by_label("Compare with a finite difference").uncheck()
    page.get_by_label("Compare with a finite difference").check()
    text = page.inner_text(".explorer-number")
    one, other = re.findall(r": (−?\d\.\d+)\.", text)
    assert one == other and "By trying" in text
    page.locator('.picture [data-keys^="W/1/0/0"]').click()
    assert chosen(page, "Number") == "W/1/0/0"


def the_settings(page):
    for _ in range(6):
        if page.get_by_role("button", name="Add layer").is_enabled():
            press(page, "Add layer")
    assert page.get_by_role("button", name="Add layer").is_disabled()
    for number in range(1, 7):
        page.get_by_label(f"Units, layer {number}").select_option("8")
    assert "393 weights" in page.inner_text(".explorer-settings")
    press(page, "Next")
    assert page.locator(".picture .unit").count() == 2 + 6 * 8 + 1
    press(page, "Remove layer", 5)
    assert settings(page)["hidden"] == "8"
    for name, given in (
        ("Learning rate", "0.5"),
        ("Scale of the start", "2"),
        ("Seed", "7"),
    ):
        page.get_by_label(name, exact=True).fill(given)
        page.keyboard.press("Enter")
    before = picture(page)
    press(page, "Next seed")
    assert chosen(page, "Seed") == "8" and picture(page) != before
    page.get_by_label("Activation").select_option("ReLU")
    given = {"rate": "0.5", "scale": "2", "seed": "8", "activation": "ReLU"}
    assert given.items() <= settings(page).items()


def the_points(page):
    points = page.locator(".points button")
    point = page.get_by_role("button", name="Point 2 at")
    box = page.locator(".plane").bounding_box()
    point.hover()
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    page.mouse.up()
    assert settings(page)["points"].split(";")[1] == "1,1,0"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Space")
    assert settings(page)["points"].split(";")[1] == "0.95,0.5,1"
    page.keyboard.press("Delete")
    assert points.count() == 4
    press(page, "Add point")
    press(page, "Flip label")
    press(page, "Remove point")
    press(page, "Add point", 16)
    assert points.count() == 20
    assert page.get_by_role("button", name="Add point").is_disabled()
    page.locator(".plane").dblclick(position={"x": 20, "y": 20})
    assert points.count() == 20
    press(page, "Remove point", 16)
    page.locator(".plane").dblclick(position={"x": 20, "y": 20})
    assert points.count() == 5
    page.keyboard.press("Delete")  # it has the focus
    assert points.count() == 4
    page.locator(".plane").dblclick(position={"x": 20, "y": 20})
    assert settings(page)["points"].count(";") == 4


def said(page):
    return page.inner_text(".explorer-said")


def slide(page):
    page.get_by_label("Slide").focus()
    page.keyboard.press("ArrowRight")


def to_points(page):
    page.get_by_label("Situation").select_option("points")


# After which nothing stands above the network that was said of another.
SOME_CHANGES = [
    slide,
    lambda page: press(page, "Flip label"),
    lambda page: press(page, "Add layer"),
    to_points,
]


def the_training(page):
    press(page, "One epoch")
    assert epoch(page) == 1
    page.get_by_label("Epochs a picture").select_option("1")
    press(page, "Run")
    press(page, "Pause")
    assert "Paused" in page.inner_text(".explorer-said")
    page.get_by_label("Epochs a picture").select_option("100")
    page.get_by_label("Until epoch").fill("900")
    press(page, "Run")
    page.get_by_text("Epoch 900: loss").first.wait_for()
    assert said(page).endswith("To go on, set a later epoch.")
    for change in SOME_CHANGES:
        press(page, "One epoch")
        page.get_by_label("Until epoch").fill(str(epoch(page)))
        press(page, "Run")
        assert "is reached. To go on" in said(page)
        change(page)
        assert said(page) == ""
    page.get_by_label("Until epoch").fill("900")
    press(page, "Run")
    page.get_by_text("Epoch 900: loss").first.wait_for()
    press(page, "Reset")
    assert epoch(page) == 0
    page.get_by_label("Stop when solved").check()
    press(page, "Run")
    page.get_by_text(", solved").wait_for()
    assert 0 < epoch(page) < 900
    last = epoch(page)
    page.locator(".chart").focus()
    page.keyboard.press("Home")
    assert epoch(page) == 0
    page.keyboard.press("ArrowRight")
    assert epoch(page) == 1
    page.locator(".chart").hover()
    assert 1 < epoch(page) < last
    page.get_by_label("Stop when solved").uncheck()


def the_sweep(page):
    page.get_by_label("Epochs", exact=True).fill("10000")
    press(page, "Start")
    press(page, "Cancel")
    page.get_by_text("Cancelled.").wait_for()
    page.get_by_label("Epochs", exact=True).fill("5")
    press(page, "Start")
    page.get_by_text("of 200").wait_for()
    page.locator(".bars button:enabled").first.click()
    name = page.locator(".seeds option").last.get_attribute("value")
    page.locator(".seeds select").select_option(name)
    press(page, "Load")
    assert chosen(page, "Seed") == name
    assert f"Seed {name} is loaded" in page.inner_text(".explorer-sweep")


def the_writing(page):
    press(page, "Next")
    press(page, "That of the step")
    symbols = page.locator(".symbols button")
    symbols.first.click()
    symbols.evaluate_all("(all) => all.forEach((each) => each.click())")
    page.get_by_label("Right side, in TeX").fill("1")
    press(page, "Check")
    page.locator(".verdict p").first.wait_for()
    choose(page, "")


# Which of the controls nothing has been done with.
TOUCH = """
window.touched = new WeakSet();
for (const kind of ["click", "input", "change", "keydown", "pointermove"])
  addEventListener(kind, (event) => touched.add(event.target), true);
"""
UNTOUCHED = """
[...document.querySelectorAll(".explorer :is(button, input, select, textarea, [role=slider])")]
  .filter((each) => each.checkVisibility() && !touched.has(each))
  .map((each) => each.labels?.[0]?.textContent || each.ariaLabel || each.textContent)
"""
# Of these there are many of a kind.
MANY = r"Units, layer|Point \d|\d+ with final loss"


def unused(page):
    return [each for each in page.evaluate(UNTOUCHED) if not re.match(MANY, each)]


def test_every_control_is_used(shared):
    """And the address brings back what was set."""
    visited = shared()
    page = visited.page
    page.evaluate(TOUCH)
    for part in steps, the_writing, a_number, the_settings, the_points:
        part(page)
    press(page, "The batch, matrices")
    press(page, "Next", 3)
    kept, shown = settings(page), (picture(page), card(page))
    for part in the_training, the_sweep:
        page.get_by_label("Situation").select_option("book")
        page.get_by_label("Situation").select_option("points")
        part(page)
    assert unused(page) == []
    shared("&".join(f"{name}={text}" for name, text in kept.items()))
    assert (picture(page), card(page)) == shown
    assert settings(page) == kept
    assert none(visited.noise)


def test_a_control_that_is_not_used_is_found(shared):
    page = shared().page
    page.evaluate(TOUCH)
    press(page, "Next")
    found = unused(page)
    assert "Run" in found and "Situation" in found and "Next" not in found


# ---- The keyboard ---------------------------------------------------------------------

FOCUSED = """
() => {
  const node = document.activeElement;
  return node.labels?.[0]?.textContent || node.ariaLabel || node.textContent;
}
"""


def reach(page, name, key="Tab"):
    for _ in range(200):
        page.keyboard.press(key)
        if (page.evaluate(FOCUSED) or "").startswith(name):
            return
    raise AssertionError(f"{name} is not reached by {key}")


def test_the_keyboard_is_enough(explorer):
    page = explorer().page
    reach(page, "Situation")
    page.keyboard.press("ArrowDown")
    assert chosen(page, "Situation") == "book"
    reach(page, "Next")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert card(page).startswith("Step 2 of ")
    reach(page, "Slide")
    before = picture(page)
    page.keyboard.press("ArrowRight")
    assert picture(page) != before
    reach(page, "Point 1")
    page.keyboard.press("ArrowUp")
    assert settings(page)["points"].startswith("0,0.05,1")
    reach(page, "Run")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert "Paused" in page.inner_text(".explorer-said")
    reach(page, "Epoch on the curve")
    page.keyboard.press("Home")
    assert epoch(page) == 0
    reach(page, "Epochs")
    page.keyboard.press("Control+a")
    page.keyboard.type("5")
    reach(page, "Start")
    page.keyboard.press("Enter")
    page.get_by_text("of 200").wait_for()
    reach(
        page,
        next(
            iter(
                page.evaluate(
                    "[document.querySelector('.bars button:enabled').ariaLabel]"
                )
            )
        ),
    )
    page.keyboard.press("Enter")
    reach(page, "Its seeds: ")
    reach(page, "Load")
    page.keyboard.press("Enter")
    assert "is loaded" in page.inner_text(".explorer-sweep")


def test_what_the_keyboard_does_not_reach_is_noticed(visit, site):
    page = visit(
        site.put("tiny.html", tiny("<button tabindex=-1>Run</button>"))
    ).page
    with pytest.raises(AssertionError, match="Run is not reached"):
        reach(page, "Run")


# ---- A finger ---------------------------------------------------------------------------


SCROLLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(scrollY))))"


IN_PLACE = "document.documentElement.dataset.waits === undefined && document.fonts.status === 'loaded'"


class Finger:
    """A touch on a phone, from one place of the window to another, as the browser gets it."""

    def __init__(self, page):
        self.page, self.tools = page, page.context.new_cdp_session(page)

    def send(self, kind, *place):
        points = [{"x": place[0], "y": place[1]}] if place else []
        self.tools.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
        )

    def drag(self, locator, right, down, start=(0.5, 0.5)):
        """Begins at a place of an element; how far the page has scrolled then."""
        locator.evaluate(
            "(each) => each.scrollIntoView({ block: 'center', behavior: 'instant' })"
        )
        box = locator.bounding_box()
        x = box["x"] + start[0] * box["width"]
        y = box["y"] + start[1] * box["height"]
        before = self.page.evaluate("scrollY")
        self.send("touchStart", x, y)
        for part in range(1, 9):
            self.send("touchMove", x + right * part / 8, y + down * part / 8)
        self.send("touchEnd")
        return self.page.evaluate(SCROLLED) - before


@pytest.fixture
def phone(browser, site):
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    yield context.new_page()
    context.close()


def test_a_finger_moves_what_it_touches(phone, site):
    """A point of its own, and no other; a number; and the page only where nothing is to be moved."""
    phone.goto(site.address(PAGE))
    wait(phone, IN_PLACE)
    finger = Finger(phone)
    phone.get_by_role("button", name="Next", exact=True).tap()
    assert card(phone).startswith("Step 1 of ")
    phone.get_by_text("Change a number").tap()
    slider = phone.get_by_label("Slide")
    before = float(slider.input_value())
    assert finger.drag(slider, 60, 0, ((before + 4) / 8, 0.5)) == 0
    wait(
        phone, f"document.querySelector('input[type=range]').value > {before + 0.2}"
    )
    assert chosen(phone, "Value") == chosen(phone, "Slide")
    assert settings(phone)["weights"].startswith(chosen(phone, "Value"))
    assert phone.locator(".picture").bounding_box()["y"] > 0  # it is seen meanwhile
    point = phone.get_by_role("button", name="Point 3 at")
    unit = phone.locator(".plane").bounding_box()["width"] / 4
    assert finger.drag(point, unit, -unit / 2) == 0
    given = settings(phone)["points"].split(";")
    points = [[float(number) for number in each.split(",")] for each in given]
    assert points.pop(2) == pytest.approx([1, -0.5, 0], abs=0.05)
    assert points == [list(each) for place, each in enumerate(FIVE) if place != 2]
    assert chosen(phone, "Sample") == "2"
    kept = settings(phone)
    assert finger.drag(phone.locator(".plane canvas"), 0, -100, (0.1, 0.4)) > 50
    assert settings(phone) == kept
    choose(phone, "eq-scalar-biases")
    phone.get_by_role("button", name="sum over k", exact=True).tap()
    field_ = phone.get_by_label("Right side, in TeX")
    assert field_.input_value() == r"\sum_{k} "
    # Else a keyboard would come up.
    assert not field_.evaluate("(each) => each === document.activeElement")


# ---- What is said, and who waits ------------------------------------------------------


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_use(explorer, axe, width):
    """All at once: a step, a number that is compared and one that is refused, a mistake at work, a formula that is
    written, and a sweep."""
    settings = "hidden=3,3&wrong=missing-transpose&step=9"
    visited = explorer(settings, width=width, still=True)
    page = visited.page
    visited.problems("open")
    page.get_by_label("Compare with a finite difference").check()
    page.get_by_label("Seed", exact=True).fill("-1")
    tex = r"\boldsymbol{\Delta}^{(\ell)\top} \cdot \mathbf{Z}^{(\ell-1)}_{\mathrm{out}}"
    assert "weights transposed" in checked(page, "eq-batch-weights", tex)
    page.get_by_label("Epochs", exact=True).fill("3")
    press(page, "Start")
    page.get_by_text("of 200").wait_for()
    page.locator(".bars button:enabled").first.click()
    page.evaluate("scrollTo(0, 0)")  # else the header lies upon a control
    assert none(violations(visited, axe))
    found = visited.problems("sideways", "cut", "targets", "motion", "headings")
    assert none(found + visited.noise)


ANSWERS = """
async () => {
  const button = (name) => [...document.querySelectorAll("button")].find((each) => each.textContent === name);
  button("Start").click();
  let answers = 0;
  while (!button("Cancel").disabled && answers < 20) {
    await new Promise((done) => setTimeout(done));
    button("Next").click();
    answers += 1;
  }
  button("Cancel").click();
  return answers;
}
"""


def answers(page):
    """How often a page answers while it sweeps, up to twenty times; then the sweep is cancelled."""
    return page.evaluate(ANSWERS)


def test_the_page_answers_during_a_sweep(shared):
    page = shared().page
    page.get_by_label("Epochs", exact=True).fill("10000")
    page.keyboard.press("Tab")
    assert answers(page) == 20
    page.get_by_text("Cancelled.").wait_for()
    assert page.get_by_role("button", name="Start").is_enabled()
    assert card(page).startswith("Step 20 of ")


def test_a_sweep_that_blocks_is_noticed(visit, site):
    body = (
        "<button onclick='this.nextElementSibling.disabled = true'>Start</button>"
        "<button>Cancel</button><button>Next</button>"
    )
    assert answers(visit(site.put("tiny.html", tiny(body))).page) == 0


# ---- The address ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "hidden=9",
        "hidden=2,2,2,2,2,2,2",
        "rate=fast",
        "points=0,0",
        "weights=1,2",
        "activation=Step",
        "form=tensor",
        "sample=5",
        "seed=-1",
        "wrong=all",
    ],
)
def test_an_address_that_says_nothing_is_told(shared, address):
    page = shared(address).page
    assert "The address does not say" in page.inner_text(".explorer-situation")
    assert chosen(page, "Situation") == "points"


def test_a_new_address_is_read_though_the_old_one_is_written_meanwhile(shared):
    page = shared("seed=3").page
    page.evaluate(
        "new Promise((done) => {"
        " addEventListener('hashchange', done, { once: true });"
        " location.hash = 'seed=4';"
        " history.replaceState(null, '', '#seed=3') })"
    )
    assert chosen(page, "Seed") == "4"


def after(page, situation, epochs=0):
    page.get_by_label("Situation").select_option(situation)
    if epochs:
        page.get_by_label("Until epoch").fill(str(epochs))
        page.get_by_label("Epochs a picture").select_option("0")
        press(page, "Run")
        page.get_by_text(f"Epoch {epochs}: loss").first.wait_for()


# The curve of the loss, from its end to its start, by the arrow key.
CURVE = """
() => {
  const said = () => Number(/loss (\\d+\\.\\d+)/.exec(document.querySelector(".explorer-chart .key").textContent)[1]);
  const left = () => document.querySelector(".chart").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
  return Array.from({ length: 100 }, () => [said(), left()][0]);
}
"""

# All weights and biases, as the list of numbers offers them.
WEIGHTS = """
() => {
  const [list, value] = ["Number", "Value"].map((name) => [...document.querySelectorAll(".explorer-number label")]
    .find((each) => each.textContent === name).control);
  return Object.fromEntries([...list.options].map((option) => {
    list.value = option.value;
    list.dispatchEvent(new Event("change"));
    return [option.value, Number(value.value)];
  }));
}
"""


def test_situations_are_what_they_say(shared):
    page = shared().page
    after(page, "plateau", 2500)
    assert "loss 0.16" in page.inner_text(".explorer-said")
    assert "not solved" in page.inner_text(".explorer-said")
    after(page, "book", 2500)
    assert ", solved" in page.inner_text(".explorer-said")
    after(page, "large", 100)
    seen = page.evaluate(CURVE)
    assert len(seen) == 100
    assert sum(one > other + 0.01 for one, other in pairwise(seen)) > 3
    after(page, "alike", 500)
    found = page.evaluate(WEIGHTS)
    for unit in 1, 2:
        for name in "W/1/0", "W/1/1", "b/1":
            assert found[f"{name}/{unit}"] == found[f"{name}/0"]
    assert found["W/1/0/0"] != 0.8
    after(page, "dead")
    page.get_by_label("Go to").select_option("the end")
    deltas = page.locator(".picture .back").all_text_contents()
    assert deltas[:3] == ["δ0.00"] * 3 and deltas[3] != "δ0.00"
    after(page, "pencil")
    page.get_by_label("Go to").select_option("the end")
    assert "loss 0.1383" in picture(page)
    after(page, "transpose", 2500)
    assert ", solved" in page.inner_text(".explorer-said")
    after(page, "means")
    page.get_by_label("Go to").select_option("Mean")
    press(page, "Next")
    assert settings(page)["wrong"] == "mean-of-means"
    assert page.locator(".numbers [data-at^=m]").all_inner_texts() == ["3", "2"]


@pytest.mark.parametrize(
    ("wrong", "sizes", "form"),
    [
        ("missing-transpose", [2, 3, 3, 1], "batch"),
        ("mean-of-means", [2, 2, 1], "scalar"),
    ],
)
def test_a_mistake_at_work_is_told(shared, wrong, sizes, form):
    """Which equation it replaces, in the words of the diagnosis; a finite difference finds it."""
    case = Case(sizes, FIVE, 0)
    visited = shared(f"{case.address}&wrong={wrong}")
    page = visited.page
    said = page.inner_text(".warning")
    assert f"A mistake is at work, {wrong.replace('-', ' ')}." in said
    assert mistakes()[wrong] in said
    allowed = page.locator(".switch button:enabled").all_inner_texts()
    assert allowed and ("The batch, matrices" in allowed) == (form == "batch")
    page.evaluate(STEP_TO, "A mistake, in place of")
    assert card(page).split("A mistake, in place of ")[1].startswith("Equation 5.")
    page.get_by_label("Compare with a finite difference").check()
    assert difference(page) > 1e-4
    press(page, "First")
    wrong_now = differences(walked(page), case.expected(form))
    assert any(each.startswith("gradW/1") for each in wrong_now)
    assert none(visited.noise)
    shared(case.address)
    page.get_by_label("Compare with a finite difference").check()
    assert difference(page) < 1e-6 and page.inner_text(".warning") == ""


def difference(page):
    """Of the first derivative, between the backward pass and two forward passes."""
    text = page.inner_text(".explorer-number")
    return float(re.search(r"differ by (\d\S*)\.$", text)[1].replace("−", "-"))


def test_the_five_points_are_those_of_the_book(shared):
    x, y = five_points()
    page = shared().page
    names = page.evaluate(
        "[...document.querySelectorAll('.points button')].map((each) => each.ariaLabel).sort()"
    )
    said = [
        f"Point {s} at {a:.2f}, {b:.2f}; label {label:.2f}".replace("-", "−")
        for s, ((a, b), label) in enumerate(zip(x.tolist(), y.tolist()), start=1)
    ]
    assert [name.split(", prediction")[0] for name in names] == said


def test_without_a_server_it_works(visit):
    visited = visit((SITE / PAGE).as_uri() + "#form=vector&step=3")
    wait(
        visited.page,
        "document.querySelector('.card').textContent.startsWith('Step 3')",
    )
    assert none(visited.noise)


# Pictures that stand still until a reader asks for more, and what they show: the last delta of a network.
STILL = {
    "explorer": "points=1,2,1&sample=0&weights=0.5,-0.3,0.2,0.4,0.1,-0.2,0.6,-0.8,0.3&step=14",
    "explorer-paths": "hidden=2,2&points=1,2,1&sample=0&seed=1&step=26",
    "explorer-batch": "form=batch&step=10",
}
DRAWN = re.compile(r"<text[^>]*>([^<]*)<")


def test_without_a_script_there_is_a_still_figure(explorer, shared, site):
    """It is what the page draws for the pencil network at its last delta."""
    page = explorer(script=False).page
    assert page.get_by_role("img", name="A network with two inputs").is_visible()
    assert page.locator(".explorer button").count() == 0
    for name, settings in STILL.items():
        page = shared(settings).page
        assert re.match(r"Step \d+ of \d+\. The deltas? of", card(page))
        shown = page.locator(".picture text").all_text_contents()
        svg = site.content(f"_images/{name}.svg").decode()
        assert DRAWN.findall(svg) == shown


# ---- Write it yourself ----------------------------------------------------------------


def choose(page, label):
    page.get_by_label("Equation", exact=True).select_option(label)


# Writes one right side after the other, and has each checked.
CHECKED = """
async (written) => {
  const labelled = (name) => [...document.querySelectorAll("label")].find((each) => each.textContent === name).control;
  const verdict = document.querySelector(".verdict");
  const said = [];
  for (const [label, tex] of written) {
    const list = labelled("Equation");
    list.value = label;
    list.dispatchEvent(new Event("change"));
    labelled("Right side, in TeX").value = tex;
    [...document.querySelectorAll("button")].find((each) => each.textContent === "Check").click();
    for (const end = Date.now() + 20000; !verdict.firstChild && Date.now() < end; ) await new Promise((done) => setTimeout(done, 5));
    said.push(verdict.innerText);
  }
  return said;
}
"""


def checked(page, label, tex):
    """What the page says of a right side."""
    return page.evaluate(CHECKED, [[label, tex]])[0]


def unnamed(page, found):
    """Which of these mistakes the page does not name, with its words."""
    texts = page.evaluate(CHECKED, [[each.label, each.tex] for each in found])
    said = {each.name: text for each, text in zip(found, texts, strict=True)}
    return [
        each.name
        for each in found
        if f"A known mistake, {each.name.replace('-', ' ')}. {mistakes()[each.name]}"
        not in said[each.name]
    ]


def test_every_mistake_that_is_typed_is_named(shared):
    visited = shared()
    assert none(unnamed(visited.page, named_mistakes()) + visited.noise)


def test_a_mistake_that_is_not_named_is_noticed(another, site):
    """The page has other words for one, and nothing to say of what is right."""
    one, other, *_ = named_mistakes()
    text = site.content(PAGE).decode()
    site.put("book/words.html", text.replace(mistakes()[one.name], "Wrong."))
    page = another("step=0", "book/words.html").page
    right = replace(
        other, tex=r"\frac{2}{nK} (\mathbf{Z}^{(L)}_{\mathrm{out}} - \mathbf{Y})"
    )
    assert unnamed(page, [one]) == [one.name]
    assert unnamed(page, [right]) == [other.name]
    assert unnamed(page, [other]) == []


HIDDEN_DELTA = r"\sigma'^{(\ell-1)}(z^{(\ell-1)}_{i,in}) \sum_m W^{(\ell)}_{im} \delta^{(\ell)}_m"
VERDICTS = [
    ("eq-scalar-hidden-delta", HIDDEN_DELTA, r"Right\."),
    ("eq-tanh-derivative", r"(1 - \tanh(z)) (1 + \tanh(z))", r"Right\."),
    ("eq-scalar-weights", r"\delta^{(\ell)}_i +", r"This cannot be read: the formula ends too early\."),
    ("eq-scalar-weights", r"\delta^{(\ell)}_i \star 2", r"This cannot be read from here: \\star 2\."),
    ("eq-scalar-weights", r"\delta^{(\ell)}_i \kappa", r"This does not fit: unknown symbol 'kappa'\."),
    (
        "eq-vector-weights",
        r"\boldsymbol{\delta}^{(\ell)} \cdot \mathbf{z}^{(\ell-1)}_{\mathrm{out}}",
        r"does not fit: a product of shapes \(N\(1\), 1\) and \(N\(0\), 1\)\.",
    ),
    (
        "eq-scalar-pre-activation",
        r"\sum_j W^{(\ell)}_{ji} z^{(\ell-1)}_{j,\mathrm{out}}",
        r"In your network it differs at ℓ = 1, sample 1, i = 1: yours is 0\.9000, that of the book 1\.0000\.",
    ),
    (
        "eq-loss-batch",
        r"\frac{1}{n} \sum_s \sum_k (Z^{(L)}_{sk,\mathrm{out}} - Y_{sk})^2",
        r"In your network it gives the same\. In another it differs: yours is \S+, that of the book \S+\.",
    ),
    ("eq-sigmoid-derivative", "1 - z", r"It differs at z = −1\.5: yours is 2\.5000, that of the book 0\.1491\."),
]  # fmt: skip


@pytest.mark.parametrize(("label", "tex", "said"), VERDICTS)
def test_what_is_typed_is_judged(shared, label, tex, said):
    visited = shared(STILL["explorer"])
    assert re.search(said, checked(visited.page, label, tex))
    assert none(visited.noise)


def test_a_layer_that_the_network_lacks_is_told(shared):
    """Those in which formulas are tried have more layers than one without hidden units."""
    visited = shared("hidden=&points=0,0,1")
    tex = r"\mathbf{W}^{(2)} \cdot \boldsymbol{\delta}^{(2)}"
    assert "fit" in checked(visited.page, "eq-vector-output-delta", tex)
    assert none(visited.noise)


def given_away(page, label):
    """Where the page shows the right side of an equation: its words, its formula, its numbers, what lights up, a link."""
    page.evaluate(
        "document.querySelectorAll('details').forEach((each) => (each.open = true))"
    )
    found = []
    words = page.evaluate(f"BookEquations.equations['{label}'].speech")
    if words in page.inner_text("main"):
        found.append("words")
    formula = page.evaluate(f"document.getElementById('formula-{label}').innerHTML")
    if formula in page.evaluate(
        "document.querySelector('main').innerHTML.replace(/<template.*?<[/]template>/gs, '')"
    ):
        found.append("formula")
    numbers = page.locator(".card .numbers")
    if re.search(r"[=←](?! \?$)", numbers.inner_text().strip()):
        found.append("numbers")
    found += ["lit"] * (page.locator(".picture .read").count() > 0)
    found += ["link"] * page.locator(".card a").count()
    return found


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_not_shown(shared, form):
    page = shared(f"form={form}").page
    label = f"eq-{form}-hidden-delta"
    words = page.evaluate(f"BookEquations.equations['{label}'].speech")
    page.evaluate(STEP_TO, words)
    assert given_away(page, label) == ["words", "formula", "numbers", "lit", "link"]
    press(page, "That of the step")
    assert chosen(page, "Equation") == label
    assert given_away(page, label) == []
    checked(page, label, "0 + 1")
    assert given_away(page, label) == []
    choose(page, "")
    assert given_away(page, label) == ["words", "formula", "numbers", "lit", "link"]
    assert page.get_by_role("button", name="Check").count() == 0


def test_a_formula_is_written_with_buttons(shared):
    page = shared("form=vector").page
    choose(page, "eq-vector-weights")
    symbols = page.get_by_role("group", name="Symbols")
    for name in (
        "z out of layer ell minus one",
        "times",
        "delta of layer ell, transposed",
    ):
        symbols.get_by_role(
            "button", name=re.compile(f"^{name}$", re.IGNORECASE)
        ).click()
    assert chosen(page, "Right side, in TeX") == (
        r"\mathbf{z}^{(\ell-1)}_{\mathrm{out}}\cdot \boldsymbol{\delta}^{(\ell)\top}"
    )
    press(page, "Check")
    page.get_by_text("Right.").wait_for()


def test_the_cursor_is_where_the_next_symbol_belongs(shared):
    page = shared().page
    choose(page, "eq-glorot")
    symbols = page.get_by_role("group", name="Symbols")
    for name in "root", "fraction":
        symbols.get_by_role("button", name=name, exact=True).click()
    page.keyboard.type("6")
    assert chosen(page, "Right side, in TeX") == r"\sqrt{\frac{6}{}}"
    choose(page, "eq-scalar-biases")
    symbols.get_by_role("button", name="sum over k", exact=True).click()
    page.keyboard.type("1")
    assert chosen(page, "Right side, in TeX") == r"\sum_{k} 1"


def test_a_formula_is_written_with_the_keyboard(explorer):
    page = explorer().page
    reach(page, "Next")
    page.keyboard.press("Enter")
    reach(page, "That of the step")
    page.keyboard.press("Enter")
    assert chosen(page, "Equation") == "eq-scalar-pre-activation"
    reach(page, "Right side, in TeX")
    page.keyboard.type("1 +")
    reach(page, "b of layer ell, unit i")
    page.keyboard.press("Space")
    reach(page, "Right side, in TeX", "Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_text("In your network it differs").wait_for()
    assert page.get_by_role("status").filter(has_text="yours is").count() == 1


def test_a_formula_is_judged_without_a_server(visit):
    visited = visit((SITE / PAGE).as_uri())
    said = checked(visited.page, "eq-scalar-hidden-delta", HIDDEN_DELTA)
    assert said.startswith("Right.") and none(visited.noise)


# ---- Small forms in chapters ------------------------------------------------------------

PENCIL_IN = {"pencil": "scalar", "vector": "vector"}  # in which forms
SMALL = [*PENCIL_IN, "scalar", "batch", "training"]
PART = ".explorer-small"
# The page around it is looked at elsewhere, and would take axe its time.
ALONE = """
(part) => document.querySelectorAll("article :is(.katex, pre, table)").forEach((each) => each.closest(part) || each.remove())
"""
AXE_SMALL = """
async (part) => (await axe.run(part, { resultTypes: ["violations"] })).violations.map(({ id, nodes }) => `${id}: ${nodes[0].target}`)
"""


def opened(visit, chapter, **how):
    """A chapter in which a reader has asked for its small form."""
    visited = visit(f"book/{chapter}.html", **how)
    button = visited.page.locator(f"{PART} [data-loads]")
    button.focus()
    visited.page.keyboard.press("Enter")
    visited.page.locator(f"{PART} button.main").wait_for()
    return visited


@pytest.mark.parametrize("chapter", SMALL)
def test_a_small_form_is_right(visit, axe, shared, chapter):
    """It works by keyboard, fits a phone, and leads on to the explorer with the same network."""
    visited = opened(visit, chapter, width=390, still=True)
    page = visited.page
    assert page.evaluate(
        "document.activeElement.matches('.explorer-small button.main')"
    )
    page.keyboard.press("Enter")
    if chapter == "training":
        wait(
            page,
            "/Epoch [1-9]/.test(document.querySelector('.explorer-chart').textContent)",
        )
        page.keyboard.press("Enter")
        assert "Paused" in page.locator(f"{PART} [role=status]").inner_text()
        press(page, "One epoch")
        press(page, "Reset")
        assert epoch(page) == 0
        shown = page.locator(".points button").all_text_contents()
        assert len(shown) == 5
    else:
        press(page, "Play")
        page.get_by_text("Step 2 of ").wait_for()
        press(page, "Pause")
        press(page, "Back")
        assert card(page).startswith("Step 1 of ")
        assert (
            page.locator(f"{PART} [role=status]")
            .inner_text()
            .startswith("Step 1 of ")
        )
        shown = picture(page)
    page.evaluate(ALONE, PART)
    page.evaluate(axe)
    found = page.evaluate(AXE_SMALL, PART)
    page.emulate_media(color_scheme="dark")
    wait(page, "document.documentElement.dataset.theme === 'dark'")
    found += page.evaluate(AXE_SMALL, PART)
    found += visited.problems("strict", "sideways", "cut", "targets", "motion")
    assert page.evaluate("location.hash") == ""
    if chapter == "batch":
        page.get_by_label("Go to").select_option("Backward")
        assert page.locator(".numbers caption").first.inner_text() == "5 × 1"
    if chapter in PENCIL_IN:
        press(page, "First")
        found += differences(walked(page), of_one_sample(PENCIL_IN[chapter]))
    assert none(found + visited.noise)
    link = page.get_by_role("link", name="The same in the explorer")
    address = link.get_attribute("href")
    assert address.startswith("explorer.html#")
    page = shared(address.partition("#")[2]).page
    if chapter == "training":
        assert chosen(page, "Situation") == "book"
    else:
        press(page, "Next")
        assert picture(page) == shown


def of_one_sample(form):
    """What a pass computes of the pencil network, without the means of its one sample, which are not shown."""
    expected = PENCIL.expected(form)
    return {
        name: found[:1] if name.startswith("grad") else found
        for name, found in expected.items()
        if not name.startswith("Delta") and name != "loss"
    }


def test_a_small_form_works_without_a_server(visit):
    visited = visit((SITE / "book/vector.html").as_uri())
    visited.page.locator(f"{PART} [data-loads]").click()
    press(visited.page, "Next")
    assert card(visited.page).startswith("Step 1 of ") and none(visited.noise)


def test_without_a_script_a_small_form_is_a_picture(visit):
    page = visit("book/training.html", script=False).page
    part = page.locator(PART)
    assert part.get_by_role("img").is_visible()
    assert not part.locator("button").is_visible()
    assert "JavaScript, which is off" in part.inner_text()


def test_a_script_that_does_not_come_is_told(visit, site):
    html = site.content("book/pencil.html").decode()
    address = site.put(
        "book/lost.html", re.sub(r"equations\.js\?v=", "none.js?v=", html)
    )
    page = visit(address).page
    page.locator(f"{PART} [data-loads]").click()
    page.get_by_text("It could not be loaded.").wait_for()


# ---- The weight -----------------------------------------------------------------------

MOST = 150_000  # bytes of script, not compressed
OWN = "equations", "formulas", "explorer"


def scripts(visited, site):
    """The bytes of all scripts that a page has loaded."""
    addresses = visited.page.evaluate(
        "[...document.querySelectorAll('script[src]')].map((each) => each.src)"
    )
    return sum(site.sizes(address)[0] for address in addresses)


def test_the_page_is_light(explorer, site):
    """What loads with the page, that of all pages included, keeps the bound; and so does what is the page's own. Its judge
    of formulas is loaded when a reader begins to write: all together would be too much."""
    visited = explorer()
    before = scripts(visited, site)
    assert before <= MOST
    own = [site.sizes(site.address(f"_static/{name}.js"))[0] for name in OWN]
    assert sum(own) <= MOST
    checked(visited.page, "eq-scalar-biases", "1")
    assert scripts(visited, site) == before + own[OWN.index("formulas")]


def test_a_heavy_script_is_noticed(visit, site):
    site.put("a.js", "// " + "a" * MOST)
    visited = visit(site.put("tiny.html", tiny("<script src=a.js></script>")))
    assert scripts(visited, site) > MOST
