"""Claims that compare two values of a run, name a metric, or speak of every address."""

from tests.engine.conftest import Project

METRICS = '''

class Share:
    """Samples whose first logit is finite: all of them."""

    def __init__(self):
        self.right, self.all = 0, 0

    def update(self, outputs, target):
        logits = outputs["logits"]
        self.right += int((logits[:, 0] == logits[:, 0]).sum())
        self.all += len(target)

    def result(self):
        return self.right / self.all


class Broken:
    def __init__(self, needed):
        self.needed = needed
'''

CLAIMS = """
  assert metric("tiny.data:Share", integer) == 1.0 on val
  assert metric(integer) <= metric("tiny.data:Share", float) on val
  assert accuracy(fake_quant) == fake_quant.metric on val
  assert integer.accuracy > float.accuracy on val
  assert cosine("**") >= 0.9 on val
  assert sqnr("**", fake_quant) >= 1000.0 on val
  warn   cosine("conv", fake_quant) >= cosine(output.logits) on val
"""


def claimed(project: Project, claims: str) -> dict[str, dict[str, object]]:
    project.replace("tiny/data.py", "def training", f"{METRICS}\n\ndef training")
    project.replace("tiny.qf", "\n  assert no scale == 1.0\n", claims)
    project.replace("tiny.qf", "  warn   accuracy_drop(integer) <= 1.0 on val\n", "")
    outcome = project.run()
    assert outcome.code in (0, 1), outcome.text
    return {c["claim"]: c for c in project.summary()["checks"]}


def test_every_form(project: Project) -> None:
    found = claimed(project, CLAIMS)
    share = found['metric("tiny.data:Share", integer) == 1.0 on val']
    assert (share["value"], share["verdict"]) == (1.0, "holds")
    both = found['metric(integer) <= metric("tiny.data:Share", float) on val']
    assert both["against"] == 1.0
    assert both["verdict"] == "holds"
    same = found["accuracy(fake_quant) == metric(fake_quant) on val"]
    assert same["value"] == same["against"]
    refuted = found["accuracy(integer) > accuracy(float) on val"]
    assert refuted["verdict"] == ("holds" if refuted["value"] > refuted["against"] else "fails")
    inner = found['cosine("**") >= 0.9 on val']
    assert inner["verdict"] == "holds"
    # quant, conv (with its relu), pool, flatten, head
    assert inner["value"] == "5 of 5 addresses"
    none = found['sqnr("**", fake_quant) >= 1000.0 on val']
    assert none["verdict"] == "fails"
    assert str(none["value"]).startswith("0 of 5 addresses, not quant (")
    one = found['cosine("conv", fake_quant) >= cosine(output.logits) on val']
    assert isinstance(one["against"], float)


def test_a_metric_that_cannot_be_made_stops_before_the_first_stage(project: Project) -> None:
    project.replace("tiny/data.py", "def training", f"{METRICS}\n\ndef training")
    claim = '\n  assert metric("tiny.data:Broken", integer) == 1.0 on val\n'
    project.replace("tiny.qf", "\n  assert no scale == 1.0\n", claim)
    outcome = project.run()
    assert outcome.code in (2, 3)
    assert "QF312" in outcome.text
    assert not list((project.out / "cache").glob("*"))


def test_a_metric_needs_targets(project: Project) -> None:
    bare = "\n\ndef bare():\n    return [image for image, _ in samples(8)]\n"
    project.replace("tiny/data.py", "\n\ndef training", f"{bare}\n\ndef training")
    block = 'data bare  { loader = "tiny.data:bare" }\n\nquantize {'
    project.replace("tiny.qf", "quantize {", block)
    claim = "\n  assert cosine(output.logits) >= float.accuracy on bare\n"
    project.replace("tiny.qf", "\n  assert no scale == 1.0\n", claim)
    outcome = project.run()
    assert outcome.code == 2
    assert "QF315" in outcome.text
    assert "`accuracy` needs them" in outcome.text
