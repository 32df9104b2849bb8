"""Engine: runs a plan, stage by stage; each stage is cached by what it reads and can be resumed."""
