"""A .qf whose target lets operators stay float: it runs, and says what does not run in integers."""

from tests.engine.conftest import Project


def with_norm(project: Project) -> None:
    """The tiny network with a layer norm, for a TPU that has none in integers."""
    project.replace(
        "tiny/model.py",
        "        self.head = nn.Linear(width, 2)",
        "        self.norm = nn.LayerNorm(width)\n        self.head = nn.Linear(width, 2)",
    )
    project.replace(
        "tiny/model.py", "self.flatten(self.pool(x))", "self.norm(self.flatten(self.pool(x)))"
    )
    text = project.program.read_text()
    text = text.replace('march = "nash-m"', 'march = "bm1684x"')
    project.write("tiny.qf", text[: text.index("export onnx")])


def test_an_operator_that_stays_float(project: Project) -> None:
    with_norm(project)
    project.replace("tiny.qf", "unlisted = error", "unlisted = float")
    assert project.lock().code == 0
    done = project.run()
    assert done.code == 0, done.text
    assert "QF520" in done.text
    assert "stays float" in done.out
    assert "norm (layer_norm)" in done.out
    covered = project.summary()["integer"]["coverage"]
    assert covered["float"] == [
        {
            "address": "norm",
            "op": "layer_norm",
            "why": "bm1684x does not list it: measured: float16",
        }
    ]
    assert covered["operators"] == {"integer": 5, "total": 6, "share": 5 / 6}
    assert covered["multiply_accumulates"]["share"] == 1.0


def test_it_is_refused_where_the_target_does_not_let_it(project: Project) -> None:
    with_norm(project)
    assert project.lock().code == 0
    refused = project.run()
    assert refused.code != 0
    assert "bm1684x has no operator `layer_norm`" in refused.text
    assert "`unlisted = float` in the target lets it run on floats" in refused.text
