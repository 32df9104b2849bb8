"""The statistics behind the six methods of the Sophgo calibrator, one file each."""
