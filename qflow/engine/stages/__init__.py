"""Stages: what a run does, in order; one file each."""

from qflow.engine.stages import convert, export, observe, prepare, schedule, verify
from qflow.engine.work import Stage
from qflow.plan.plan import Plan

STAGES = (  # read this list to know what `qflow run` does; tracing comes before it, every time
    prepare.stages,  # fuse, fold batch norm, put fake-quantizers in place
    observe.stages,  # the statistics of a first stage that only observes
    schedule.stages,  # every stage of the file: calibrate, train, evaluate
    convert.stages,  # integers: the logical graph and the one in the device's layout
    export.stages,  # every export block
    verify.stages,  # all lanes over the data; oracle, exports, and what the claims measure
)


def stages_of(plan: Plan) -> tuple[Stage, ...]:
    """The stages of one plan, in the order they run."""
    return tuple(stage for kind in STAGES for stage in kind(plan))
