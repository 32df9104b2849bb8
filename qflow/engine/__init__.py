"""Engine: runs a plan, stage by stage; each stage is cached by what it reads and can be resumed.

Which file does what:

- a run: run (from the file on), session (what needs torch), runner (makes a stage, or takes it
  over), work, `stages/`; preflight, state and console, log, report, summary say how it goes
- a point of a sweep: job (as JSON), frozen (its plan, before any job), work_job (in a process of a
  launcher); observations and observed: one pass of calibration for all points
- the cache: cache, keys, digest, files, folder, publish, environment, seeds
- what a file names: entry and extension (code), checkpoint, data and sample (`sources/`: data
  without Python), model, imported and examples, lock, outputs, located and structure
- a stage of the schedule: prepared, observing; training with objective (`losses/`), optimizing
  (`optimizers/`, `schedulers/`), judging, counting, freezing, resume; method (`methods/`)
- what came out: any_size (whether for every image size), lanes, reach; claims: claimed with
  addresses (inner tensors) and scales, verdict
- verbs and blocks with files of their own: sensitivity with candidate and tabulate; doctor; colour;
  `compare`: lockstep (brings a run up), compare (the lanes), tensors (every tensor of a lane),
  parting (the table), comparing/ (two files); `dump`: dump, dump_writer and dump_index (its files);
  `profile`: profiled and profiling
"""
