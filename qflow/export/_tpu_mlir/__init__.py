"""What TPU-MLIR reads: `table` the thresholds, `qtable` what stays float, `signs` which tensor has
no value below 0, `calls` the rows there are."""
