"""What the bench of the site does without a browser."""

import pytest
import yaml
from default_site import default_config
from serving import Server
from site_bench import Visits, table
from sources import ROOT


def test_the_default_site_has_nothing_of_its_own():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    sphinx = default_config(config)["sphinx"]
    assert not [name for name in sphinx["config"] if name.startswith("html")]
    assert (
        "extensions" not in sphinx["config"]
    )  # so that those of Jupyter Book are taken
    assert "light_pages" in config["sphinx"]["local_extensions"]
    assert not {"light_pages", "build_time_katex"} & {*sphinx["local_extensions"]}
    assert (
        "checked_equations" in sphinx["local_extensions"]
    )  # chapters use its directives


def test_what_a_page_costs_is_added(tmp_path):
    (tmp_path / "a.png").write_bytes(b"1234")
    (tmp_path / "b.html").write_text("b" * 100, encoding="utf-8")
    server = Server(tmp_path)
    loaded = {server.address("a.png"), server.address("b.html"), "data:,c"}
    found = Visits(None, [server]).cost(loaded)
    assert (found["requests"], found["bytes"]) == (2, 104)
    assert 4 < found["sent"] < 104


def test_what_is_loaded_from_elsewhere_stops_the_bench(tmp_path):
    with pytest.raises(ValueError, match="not served: http://elsewhere/a.js"):
        Visits(None, [Server(tmp_path)]).cost({"http://elsewhere/a.js"})


def test_a_table_has_columns():
    assert table(["", "s"], [["one", "1.25"], ["other", "10.00"]]).split("\n") == [
        "           s",
        "one     1.25",
        "other  10.00",
    ]
