"""Hydra as a front end: config groups composed into a Program, with the file each part came from.

compose asks Hydra and reads the result; origins finds the file and line of every value; overlay
lays Hydra's values over them; interpolations says what may fill in `${...}`; structured has the
typed configs; mount shows qflow's own groups to other projects. app is `python -m qflow.hydra`, and
asked what its key `job` says. Of `-m`, multirun makes points, sweep does with them what was asked
for, running hands them to `qflow.sweep`, and foreign refuses what Hydra itself would run them by.
Nothing here is imported without hydra-core, which is the extra `qflow[hydra]`.
"""
